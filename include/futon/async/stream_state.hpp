// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Items on their way from a producer to a consumer: the queue behind a stream, local or remote. One thing because all
/// that producer and consumer do turns on the same queue, under one lock.

#include <futon/async/detail/item_ring.hpp>
#include <futon/async/detail/stream_aftermath.hpp>
#include <futon/async/detail/stream_waits.hpp>
#include <futon/async/detail/waiting_list.hpp>
#include <futon/async/future.hpp>
#include <futon/async/stream_source.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/error.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/result.hpp>

#include <cstddef>
#include <limits>
#include <mutex>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

namespace futon::detail {

/// A queue with one producer and one consumer, each on a thread of its own.
///
/// Whoever produces either pushes, and bounds itself by what its source is told was consumed; or sends, and waits
/// while `capacity` items are queued. No continuation runs in any of its functions. Dropped items are destroyed, and
/// the source is told, when no lock is held.
template <class T, class R>
class stream_state final : public stream_core<T, R> {
public:
    static constexpr std::size_t unbounded = std::numeric_limits<std::size_t>::max();

    /// With capacity 0 each item goes from hand to hand.
    explicit stream_state(std::size_t capacity = unbounded) noexcept : capacity_{capacity} {}

    /// Before anybody else can see the stream. Held until it ends or is cancelled.
    void attach_source(intrusive_ptr<stream_source> source) noexcept { source_ = std::move(source); }

    // --- The producer's side

    /// Queues an item, whatever the capacity. False if the stream is over, and the item is dropped. Never blocks.
    bool push(T item, std::size_t cost) noexcept;
    /// As `sink_target` says.
    [[nodiscard]] future<void> send(executor_ref where, T item);
    [[nodiscard]] result<void> try_send(T& item);
    /// The end, after what is queued; false if there was one before. The source is told nothing any more.
    bool end(result<R> with) noexcept;

    // --- The consumer's side

    [[nodiscard]] future<std::optional<T>> next(executor_ref where) override;
    void finish(intrusive_ptr<outcome<R>> into, bool discard) noexcept override;
    void limit(std::size_t count) noexcept override;
    void abort(error why) noexcept override;

private:
    using aftermath = stream_aftermath<T, R>;
    using entry = typename aftermath::entry;

    std::optional<result<void>> place(aftermath& later, T& item);
    void hand_over(aftermath& later, intrusive_ptr<next_state<T>> reader, T&& item, std::size_t cost) noexcept;
    void tell_consumed(aftermath& later, std::size_t cost) noexcept;
    void stop(aftermath& later, error why) noexcept;
    [[nodiscard]] error why_stopped() const noexcept;
    void settle_end(aftermath& later) noexcept;
    result<R> take_end() noexcept;

