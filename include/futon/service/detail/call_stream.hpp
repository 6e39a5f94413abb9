// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Both directions of one call's streams, as bytes: what is to be sent waits here for credit, what was consumed until
/// it is worth a frame. One thing because both share a lock, and their turns.

#include <futon/async/future.hpp>
#include <futon/async/make_ready.hpp>
#include <futon/core/bytes.hpp>
#include <futon/core/error.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/recycling.hpp>
#include <futon/core/result.hpp>
#include <futon/core/work.hpp>
#include <futon/message/stream_port.hpp>
#include <futon/service/detail/item_queue.hpp>
#include <futon/wire/frame.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace futon::detail {

/// Producers and consumers call from any thread. What they leave here is fetched by one piece of work at a time in the
/// connection's executor, so that a batch of items costs one wake-up, and items keep their order.
class call_stream : public stream_port, public work, public recycled {
public:
    // --- Outgoing, on any thread

    /// Whether the next item may be put now.
    [[nodiscard]] bool has_room() const noexcept {
        const std::lock_guard lock{mutex_};
        return !over_ && room_ > 0;
    }
    [[nodiscard]] bool is_over() const noexcept {
        const std::lock_guard lock{mutex_};
        return over_;
    }
    /// Leaves an encoded item to be sent, whatever the room; false if the call is over. May throw `std::bad_alloc`.
    bool put(bytes_view body);
    /// Why an item of this size does not travel; nothing if it does.
    [[nodiscard]] std::optional<error> obstacle_to(std::size_t size) const {
        const auto most = carrier_->most_item_bytes();
        if (size <= most) [[likely]]
            return std::nullopt;
        return error{errc::message_too_big,
                     "bytes of an item (limits.max_body_bytes of this side and of the other): " + std::to_string(size) +
                         ", limit " + std::to_string(most),
                     executed::no};
    }
    /// As `sink_target` says.
    [[nodiscard]] future<void> send(executor_ref where, byte_buffer body);
    [[nodiscard]] result<void> try_send(bytes_view body);

    // --- Incoming, on any thread

    /// The consumer took that much; when half of the window has come together, the peer is told.
    void consumed(std::uint64_t cost) noexcept;
    /// The consumer wants no more items.
    virtual void unwanted() noexcept = 0;

    // --- From the connection, inside its executor

    void accepted(item_carrier& over, stream_key which) noexcept override {
        attach(over, which, 0);
        flush();
    }
    void may_send() noexcept override { flush(); }
    void items_ended() noexcept override {}
    inline void close(const error& why) noexcept override;
    void run(bool accepted) noexcept override {
        const auto keep = intrusive_ptr<call_stream>::adopt(this);
        if (!accepted) return close(error{errc::connection_lost});
        {
            const std::lock_guard lock{mutex_};
            awake_ = false;
        }
        flush();
    }

protected:
    /// There is room for more. Inside the connection's executor, as are the two that follow.
    virtual void room() noexcept {}
    /// Before anything is sent: an incoming call is accepted here. False: the call is over.
    virtual bool take_up() noexcept { return true; }
    /// All that was put is sent, and `finish()` was called.
    virtual void all_sent() noexcept {}
    /// An item is larger than the peer takes.
    virtual void oversized(error why) noexcept = 0;
    /// The connection does not know the call any more, whose end is on its way here at the latest.
    virtual void gone() noexcept { close(error{errc::cancelled}); }
    /// What producers and consumers are told where the call ended for `why`. May throw `std::bad_alloc`.
    [[nodiscard]] virtual error told(const error& why) const = 0;
    /// The call is over, for a reason as `told`. On any thread, once.
    virtual void closed(const error& why) noexcept = 0;

    /// Before it is used otherwise. `window`: what is known already that the peer takes.
    void attach(item_carrier& over, stream_key which, std::uint64_t window) noexcept {
        const std::lock_guard lock{mutex_};
        carrier_ = intrusive_ptr<item_carrier>{&over};
        key_ = which;
        grant_at_ = std::max<std::uint64_t>(over.window() / 2, 1);
        room_ = static_cast<std::int64_t>(std::min(window, over.window()));
    }
    /// What the peer may send at first, where `take_up` decides that.
    void may_receive(std::uint64_t granted) noexcept { grant_at_.store(std::max<std::uint64_t>(granted / 2, 1)); }
    /// Nothing more is put. False if the call is over.
    bool finish() noexcept {
        {
            const std::lock_guard lock{mutex_};
            if (over_) return false;
            finishing_ = true;
        }
        wake();
        return true;
    }
    /// Takes an incoming call, as soon as its handler begins.
    void begin() noexcept { inside(carrier_->where()) ? flush() : wake(); }
    /// Sees that `flush` runs in the connection's executor.
    void wake() noexcept;
    [[nodiscard]] item_carrier& carrier() const noexcept { return *carrier_; }
    [[nodiscard]] stream_key key() const noexcept { return key_; }

    mutable std::mutex mutex_;

private:
    // A send that found no room, with its item.
    struct waiting_send final : future_state<void> {
        waiting_send(executor_ref where, byte_buffer what)
            : future_state<void>{std::move(where)}, body{std::move(what)} {}
        using future_state<void>::publish;
        byte_buffer body;
        void give_up() noexcept override { complete(unexpected{error{errc::cancelled, executed::no}}); }
    };

    void flush() noexcept;
    [[nodiscard]] bool send_some(std::int64_t& sent) noexcept;
    void append(bytes_view body) {
        outbox_.push(body);
        const auto cost = static_cast<std::int64_t>(item_cost(body.size()));
        room_ -= cost;
        pending_ += cost;
    }

