// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The producer's end of a stream.

#include <futon/async/future.hpp>
#include <futon/async/make_ready.hpp>
#include <futon/async/sink_target.hpp>
#include <futon/async/stream_fwd.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/error.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/result.hpp>

#include <stop_token>
#include <type_traits>
#include <utility>

namespace futon {

/// Sends items of type `T`, then ends the stream: with `close()` or with an error.
///
/// Dropped without an end, the consumer of a local stream gets `broken_promise` after the items; what a method's
/// sink does then, the method's own result says.
/// An empty sink (default-made, moved-from) answers `no_state`.
/// Thread-safety: one thread at a time; the consumer has another.
template <class T, class R>
class [[nodiscard]] sink {
    static_assert(!std::is_reference_v<T> && !std::is_void_v<T>, "futon::sink sends values");

public:
    using value_type = T;

    sink() = default;
    /// For producers of streams. `where` is the executor of the futures that `send` returns.
    explicit sink(detail::intrusive_ptr<detail::sink_target<T, R>> target, executor_ref where) noexcept
        : target_{std::move(target)}, where_{std::move(where)} {}
    sink(sink&& other) noexcept
        : target_{std::move(other.target_)}, where_{std::move(other.where_)}, ended_{other.ended_} {}
    sink& operator=(sink&& other) noexcept {
        sink moved{std::move(other)};
        std::swap(target_, moved.target_);
        std::swap(where_, moved.where_);
        std::swap(ended_, moved.ended_);
        return *this;
    }
    ~sink() {
        if (target_ && !ended_) target_->dropped();
    }

    /// Queues `item`. The future is ready when it is queued: at once while there is room, else when the consumer has
    /// made room. Wait for it before the next one, or what waits has no bound.
    ///
    /// Cancelling the future withdraws an item that waits yet.
    /// Errors, where the item was not queued: `cancelled` when the consumer wants no more; the error of the call where
    /// the stream was given to one that failed; in a handler `cancelled`, saying why, when the call is over, and
    /// `message_too_big` for an item past `limits.max_body_bytes`, after which it may go on with others;
    /// `already_satisfied` after the end.
    [[nodiscard]] future<void> send(T item) {
        if (!target_) return make_failed<void>(where_, error{errc::no_state});
        if (ended_) return make_failed<void>(where_, after_end());
        return target_->send(where_, std::move(item));
    }
    /// Queues `item` only if there is room now.
    ///
    /// Errors: `overloaded` if there is none, and as for `send`. The item is moved from only on success.
    result<void> try_send(T&& item) {
        if (!target_) return errc::no_state;
        if (ended_) return after_end();
        return target_->try_send(item);
    }
    result<void> try_send(const T& item)
        requires std::is_copy_constructible_v<T>
    {
        return try_send(T(item));
    }

    /// Ends the stream: the consumer gets what was sent, also what waits, and then the end.
    void close()
        requires std::is_void_v<R>
    {
        end({});
    }
    /// Ends the stream with its final result.
    template <class V = R>
        requires(!std::is_void_v<R> && std::is_constructible_v<R, V>)
    void close(V&& with) {
        end(result<R>{std::in_place, std::forward<V>(with)});
    }
    /// Ends the stream with an error, which the consumer gets after the items.
    void fail(error why) { end(unexpected{std::move(why)}); }

    /// Whether nothing more is wanted, so that the work can stop.
    [[nodiscard]] bool is_cancelled() const noexcept { return target_ && target_->is_cancelled(); }
    /// Stopped at the same moment, by the thread that cancels.
    [[nodiscard]] std::stop_token stop_token() const { return target_ ? target_->stop_token() : std::stop_token{}; }

    /// Whether it has a stream and has not ended it.
    [[nodiscard]] bool is_open() const noexcept { return target_ && !ended_; }
    /// Where continuations of `send` run.
    [[nodiscard]] const executor_ref& executor() const noexcept { return where_; }
    /// The same sink with another executor for what `send` returns.
    sink on(executor_ref where) && {
        where_ = std::move(where);
        return std::move(*this);
    }

private:
    void end(result<R> with) {
        if (!target_ || std::exchange(ended_, true)) return;
        target_->end(std::move(with));
    }
    static error after_end() { return {errc::already_satisfied, "this sink has ended its stream", executed::no}; }

    detail::intrusive_ptr<detail::sink_target<T, R>> target_;
    executor_ref where_;
    bool ended_ = false;
};

}  // namespace futon
