// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Items that come one after another: to await, to loop over, to transform, to cancel.

#include <futon/async/cancel_handle.hpp>
#include <futon/async/detail/mapped_stream.hpp>
#include <futon/async/detail/stream_collect.hpp>
#include <futon/async/detail/stream_for_each.hpp>
#include <futon/async/future.hpp>
#include <futon/async/make_ready.hpp>
#include <futon/async/stream_fwd.hpp>
#include <futon/async/stream_source.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/error.hpp>
#include <futon/core/executor.hpp>

#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace futon {

/// The consumer's end of a sequence of items, which ends with a final result `R` or with an error.
///
/// The producer may be far ahead of the consumer only by what fits between them: whoever takes no items makes it wait.
/// Items come in order; those that were queued before an error come before it.
/// Dropping a stream cancels it: what is queued is dropped at once, and the producer is told.
/// An empty stream (default-made, moved-from) answers `no_state`.
/// Thread-safety: one thread at a time; the producer has another; `get_cancel_handle()` is for any.
template <class T, class R>
class [[nodiscard]] stream {
    static_assert(!std::is_reference_v<T> && !std::is_void_v<T>, "futon::stream carries values");

public:
    using value_type = T;
    using result_type = R;

    stream() = default;
    /// For producers of streams. `where` is the executor of the futures that the stream makes.
    explicit stream(detail::intrusive_ptr<detail::stream_core<T, R>> core, executor_ref where) noexcept
        : core_{std::move(core)}, where_{std::move(where)} {}
    stream(stream&&) noexcept = default;
    stream& operator=(stream&& other) noexcept {
        stream moved{std::move(other)};
        std::swap(core_, moved.core_);
        std::swap(where_, moved.where_);
        return *this;
    }
    ~stream() { cancel(); }

    /// The next item; nothing at the end, and ever after; or the error that ended the stream, ever after.
    ///
    /// `while (auto item = co_await s.next())`. Several may be under way, and get the items in the order of the calls.
    /// Cancelling the future, also by its `timeout()`, gives up the wait and leaves the stream as it is. An item that
    /// had been taken for it by then goes where the future's value goes.
    [[nodiscard]] future<std::optional<T>> next() {
        if (!core_) return make_failed<std::optional<T>>(where_, error{errc::no_state});
        return core_->next(where_);
    }
    /// The same with any completion token, e.g. `futon::use_awaitable`.
    template <class Token>
    auto next(Token&& token) {
        return next()(std::forward<Token>(token));
    }

    /// The final result, once all items were taken. To be asked for once, unless it is void.
    [[nodiscard]] future<R> result() & {
        if (!core_) return make_failed<R>(where_, error{errc::no_state});
        auto state = detail::make_intrusive<detail::future_state<R>>(where_);
        core_->finish(state, false);
        return future<R>{std::move(state)};
    }
    /// The same without the items: those not taken are dropped as they come. Cancelling the future cancels the stream.
    [[nodiscard]] future<R> result() && {
        if (!core_) return make_failed<R>(where_, error{errc::no_state});
        auto state = detail::make_intrusive<detail::future_state<R>>(where_);
        const auto core = std::move(core_);
        state->attach_source(core);
        core->finish(state, true);
        return future<R>{std::move(state)};
    }

    /// Calls `f(item)` for each item in order, on the stream's executor and in the context of this call, with at most
    /// `limit` (0 counts as 1) calls unfinished: where `f` returns a `future` or a coroutine, its end is awaited.
    ///
    /// Yields the final result, when all calls have ended. The first failure, of a call or of the stream, is the
    /// result at once, and cancels the stream and the other calls; so does cancelling the future. Dropping the future
    /// does not: the loop goes on.
    template <class F>
    [[nodiscard]] future<R> for_each(std::size_t limit, F&& f) && {
        static_assert(std::is_invocable_v<std::decay_t<F>&, T>,
                      "futon: the callable given to for_each() must take an item");
        if (!core_) return make_failed<R>(where_, error{errc::no_state});
        auto state = detail::make_intrusive<detail::for_each_state<T, R, std::decay_t<F>>>(where_, core_, limit,
                                                                                           std::forward<F>(f));
        state->begin();
        core_ = nullptr;
        return future<R>{std::move(state)};
    }
    /// One after another.
    template <class F>
    [[nodiscard]] future<R> for_each(F&& f) && {
        return std::move(*this).for_each(1, std::forward<F>(f));
    }

    /// The items as `f(item)` makes them: a value, a `result`, a `future` or a coroutine.
    ///
    /// `f` is called when an item is asked for, on the executor that this stream has
    /// now; not twice at once unless several `next()` are under way. When it fails,
    /// that item's `next()` and all later ones fail, and the producer is cancelled.
    template <class F>
    [[nodiscard]] auto map(F&& f) && {
        static_assert(std::is_invocable_v<std::decay_t<F>&, T>, "futon: the callable given to map() must take an item");
        using mapped = detail::mapped_stream<T, R, std::decay_t<F>>;
        using made = stream<detail::mapped_to<std::decay_t<F>, T>, R>;
        if (!core_) return made{nullptr, where_};
        auto core = detail::make_intrusive<mapped>(core_, where_, std::forward<F>(f));
        core_ = nullptr;
        return made{std::move(core), where_};
    }

    /// All items, once the stream has ended. With more than `at_most` it fails with `resource_exhausted` and cancels
    /// the stream: `take(n).collect(n)` is for who wants the first `n`. A final result is dropped.
    [[nodiscard]] future<std::vector<T>> collect(std::size_t at_most) && {
        if (!core_) return make_failed<std::vector<T>>(where_, error{errc::no_state});
        auto state = detail::make_intrusive<detail::collect_state<T, R>>(where_, std::move(core_), at_most);
        state->begin();
        return future<std::vector<T>>{std::move(state)};
    }

    /// At most `count` more items, then the end; the producer is cancelled when the last of them is taken.
    ///
    /// A final result that had not come by then is `cancelled`, unless it is void.
    stream take(std::size_t count) && {
        if (core_) core_->limit(count);
        return std::move(*this);
    }
    /// The same stream, whose futures' continuations and callables run on `where`.
    stream on(executor_ref where) && {
        where_ = std::move(where);
        return std::move(*this);
    }

    /// Drops what is queued and tells the producer; what waits and every later `next()` is `cancelled`. Nothing happens
    /// to a stream that has been read to its end.
    void cancel() noexcept {
        if (core_) core_->cancel();
    }
    /// To cancel it later or from another thread, whatever it was moved into.
    [[nodiscard]] cancel_handle get_cancel_handle() const noexcept { return cancel_handle{core_}; }

    [[nodiscard]] bool valid() const noexcept { return static_cast<bool>(core_); }
    /// Where continuations run unless they say otherwise; null if nowhere.
    [[nodiscard]] const executor_ref& executor() const noexcept { return where_; }

private:
    friend struct detail::stream_access;

    detail::intrusive_ptr<detail::stream_core<T, R>> core_;
    executor_ref where_;
};

}  // namespace futon
