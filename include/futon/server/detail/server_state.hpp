// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What outlives the `server` object while connections and handlers still end: counts, limits, the way down.
/// One thing because the way down waits for what all the rest counts.

#include <futon/core/runtime_state.hpp>
#include <futon/server/detail/admissions.hpp>
#include <futon/server/detail/publication.hpp>
#include <futon/server/server_options.hpp>
#include <futon/serving/offer.hpp>
#include <futon/session/unsent_bytes.hpp>
#include <futon/transport/acceptor.hpp>
#include <futon/transport/connection.hpp>
#include <futon/transport/post_function.hpp>
#include <futon/transport/reachable_address.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace futon::detail {

/// Shared by the server, its connections and the calls that they answer. Thread-safety: safe.
class server_state final : public offer, private timer {
public:
    server_state(server_options how, intrusive_ptr<runtime_state> runtime)
        : offer{{.bounds = how.limits,
                 .hide_exception_text = how.hide_exception_text,
                 .slow_handler = how.slow_handler,
                 .on_served = how.on_served},
                runtime->shared_reports()},
          options{std::move(how)},
          runtime_{std::move(runtime)},
          home_{runtime_->next_place()} {
        draining = std::stop_source{};
        if (options.registry)
            publication_ = make_intrusive<publication>(options.registry, options.advertise, runtime_->shared_reports());
    }

    const server_options options;
    /// Of all connections.
    const intrusive_ptr<unsent_bytes> unsent = make_intrusive<unsent_bytes>(options.limits.max_server_unsent_bytes);

    [[nodiscard]] runtime_state& runtime() const noexcept { return *runtime_; }
    [[nodiscard]] const io_place& home() const noexcept { return home_; }
    /// What the registry is told; null if there is none.
    [[nodiscard]] publication* published() const noexcept { return publication_.get(); }
    /// Begins to be found, once it listens, the first of `addresses` as what it listens on.
    void publish(const std::vector<endpoint>& addresses);

    /// Listens on all addresses, which come back, or on none. Errors: those of `acceptor::open`, and `already_satisfied`
    /// once it has been stopped.
    [[nodiscard]] result<std::vector<endpoint>> listen(
        std::function<void(io_place, std::unique_ptr<byte_stream>)> accepted);

    // Connections.

    /// A place among the connections, for as long as this is held; or why there is none, which is also reported.
    [[nodiscard]] result<intrusive_ptr<ref_counted>> admit(const std::string& peer);
    /// See `entrance`.
    [[nodiscard]] intrusive_ptr<ref_counted> seat_outside() { return entrance_->seat_outside(); }
    void joined(const intrusive_ptr<connection>& which);
    void left(const intrusive_ptr<connection>& which, const session_stats& counters);

    /// Who counted the handler has let go of everything else: this stays for as long as one is counted.
    void handler_left() noexcept override {
        for (auto count = handlers_.load(std::memory_order_acquire); count > 1;)
            if (handlers_.compare_exchange_weak(count, count - 1, std::memory_order_acq_rel)) return;
        // The last one with the lock, so that whoever waits for it finds nobody in here afterwards.
        std::unique_lock lock{mutex_};
        handlers_.fetch_sub(1, std::memory_order_acq_rel);
        changed_.notify_all();
        let_go_if_over(lock);
    }

    // The end.

    /// Stops accepting and drains; connections that are not done after `grace` are cut. Calls `done` at the end.
    void stop(duration grace, std::function<void()> done) noexcept;
    [[nodiscard]] bool is_stopped() const noexcept {
        const std::lock_guard lock{mutex_};
        return stopping_;
    }
    [[nodiscard]] static error was_stopped() {
        return {errc::already_satisfied, "the server has been stopped, for good: make a new one to serve again",
                executed::no};
    }
    /// Blocks until the addresses are free, every connection is closed and no handler runs on another thread.
    void wait_until_stopped() noexcept {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] {
            return stopping_ && listening_ == 0 && !withdrawing_ && connections_.empty() && handlers_.load() == 0;
        });
    }
    /// The same where the runtime has no threads, as far as that takes no time.
    void run_until_stopped() noexcept {
        runtime_->run_ready_until([this] {
            const std::lock_guard lock{mutex_};
            return listening_ == 0 && !withdrawing_ && connections_.empty() && handlers_.load() == 0;
        });
    }
    void wait_for_handlers() noexcept {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return handlers_.load() == 0; });
    }

    /// The server object goes: as soon as nothing runs any more, so do the implementations. They may keep
    /// responders, which keep this.
    void let_go() noexcept {
        std::unique_lock lock{mutex_};
        add_ref();
        let_go_ = true;
        let_go_if_over(lock);
    }

    [[nodiscard]] server_stats stats() const;

