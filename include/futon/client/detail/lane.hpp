// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// One place for a connection to one endpoint: connects, notices the loss, backs off, connects again. One thing because
/// all of it is one state and the ways from one to the next.

#include <futon/client/detail/lane_owner.hpp>
#include <futon/client/detail/routing_mutex.hpp>
#include <futon/cluster/stable_hash.hpp>
#include <futon/core/random_word.hpp>
#include <futon/core/runtime_state.hpp>
#include <futon/message/endpoint.hpp>
#include <futon/service/any_channel.hpp>
#include <futon/serving/answers.hpp>
#include <futon/session/session.hpp>
#include <futon/transport/connection.hpp>
#include <futon/transport/connector.hpp>
#include <futon/transport/network.hpp>
#include <futon/transport/post_function.hpp>
#include <futon/wire/futon_protocol.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <random>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace futon::detail {

/// For everything of a channel or its connections that is left to chance.
[[nodiscard]] inline std::uint64_t seed_for(const io_place& place) {
    auto* const network = network_of(place);
    return network ? network->next_seed() : random_word();
}

/// Shares the lock of its channel, so that to choose among many lanes takes one lock.
///
/// Thread-safety: safe, but for what is said to be locked; its events come inside the executor of its place.
class lane final : public connection_owner, private timer {
public:
    enum class state : std::uint8_t {
        idle,  ///< Nobody asked for a connection yet, or the last one ended in peace.
        /// Until the peer's preface came: before that it may be one that stops, and would drop what it gets.
        connecting,
        ready,
        backing_off,  ///< The last attempt failed; the next one begins by itself.
        closed,
    };

    /// `channel` is the owner, and has `mutex`.
    lane(intrusive_ptr<any_channel> channel, lane_owner& owner, routing_mutex& mutex, endpoint to, io_place place)
        : channel_{std::move(channel)}, owner_{&owner}, to_{std::move(to)}, place_{std::move(place)}, mutex_{mutex} {}

    [[nodiscard]] const endpoint& address() const noexcept { return to_; }
    /// Its `stable_hash`.
    [[nodiscard]] std::uint64_t provider() const noexcept { return provider_; }

    // With the lock held.

    [[nodiscard]] state current() const noexcept { return state_; }
    /// The connection to send calls on; null unless it is ready and its peer takes more calls.
    [[nodiscard]] connection* ready_connection() const noexcept {
        return state_ == state::ready && !full_ && !connection_->is_starved() ? connection_.get() : nullptr;
    }
    /// The connection, whether or not it takes calls; null unless it is ready.
    [[nodiscard]] connection* open_connection() const noexcept {
        return state_ == state::ready ? connection_.get() : nullptr;
    }
    /// No call waits for room any more.
    void not_full() noexcept { full_ = false; }
    /// Why there is no connection; meaningful while backing off.
    [[nodiscard]] const error& last_error() const noexcept { return last_error_; }
    [[nodiscard]] std::uint64_t connects() const noexcept { return connects_; }
    [[nodiscard]] session_stats stats() const noexcept { return connection_ ? connection_->stats() : session_stats{}; }
    /// All its connections, also those that get no new calls.
    [[nodiscard]] std::vector<intrusive_ptr<connection>> connections() const {
        auto all = leaving_;
        if (connection_) all.push_back(connection_);
        return all;
    }
    /// Begins to connect if nothing else goes on. Returns the state afterwards.
    state wake() noexcept {
        if (state_ == state::idle) {
            state_ = state::connecting;
            connect();
        }
        return state_;
    }
    /// What was out is back, and this may be, too: a pause ends by chance within `reconnect.base`, and should that be
    /// too early, the next ones begin short.
    void hurry() noexcept {
        if (state_ == state::backing_off)
            post_function(place_.asio, [self = intrusive_ptr<lane>{this}] { self->shorten_pause(); });
    }

    // Without it.

    /// Ends for good: the connection's calls come back with `why`.
    void close(const error& why) noexcept {
        std::vector<intrusive_ptr<connection>> open;
        {
            const std::lock_guard lock{mutex_};
            open = leaving_;
            if (connection_) open.push_back(connection_);
            // One that was retired may still have calls.
            if (std::exchange(state_, state::closed) == state::closed && open.empty()) return;
        }
        for (const auto& each : open) each->close(why);
        stop_connecting();
    }
    /// Lets the calls in flight finish, then ends.
    void retire(const error& why) noexcept {
        intrusive_ptr<connection> open;
        {
            const std::lock_guard lock{mutex_};
            if (std::exchange(state_, state::closed) == state::closed) return;
            open = connection_;
        }
        // Those whose peer has said goodbye end by themselves: a server that stops tells its clients and the registry,
        // and either may be heard first.
        if (open) return open->drain(why);
        stop_connecting();
    }

private:
    // Once it is closed.
    void stop_connecting() noexcept {
        if (place_.where->disarm(*this)) release();
        post_function(place_.asio, [self = intrusive_ptr<lane>{this}] {
            if (self->connector_) self->connector_->stop(error{errc::client_closed, executed::no});
        });
    }
    void connect() noexcept {
        owner_->offered().services.seal();
        post_function(place_.asio, [self = intrusive_ptr<lane>{this}] {
            self->connector_ = connector::start(self->place_, self->to_, self->owner_->options().connect_timeout,
                                                [self](connector::outcome how) { self->connected(std::move(how)); });
        });
    }

