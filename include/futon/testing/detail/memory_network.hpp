// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Joins connectors and listeners of memory:// addresses by wires.

#include <futon/core/asio.hpp>
#include <futon/core/mix.hpp>
#include <futon/core/nearest_name.hpp>
#include <futon/core/runtime_state.hpp>
#include <futon/testing/detail/wire.hpp>
#include <futon/testing/link_faults.hpp>
#include <futon/transport/network.hpp>

#include <asio/post.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace futon::detail {

/// Its own lock is never held while a wire is called; wires call it with theirs.
class memory_network final : public network {
public:
    struct faults_of_link {
        testing::link_faults to_client;
        testing::link_faults to_server;
    };

    memory_network(std::uint64_t seed, bool keeps_trace) : seed_{seed}, keeps_trace_{keeps_trace} {}

    void connect(const io_place& place, const endpoint& to, std::function<void(outcome)> done) override {
        const auto found = find(to.path);
        const auto faults = faults_of(to.path);
        if (!found || faults.to_server.refuse || faults.to_client.refuse) {
            note(*place.where, to.text() + " refused");
            return done(refused(to));
        }
        if (faults.to_server.drop || faults.to_client.drop) {
            note(*place.where, to.text() + " unanswered");
            return;
        }
        const auto takes = faults.to_server.delay + faults.to_client.delay;
        auto join = [self = intrusive_ptr<memory_network>{this}, place, to, found, done = std::move(done)] {
            self->join(place, to, found, done);
        };
        if (takes <= duration{}) return join();
        place.where->arm(*new later{std::move(join)}, deadline_after(place.where->now(), takes));
    }

    result<void> listen(const endpoint& at, listener whose) override {
        const std::lock_guard lock{mutex_};
        auto& entry = listening_[at.path];
        if (entry)
            return error{errc::listen_failed,
                         "cannot listen on " + at.text() + ": another server of this network has the name",
                         executed::no};
        entry = std::make_shared<listening>(std::move(whose));
        ever_listened_.insert(at.path);
        return {};
    }

    void stop_listening(const endpoint& at) noexcept override {
        std::shared_ptr<listening> gone;
        const std::lock_guard lock{mutex_};
        const auto entry = listening_.find(at.path);
        if (entry == listening_.end()) return;
        gone = std::move(entry->second);  // What it holds goes after the lock.
        gone->open = false;
        listening_.erase(entry);
    }

    std::uint32_t next_seed() override {
        const std::lock_guard lock{mutex_};
        return static_cast<std::uint32_t>(draw_locked());
    }

    // Who names a server that never was has mistyped its name, and would learn of it from nothing that happens.

    result<void> set_faults(const std::string& name, testing::link_direction which,
                            const testing::link_faults& faults) {
        using enum testing::link_direction;
        if (auto known = check_known(name); !known) return known;
        {
            const std::lock_guard lock{mutex_};
            auto& known = faults_[name];
            if (which != to_server) known.to_client = faults;
            if (which != to_client) known.to_server = faults;
        }
        for (const auto& each : wires_of(name)) {
            if (which != to_server) each->set_faults(0, faults);
            if (which != to_client) each->set_faults(1, faults);
        }
        return {};
    }
    result<void> cut(const std::string& name) {
        if (auto known = check_known(name); !known) return known;
        for (const auto& each : wires_of(name)) each->cut();
        return {};
    }
    /// Open between clients and the server of the name.
    [[nodiscard]] result<std::size_t> connections(const std::string& name) const {
        if (auto known = check_known(name); !known) return std::move(known).error();
        return wires_of(name).size();
    }
    [[nodiscard]] std::vector<std::string> trace() const {
        const std::lock_guard lock{mutex_};
        return trace_;
    }
    /// Adds a line with the time in milliseconds since `begin`, else since the first line.
    void note(const executor& where, const std::string& what) {
        if (keeps_trace_) note(where.now(), what);
    }
    void note(time_point now, const std::string& what) {
        if (!keeps_trace_) return;
        const std::lock_guard lock{mutex_};
        if (!began_) began_ = now;
        char time[40];
        std::snprintf(time, sizeof time, "%.3f ms ", std::chrono::duration<double, std::milli>(now - *began_).count());
        trace_.push_back(time + what);
    }
    void begin(time_point now) { began_ = now; }
    /// Lets go of everything, where those who would do so themselves may live on.
    void clear() noexcept {
        std::map<std::string, std::shared_ptr<listening>> listeners;
        std::map<std::uint64_t, link> links;
        const std::lock_guard lock{mutex_};
        listeners.swap(listening_);  // They end after the lock.
        links.swap(links_);
        for (const auto& [unused, each] : listeners) each->open = false;
    }

private:
    struct listening {
        explicit listening(listener it) : whose{std::move(it)} {}
        listener whose;
        std::atomic<bool> open{true};
    };
    struct link {
        intrusive_ptr<wire> joined;
        std::string name;     // Of its address,
        std::string shown;    // and of this connection.
        executor_ref client;  // For the time.
    };
    // Does something after a while, or nothing if the executor ends.
    struct later final : timer {
        explicit later(std::function<void()> what) : f{std::move(what)} {}
        void fire(bool due) noexcept override {
            const std::unique_ptr<later> self{this};
            if (due) f();
        }
        std::function<void()> f;
    };