private:
    inline void fire(bool due) noexcept override;
    // With the lock held. The timer keeps this.
    [[nodiscard]] bool arm_grace(time_point due) noexcept {
        add_ref();
        if (will_fire(*home_.where, *this, due)) return true;
        release();
        return false;
    }
    void finish_if_done(std::unique_lock<std::mutex>& lock) noexcept;
    void let_go_if_over(std::unique_lock<std::mutex>& lock) noexcept;
    struct numbered {
        std::uint64_t number;
        intrusive_ptr<connection> which;
    };
    // In the order in which they came, so that a simulation can be repeated: their addresses are not the same again.
    [[nodiscard]] std::vector<intrusive_ptr<connection>> open_locked() const {
        std::vector<numbered> all;
        for (const auto& [unused, each] : connections_) all.push_back(each);
        std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.number < b.number; });
        std::vector<intrusive_ptr<connection>> open;
        for (auto& each : all) open.push_back(std::move(each.which));
        return open;
    }

    void warn_of_drain(std::size_t connections, duration left) noexcept;

    // So long a stop may take before it is worth a warning; and so long a warning of refused connections is enough.
    static constexpr duration patience = std::chrono::seconds{1};

    const intrusive_ptr<runtime_state> runtime_;
    const io_place home_;
    intrusive_ptr<publication> publication_;  // Set once.

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<intrusive_ptr<acceptor>> acceptors_;
    std::size_t listening_ = 0;  // Acceptors that are not closed yet.
    std::map<const connection*, numbered> connections_;
    std::uint64_t joined_ = 0;
    const intrusive_ptr<entrance> entrance_ = make_intrusive<entrance>();
    session_stats past_;
    time_point refusal_said_{};  // Not again before.
    std::uint64_t refused_unsaid_ = 0;
    bool stopping_ = false;
    bool withdrawing_ = false;  // The registry has not heard yet that it goes.
    bool grace_armed_ = false;
    time_point cut_at_{};  // Set before it is armed.
    bool let_go_ = false;
    std::vector<std::function<void()>> when_stopped_;
};

inline result<std::vector<endpoint>> server_state::listen(
    std::function<void(io_place, std::unique_ptr<byte_stream>)> accepted) {
    std::vector<intrusive_ptr<acceptor>> opened;
    std::vector<endpoint> bound;
    const auto give_up = [&](error why) {
        for (const auto& each : opened) each->close();
        return why;
    };
    for (const auto& address : options.listen) {
        auto made = make_intrusive<acceptor>(
            runtime_->next_place(), [runtime = runtime_] { return runtime->next_place(); }, accepted);
        if (auto opening = made->open(address); !opening) return give_up(std::move(opening).error());
        bound.push_back(made->address());
        opened.push_back(std::move(made));
    }
    if (opened.empty())
        return error{errc::listen_failed, "the server has no address to listen on: set .listen", executed::no};
    const std::lock_guard lock{mutex_};
    if (stopping_) return give_up(was_stopped());
    acceptors_ = std::move(opened);
    listening_ = acceptors_.size();
    for (const auto& each : acceptors_) each->start();
    return bound;
}

inline void server_state::publish(const std::vector<endpoint>& addresses) {
    if (!publication_) return;
    auto at = options.advertise.address;
    auto bound = reachable_address(addresses.front(), home_);
    if (at.host.empty() && at.path.empty()) {
        at = std::move(bound);
    } else if (at.port == 0) {
        at.port = bound.port;
    }
    publication_->begin(services.names(), std::move(at));
}

inline result<intrusive_ptr<ref_counted>> server_state::admit(const std::string& peer) {
    std::unique_lock lock{mutex_};
    auto admitted = entrance_->admit(peer, options.limits, !stopping_);
    if (admitted || stopping_) return admitted;
    // A peer that comes again and again fills no log.
    const auto now = home_.where->now();
    ++refused_unsaid_;
    if (now < refusal_said_) return admitted;
    refusal_said_ = deadline_after(now, patience);
    const auto count = std::exchange(refused_unsaid_, 0);
    lock.unlock();
    auto text = "a connection was refused: " + admitted.error().message();
    if (count > 1) text += "; it is the last of " + std::to_string(count) + " since this was said";
    reports().log({.level = log_level::warning, .kind = "connection_refused", .text = text, .where = peer});
    return admitted;
}

inline void server_state::joined(const intrusive_ptr<connection>& which) {
    const std::lock_guard lock{mutex_};
    connections_.emplace(which.get(), numbered{++joined_, which});
    if (stopping_) which->close(error{errc::unavailable, "the server is stopping", executed::no});
}

inline void server_state::left(const intrusive_ptr<connection>& which, const session_stats& counters) {
    std::unique_lock lock{mutex_};
    connections_.erase(which.get());
    past_ += counters;
    past_.in_flight_sent = past_.in_flight_received = 0;
    finish_if_done(lock);
}