    // Guarded by the mutex.
    item_queue outbox_;
    std::int64_t room_ = 0;     // What may be put before anybody has to wait.
    std::int64_t pending_ = 0;  // What was put and not sent.
    std::uint64_t owed_ = 0;    // What was consumed and the peer not told.
    std::atomic<std::uint64_t> grant_at_{1};
    std::vector<intrusive_ptr<waiting_send>> waiting_;  // As a rule one.
    bool awake_ = false;  // `run` is queued, or `flush` runs and looks again before it ends.
    bool finishing_ = false;
    bool over_ = false;
    error over_why_{errc::cancelled, executed::no};  // As told.
    intrusive_ptr<item_carrier> carrier_;            // Set once.
    stream_key key_;

    // Only inside the connection's executor.
    item_queue sending_;
    bool finished_ = false;
};

inline bool call_stream::put(bytes_view body) {
    {
        const std::lock_guard lock{mutex_};
        if (over_) return false;
        append(body);
    }
    wake();
    return true;
}

inline future<void> call_stream::send(executor_ref where, byte_buffer body) {
    {
        std::unique_lock lock{mutex_};
        if (over_ || finishing_) {
            auto why = over_why_;
            lock.unlock();
            return make_failed<void>(std::move(where), std::move(why));
        }
        if (room_ <= 0 || !waiting_.empty()) {
            auto state = make_intrusive<waiting_send>(std::move(where), std::move(body));
            while (!waiting_.empty() && waiting_.front()->claimed()) waiting_.erase(waiting_.begin());
            waiting_.push_back(state);
            return future<void>{std::move(state)};
        }
        append(body.view());
    }
    wake();
    return make_ready(std::move(where));
}

inline result<void> call_stream::try_send(bytes_view body) {
    {
        const std::lock_guard lock{mutex_};
        if (over_ || finishing_) return over_why_;
        if (room_ <= 0 || !waiting_.empty()) return error{errc::overloaded, executed::no};
        append(body);
    }
    wake();
    return {};
}

inline void call_stream::consumed(std::uint64_t cost) noexcept {
    {
        const std::lock_guard lock{mutex_};
        owed_ += cost;
        if (over_ || owed_ < grant_at_) return;
    }
    wake();
}

inline void call_stream::wake() noexcept {
    {
        const std::lock_guard lock{mutex_};
        if (!carrier_ || std::exchange(awake_, true)) return;
    }
    add_ref();
    schedule(carrier_->where(), *this);
}

// False: the rest has to wait.
inline bool call_stream::send_some(std::int64_t& sent) noexcept {
    while (!sending_.empty()) {
        const auto body = sending_.front();
        if (auto why = obstacle_to(body.size())) {
            oversized(why->with_executed(executed::yes));
            return false;
        }
        const auto fate = carrier_->send_item(key_, *this, body);
        if (fate == item_fate::gone) gone();
        if (fate != item_fate::sent) return false;
        sent += static_cast<std::int64_t>(item_cost(body.size()));
        sending_.pop();
    }
    return true;
}

inline void call_stream::flush() noexcept {
    const intrusive_ptr<call_stream> keep{this};
    {
        const std::lock_guard lock{mutex_};
        if (!carrier_ || over_ || std::exchange(awake_, true)) return;
    }
    if (!take_up()) return close(error{errc::cancelled});
    bool last = false;
    for (bool again = true; again;) {
        std::uint64_t owed = 0;
        {
            const std::lock_guard lock{mutex_};
            if (owed_ >= grant_at_) owed = std::exchange(owed_, 0);
            if (sending_.empty()) sending_.swap(outbox_);
        }
        if (owed > 0) carrier_->grant(key_, owed);
        std::int64_t sent = 0;
        const bool all = send_some(sent);
        const auto credit = carrier_->credit(key_, *this);
        std::vector<intrusive_ptr<waiting_send>> served;
        bool has_room = false;
        {
            const std::lock_guard lock{mutex_};
            if (over_) return;
            pending_ -= sent;
            room_ = credit - pending_;
            try {
                while (!waiting_.empty() && room_ > 0) {
                    // What can fail comes before the claim.
                    outbox_.make_room(waiting_.front()->body.size());
                    served.reserve(served.size() + 1);
                    const auto first = std::move(waiting_.front());
                    waiting_.erase(waiting_.begin());
                    if (!first->claim()) continue;
                    append(first->body.view());
                    served.push_back(first);
                }
            } catch (const std::bad_alloc&) {  // The rest waits for the next turn.
            }
            has_room = room_ > 0;
        }
        for (auto& each : served) each->publish({});
        if (has_room) room();
        {
            const std::lock_guard lock{mutex_};
            if (over_) return;
            const bool empty = outbox_.empty() && sending_.empty();
            again = (all && !empty) || owed_ >= grant_at_;
            if (again) continue;
            awake_ = false;
            last = finishing_ && empty && waiting_.empty() && !std::exchange(finished_, true);
        }
    }
    sending_.shrink();
    if (last) all_sent();
}

inline void call_stream::close(const error& why) noexcept {
    auto reason = why;
    try {
        reason = told(why);
    } catch (const std::bad_alloc&) {  // The code must do.
    }
    std::vector<intrusive_ptr<waiting_send>> refused;
    {
        const std::lock_guard lock{mutex_};
        if (std::exchange(over_, true)) return;
        over_why_ = reason;
        refused.swap(waiting_);
        outbox_.clear();
    }
    for (const auto& each : refused) each->complete(unexpected{reason});
    closed(reason);
}

}  // namespace futon::detail