    static error refused(const endpoint& to) {
        return {errc::connect_failed, "cannot connect to " + to.text() + ": nobody listens there", executed::no};
    }
    result<void> check_known(const std::string& name) const {
        const std::lock_guard lock{mutex_};
        if (ever_listened_.contains(name)) return {};
        const std::vector<std::string_view> known{ever_listened_.begin(), ever_listened_.end()};
        return error{errc::no_provider,
                     "no server of this network has had the address memory://" + name +
                         (known.empty() ? "; none has been started yet" : known_names(name, known)),
                     executed::no};
    }
    std::shared_ptr<listening> find(const std::string& name) const {
        const std::lock_guard lock{mutex_};
        const auto found = listening_.find(name);
        return found == listening_.end() ? nullptr : found->second;
    }
    faults_of_link faults_of(const std::string& name) const {
        const std::lock_guard lock{mutex_};
        const auto found = faults_.find(name);
        return found == faults_.end() ? faults_of_link{} : found->second;
    }
    std::vector<intrusive_ptr<wire>> wires_of(const std::string& name) const {
        const std::lock_guard lock{mutex_};
        std::vector<intrusive_ptr<wire>> found;
        for (const auto& [unused, each] : links_)
            if (each.name == name) found.push_back(each.joined);
        return found;
    }
    void join(const io_place& place, const endpoint& to, const std::shared_ptr<listening>& with,
              const std::function<void(outcome)>& done);
    void hear(std::uint64_t number, wire::news what, std::size_t to, std::size_t count);
    std::uint64_t draw_locked() noexcept { return mix(seed_ += mix_step); }

    mutable std::mutex mutex_;
    std::map<std::string, std::shared_ptr<listening>> listening_;
    std::set<std::string> ever_listened_;  // For mistyped names.
    std::map<std::string, faults_of_link> faults_;
    std::map<std::uint64_t, link> links_;  // By number: in the order in which they were made, the same in each run.
    std::uint64_t made_ = 0;
    std::uint64_t seed_;
    const bool keeps_trace_;
    std::optional<time_point> began_;
    std::vector<std::string> trace_;
};

inline void memory_network::join(const io_place& place, const endpoint& to, const std::shared_ptr<listening>& with,
                                 const std::function<void(outcome)>& done) {
    if (!with->open) {
        note(*place.where, to.text() + " refused");
        return done(refused(to));
    }
    const auto& whose = with->whose;
    auto far = whose.choose();
    std::uint64_t number = 0;
    std::uint64_t seed = 0;
    {
        const std::lock_guard lock{mutex_};
        number = ++made_;
        seed = draw_locked();
    }
    const auto shown = to.text() + "#" + std::to_string(number);
    auto joined = make_intrusive<wire>(
        place.where, far.where, seed,
        [self = intrusive_ptr<memory_network>{this}, number](wire::news what, std::size_t end, std::size_t count) {
            self->hear(number, what, end, count);
        });
    {
        const std::lock_guard lock{mutex_};
        links_.emplace(number, link{joined, to.path, shown, place.where});
    }
    const auto faults = faults_of(to.path);
    joined->set_faults(0, faults.to_client);
    joined->set_faults(1, faults.to_server);
    note(*place.where, shown + " connected");
    asio::post(whose.place.asio, [with, far = std::move(far), stream = joined->stream_of(1, shown)]() mutable {
        if (with->open) with->whose.accepted(std::move(far), std::move(stream));
    });
    done(joined->stream_of(0, to.text()));
}

// With the wire's lock held.
inline void memory_network::hear(std::uint64_t number, wire::news what, std::size_t to, std::size_t count) {
    if (!keeps_trace_ && what != wire::news::over) return;
    link ended;
    std::string line;
    executor_ref clock;
    {
        const std::lock_guard lock{mutex_};
        const auto found = links_.find(number);
        if (found == links_.end()) return;
        if (keeps_trace_) line = found->second.shown;
        clock = found->second.client;
        if (what == wire::news::over) {
            ended = std::move(found->second);
            links_.erase(found);
        }
    }
    if (!keeps_trace_) return;
    switch (what) {
        case wire::news::carried: line += (to == 1 ? " > " : " < ") + std::to_string(count) + " bytes"; break;
        case wire::news::cut: line += " cut"; break;
        case wire::news::over: line += " closed"; break;
    }
    note(*clock, line);
}

}  // namespace futon::detail