inline void server_state::stop(duration grace, std::function<void()> done) noexcept {
    std::vector<intrusive_ptr<connection>> open;
    std::vector<intrusive_ptr<acceptor>> listening;
    std::unique_lock lock{mutex_};
    if (done) when_stopped_.push_back(std::move(done));
    const bool first = !std::exchange(stopping_, true);
    const bool withdraw = first && publication_;
    withdrawing_ = grace > duration{} && (withdrawing_ || withdraw);
    listening = std::exchange(acceptors_, {});
    open = open_locked();
    if ((!open.empty() || withdrawing_) && grace > duration{} && !grace_armed_) {
        const auto now = home_.where->now();
        cut_at_ = deadline_after(now, grace);
        grace_armed_ = arm_grace(std::min(cut_at_, deadline_after(now, patience)));
        // Nobody would tell when it is over.
        if (!grace_armed_) withdrawing_ = false;
    }
    const bool drains = grace > duration{} && (grace_armed_ || open.empty());
    lock.unlock();
    if (first) draining.request_stop();
    if (withdraw)
        publication_->end([self = intrusive_ptr<server_state>{this}] {
            std::unique_lock told{self->mutex_};
            self->withdrawing_ = false;
            self->finish_if_done(told);
        });
    for (const auto& each : listening) {
        const auto end = [each, self = intrusive_ptr<server_state>{this}] {
            each->close();
            std::unique_lock ended{self->mutex_};
            --self->listening_;
            self->finish_if_done(ended);
        };
        post_or_else(each->place().asio, end, end);
    }
    const error why{errc::unavailable, "the server is stopping", executed::no};
    for (const auto& each : open) drains ? each->drain(why) : each->close(why);
    lock.lock();
    finish_if_done(lock);
}

inline void server_state::fire(bool due) noexcept {
    auto self = intrusive_ptr<server_state>::adopt(this);
    std::vector<intrusive_ptr<connection>> open;
    duration left{};
    {
        const std::lock_guard lock{mutex_};
        if (due) left = std::max(cut_at_ - home_.where->now(), duration{});
        open = open_locked();
        if (left > duration{}) {
            if (!grace_armed_) return;  // It has stopped just now.
            if (!arm_grace(cut_at_)) left = duration{};
        }
        if (left == duration{}) {
            grace_armed_ = false;
            withdrawing_ = false;
        }
    }
    warn_of_drain(open.size(), left);
    if (left > duration{}) return;
    for (const auto& each : open)
        each->close(error{errc::unavailable, "the server's time to stop is over", executed::maybe});
    std::unique_lock lock{mutex_};
    finish_if_done(lock);
}

// A server that seems to hang when it is told to stop waits for somebody: says for whom, and how long.
inline void server_state::warn_of_drain(std::size_t connections, duration left) noexcept {
    if (connections == 0) return;
    try {
        const auto seconds = std::chrono::duration_cast<std::chrono::duration<double>>(left).count();
        const auto what =
            "calls in flight: " + std::to_string(in_flight()) + ", connections: " + std::to_string(connections);
        const auto text =
            left > duration::zero()
                ? "the server stops, and waits; " + what + "; cut in " +
                      std::to_string(static_cast<int>(seconds + 0.5)) +
                      " s (drain_time). Streams end sooner if their handlers heed call_context::drain_token()"
                : "the server's time to stop is over: what is left is cut; " + what;
        reports().log({.level = log_level::warning, .kind = "slow_stop", .text = text});
    } catch (...) {  // No memory for words.
    }
}

inline void server_state::finish_if_done(std::unique_lock<std::mutex>& lock) noexcept {
    if (!stopping_ || listening_ != 0 || withdrawing_ || !connections_.empty()) return;
    changed_.notify_all();
    const auto waiters = std::exchange(when_stopped_, {});
    const bool disarm_grace = std::exchange(grace_armed_, false);
    lock.unlock();
    if (disarm_grace && home_.where->disarm(*this)) release();
    for (const auto& waiter : waiters) waiter();
    lock.lock();
    let_go_if_over(lock);
}

// Without connections and handlers elsewhere there are none on any I/O thread's stack either: a connection ends
// outside of them. Coroutines that are suspended keep their implementation themselves.
inline void server_state::let_go_if_over(std::unique_lock<std::mutex>& lock) noexcept {
    if (!let_go_ || listening_ != 0 || !connections_.empty() || handlers_.load() != 0) return;
    let_go_ = false;
    lock.unlock();
    services.release();
    release();
}

inline server_stats server_state::stats() const {
    server_stats sum;
    sum.calls = calls.sum();
    sum.failed = failed.load();
    sum.overloaded = overloaded.load();
    sum.in_flight = in_flight();
    sum.slow_handlers = slow.load();
    sum.lost_oneways = oneways_lost.load();
    sum.threads = reports().counted();
    const std::lock_guard lock{mutex_};
    sum.connections = connections_.size();
    sum.accepted = entrance_->accepted();
    sum.refused = entrance_->refused();
    sum.wire = past_;
    for (const auto& [unused, each] : connections_) sum.wire += each.which->stats();
    return sum;
}

}  // namespace futon::detail