    void connected(connector::outcome how) noexcept {
        connector_ = nullptr;
        if (!how) return not_connected(how.error());
        const auto& options = owner_->options();
        auto machine = std::make_unique<session<futon_protocol>>(session_options{.role = side::opener,
                                                                                 .limits = options.limits,
                                                                                 .categories = options.error_categories,
                                                                                 .seed = session_seed(place_)},
                                                                 place_.where->now());
        auto made = make_intrusive<connection>(place_, *std::move(how), std::move(machine),
                                               intrusive_ptr<connection_owner>{this});
        auto& offered = owner_->offered();
        const bool answering = !offered.services.empty();
        // Before a client that goes can see the connection: it waits for those that may still run its handlers.
        if (answering) {
            answers_.emplace(made.get(),
                             make_intrusive<answers>(intrusive_ptr<offer>{&offered}, made, options.timeout, channel_));
            offered.joined();
        }
        bool too_late = false;
        {
            const std::lock_guard lock{mutex_};
            too_late = state_ == state::closed;
            if (!too_late) {
                connection_ = made;
                full_ = false;
                ++connects_;
            }
        }
        if (too_late) {
            if (answering) {
                answers_.erase(made.get());
                offered.left();
            }
            return;
        }
        made->open();
    }
    void ready(connection& which) noexcept override {
        if (!which.is_serving()) return;  // Goodbye came along with the preface, and is next.
        {
            const std::lock_guard lock{mutex_};
            if (connection_.get() != &which || state_ != state::connecting) return;
            state_ = state::ready;
        }
        owner_->lane_changed(*this);
    }

    void report(std::string_view kind, const error& why) const noexcept {
        const auto text = why.message();
        const auto where = to_.text();
        place_.where->reports().log({.level = log_level::warning, .kind = kind, .text = text, .where = where});
    }

    void not_connected(const error& why) noexcept {
        // The first of several in a row; and a client that ends while it connects is nothing to warn of.
        if (failures_ == 0 && why != errc::client_closed) report("connect_failed", why);
        {
            const std::lock_guard lock{mutex_};
            if (state_ == state::closed) return;
            state_ = state::backing_off;
            last_error_ = why;
            ++failures_;
            arm(place_.where->now() + owner_->options().reconnect.pause_after(failures_, throw_dice()));
        }
        owner_->lane_changed(*this);
    }
    void shorten_pause() noexcept {
        const std::lock_guard lock{mutex_};
        if (state_ != state::backing_off || !place_.where->disarm(*this)) return;
        failures_ = 1;
        const auto most = static_cast<double>(owner_->options().reconnect.base.count());
        const duration pause{static_cast<duration::rep>(most * throw_dice())};
        // Clients that have lost the same servers should not come back to them as one.
        release();
        arm(std::min(again_, place_.where->now() + pause));
    }
    // With the lock held. Where its executor has ended nothing is connected again.
    void arm(time_point due) noexcept {
        again_ = due;
        add_ref();
        if (!will_fire(*place_.where, *this, due)) release();
    }
    [[nodiscard]] double throw_dice() noexcept { return std::uniform_real_distribution<double>{0.0, 1.0}(dice_); }

    void fire(bool due) noexcept override {
        const auto self = intrusive_ptr<lane>::adopt(this);
        if (!due) return;
        {
            const std::lock_guard lock{mutex_};
            if (state_ != state::backing_off) return;
            state_ = state::connecting;
        }
        connect();
    }

    // Null if nothing is offered.
    [[nodiscard]] answers* answers_of(const connection& over) const noexcept {
        const auto found = answers_.find(&over);
        return found == answers_.end() ? nullptr : found->second.get();
    }
    [[nodiscard]] bool is_way_back(const call& which) const noexcept { return &which.router() != channel_.get(); }