    const std::size_t capacity_;
    std::mutex mutex_;  // Guards all that follows.
    item_ring<entry> items_;
    std::size_t queued_cost_ = 0;
    waiting_list<next_state<T>> readers_;  // None waits while items are queued.
    waiting_list<send_state<T>> senders_;  // None waits while there is room.
    std::optional<result<R>> end_;         // Nothing comes after what is queued.
    std::size_t left_ = unbounded;         // How many more the consumer wants.
    bool stopped_ = false;                 // It wants no more.
    bool satisfied_ = false;               // It has all that it wanted.
    bool discards_ = false;                // It wants the end only.
    bool end_taken_ = false;
    intrusive_ptr<outcome<R>> finisher_;
    intrusive_ptr<stream_source> source_;
};

template <class T, class R>
bool stream_state<T, R>::push(T item, std::size_t cost) noexcept {
    aftermath later;
    const std::lock_guard lock{mutex_};
    if (end_) return false;
    if (discards_) {
        tell_consumed(later, cost);
    } else if (auto reader = readers_.claim_first()) {
        hand_over(later, std::move(reader), std::move(item), cost);
    } else {
        try {
            items_.push(entry{std::move(item), cost});
            queued_cost_ += cost;
        } catch (...) {
            stop(later, error{errc::resource_exhausted, executed::yes});
            return false;
        }
    }
    return true;
}

template <class T, class R>
future<void> stream_state<T, R>::send(executor_ref where, T item) {
    auto state = make_intrusive<send_state<T>>(std::move(where));
    future<void> made{state};
    aftermath later;
    const std::lock_guard lock{mutex_};
    if (auto placed = place(later, item)) {
        state->complete(*std::move(placed));
    } else {
        state->item.emplace(std::move(item));
        senders_.drop_completed();
        senders_.push(std::move(state));
    }
    return made;
}

template <class T, class R>
result<void> stream_state<T, R>::try_send(T& item) {
    aftermath later;
    const std::lock_guard lock{mutex_};
    auto placed = place(later, item);
    return placed ? *std::move(placed) : result<void>{error{errc::overloaded, executed::no}};
}

// Nothing if there is no room.
template <class T, class R>
std::optional<result<void>> stream_state<T, R>::place(aftermath& later, T& item) {
    if (end_) return stopped_ ? why_stopped() : error{errc::already_satisfied, executed::no};
    if (discards_) {
        later.item.emplace(std::move(item));
    } else if (auto reader = readers_.claim_first()) {
        hand_over(later, std::move(reader), std::move(item), 1);
    } else if (items_.size() < capacity_) {
        items_.push(entry{std::move(item), 1});
        ++queued_cost_;
    } else {
        return std::nullopt;
    }
    return result<void>{};
}

template <class T, class R>
bool stream_state<T, R>::end(result<R> with) noexcept {
    aftermath later;
    const std::lock_guard lock{mutex_};
    if (end_) return false;
    end_.emplace(std::move(with));
    later.source = std::move(source_);
    settle_end(later);
    return true;
}

template <class T, class R>
future<std::optional<T>> stream_state<T, R>::next(executor_ref where) {
    auto state = make_intrusive<next_state<T>>(std::move(where));
    future<std::optional<T>> made{state};
    aftermath later;
    const std::lock_guard lock{mutex_};
    if (!items_.empty()) {
        auto first = items_.pop();
        queued_cost_ -= first.cost;
        if (items_.size() < capacity_) {
            if (auto sender = senders_.claim_first()) {
                items_.push(entry{*std::move(sender->item), 1});
                ++queued_cost_;
                later.accepted.push(std::move(sender));
            }
        }
        static_cast<void>(state->claim());
        hand_over(later, std::move(state), std::move(first.item), first.cost);
    } else if (auto sender = senders_.claim_first()) {
        static_cast<void>(state->claim());
        hand_over(later, std::move(state), *std::move(sender->item), 1);
        later.accepted.push(std::move(sender));
    } else {
        readers_.drop_completed();
        readers_.push(std::move(state));
    }
    settle_end(later);
    return made;
}

template <class T, class R>
void stream_state<T, R>::finish(intrusive_ptr<outcome<R>> into, bool discard) noexcept {
    aftermath later;
    const std::lock_guard lock{mutex_};
    if (finisher_ && !finisher_->claimed()) {
        later.finisher = std::move(into);
        later.final_result.emplace(
            unexpected{error{errc::already_satisfied, "the result of this stream was asked for before"}});
        return;
    }
    std::swap(finisher_, into);
    if (discard) {
        discards_ = true;
        tell_consumed(later, std::exchange(queued_cost_, 0));
        later.dropped = std::move(items_);
        while (auto sender = senders_.claim_first()) later.accepted.push(std::move(sender));
    }
    settle_end(later);
}

template <class T, class R>
void stream_state<T, R>::limit(std::size_t count) noexcept {
    aftermath later;
    const std::lock_guard lock{mutex_};
    if (count >= left_) return;
    left_ = count;
    if (count == 0) {
        satisfied_ = true;
        stop(later, error{errc::cancelled});
    }
}

template <class T, class R>
void stream_state<T, R>::abort(error why) noexcept {
    aftermath later;
    const std::lock_guard lock{mutex_};
    if (stopped_ || (end_ && items_.empty() && senders_.drop_completed())) return;
    stop(later, std::move(why));
}

// To a claimed reader.
template <class T, class R>
void stream_state<T, R>::hand_over(aftermath& later, intrusive_ptr<next_state<T>> reader, T&& item,
                                   std::size_t cost) noexcept {
    later.reader = std::move(reader);
    later.item.emplace(std::move(item));
    tell_consumed(later, cost);
    if (left_ == unbounded || --left_ > 0) return;
    satisfied_ = true;
    stop(later, error{errc::cancelled});
}

template <class T, class R>
void stream_state<T, R>::tell_consumed(aftermath& later, std::size_t cost) noexcept {
    later.source = source_;
    later.consumed = cost;
}

template <class T, class R>
void stream_state<T, R>::stop(aftermath& later, error why) noexcept {
    stopped_ = true;
    if (source_) {
        later.source = std::move(source_);
        later.cancel = why;
    }
    later.dropped = std::move(items_);
    queued_cost_ = 0;
    later.refused = std::move(senders_);
    if (!satisfied_) {
        if (end_) later.replaced.emplace(*std::move(end_));
        end_.emplace(unexpected{std::move(why)});
    } else if (!end_) {
        if constexpr (std::is_void_v<R>) {
            end_.emplace();
        } else {
            end_.emplace(unexpected{std::move(why)});
        }
    }
    later.refusal = why_stopped();
    settle_end(later);
}

// What producers are told. An item that is not wanted was surely not taken; of a call that failed its error says more.
template <class T, class R>
error stream_state<T, R>::why_stopped() const noexcept {
    if (satisfied_ || end_->has_value()) return {errc::cancelled, executed::no};
    const auto& why = end_->error();
    if (why != errc::cancelled) return why;
    try {
        return why.with_executed(executed::no);
    } catch (const std::bad_alloc&) {
        return {errc::cancelled, executed::no};
    }
}

template <class T, class R>
void stream_state<T, R>::settle_end(aftermath& later) noexcept {
    if (!end_ || !items_.empty() || !senders_.drop_completed()) return;
    later.readers = std::move(readers_);
    if (!satisfied_ && !end_->has_value()) later.failed = end_->error();
    // Given up, it leaves the result to who asks next.
    if (!finisher_ || finisher_->claimed()) return;
    later.finisher = std::move(finisher_);
    later.final_result.emplace(take_end());
}

template <class T, class R>
result<R> stream_state<T, R>::take_end() noexcept {
    if (!end_->has_value()) return unexpected{end_->error()};
    if constexpr (std::is_void_v<R>) {
        return {};
    } else {
        if (std::exchange(end_taken_, true)) return unexpected{errc::no_state};
        return *std::move(end_);
    }
}

}  // namespace futon::detail