    void bound(connection& from, const event& it) noexcept override {
        if (auto* const answering = answers_of(from)) answering->bound(it);
    }
    void requested(connection& from, event& request) noexcept override {
        if (const intrusive_ptr<answers> answering{answers_of(from)}) return answering->requested(from, request);
        if (auto* machine = from.session(); machine && !request.oneway)
            machine->reply_error(request.id,
                                 error{errc::no_such_method, "this client offers no services", executed::no});
    }
    void cancelled(connection& from, std::uint64_t, void* tag) noexcept override { answers::cancelled(from, tag); }
    void replied(connection& from, intrusive_ptr<call> which, const response& reply) noexcept override {
        if (is_way_back(*which)) return answers_of(from)->replied(*which, reply);
        if (failures_ != 0) {
            const std::lock_guard lock{mutex_};
            failures_ = 0;
        }
        owner_->lane_replied(std::move(which), reply);
    }
    void park(connection& where, intrusive_ptr<call> which) noexcept override {
        if (is_way_back(*which)) return answers::refuse(std::move(which));
        {
            const std::lock_guard lock{mutex_};
            full_ = full_ || connection_.get() == &where;
        }
        owner_->lane_parks(std::move(which));
    }
    void oneways_lost(connection&, std::uint64_t count, const error& why) noexcept override {
        owner_->lane_lost_oneways(*this, count, why);
    }
    void load_told(connection&, std::uint64_t, const load_report& report) noexcept override {
        owner_->lane_told_load(*this, report);
    }
    void alive(connection&, std::uint64_t token, time_point when) noexcept override {
        owner_->lane_alive(*this, token, when);
    }
    bool room(connection& where) noexcept override { return owner_->lane_has_room(*this, where); }

    void leaving(connection& which, const error& why) noexcept override {
        bool refused = false;
        {
            const std::lock_guard lock{mutex_};
            if (connection_.get() != &which || state_ == state::closed) return;
            leaving_.push_back(std::move(connection_));
            refused = state_ != state::ready || is_refusal(which, why);
            // Connected again when a call needs it: a server that stops, or was idle, should not be called back.
            if (!refused) state_ = state::idle;
        }
        if (refused) return not_connected(refusal(why));
        owner_->lane_changed(*this);
    }
    [[nodiscard]] error refusal(const error& why) const noexcept {
        try {
            return {why.code(), to_.text() + " refused the connection: " + why.message(), executed::no};
        } catch (const std::bad_alloc&) {
            return why;
        }
    }
    // The peer has no place for this connection: it answered nothing on it, not because calls were taken back, and
    // should not be asked again at once.
    [[nodiscard]] static bool is_refusal(connection& which, const error& why) noexcept {
        const auto* const machine = which.session();
        if (why != errc::overloaded || !machine || machine->is_open()) return false;
        const auto seen = machine->stats();
        return seen.replies_received + seen.errors_received + seen.cancels_sent == 0;
    }

    void closed(connection& which, const error& why) noexcept override {
        if (const auto answering = answers_.extract(&which)) {
            answering.mapped()->closed();
            owner_->offered().left();
        }
        owner_->lane_counted(which.stats());
        bool was_ready = false;
        {
            const std::lock_guard lock{mutex_};
            std::erase(leaving_, intrusive_ptr<connection>{&which});
            if (connection_.get() != &which) return;
            connection_ = nullptr;
            if (state_ == state::closed) return;
            was_ready = std::exchange(state_, state::connecting) == state::ready;
        }
        if (!was_ready) return not_connected(why);
        report("connection_lost", why);
        // Lost while it worked: connect again at once. Lost before it answered anything: back off.
        if (failures_ == 0) {
            {
                const std::lock_guard lock{mutex_};
                ++failures_;
                last_error_ = why;
            }
            connect();
            return owner_->lane_changed(*this);
        }
        not_connected(why);
    }

    const intrusive_ptr<any_channel> channel_;
    lane_owner* const owner_;
    const endpoint to_;
    const std::uint64_t provider_ = stable_hash(to_);
    const io_place place_;
    intrusive_ptr<connector> connector_;  // Only inside the place's executor, as is the next.
    // Of connections that servers may call back on.
    std::unordered_map<const connection*, intrusive_ptr<answers>> answers_;
    routing_mutex& mutex_;  // Guards what follows.
    state state_ = state::idle;
    intrusive_ptr<connection> connection_;
    std::vector<intrusive_ptr<connection>> leaving_;  // They finish their calls, and get no new ones.
    bool full_ = false;  // Calls wait until the peer has room for them; others go elsewhere, or behind these.
    error last_error_{errc::not_connected, executed::no};
    int failures_ = 0;    // Attempts and connections in a row that came to nothing.
    time_point again_{};  // While it backs off: when the pause ends.
    std::uint64_t connects_ = 0;
    std::minstd_rand dice_{static_cast<std::minstd_rand::result_type>(seed_for(place_))};
};

}  // namespace futon::detail
