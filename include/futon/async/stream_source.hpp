// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What stands behind a `stream`: what it pulls from, and who is told how far the consumer has come.

#include <futon/async/detail/flatten.hpp>
#include <futon/async/future.hpp>
#include <futon/async/outcome.hpp>
#include <futon/async/stream_fwd.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/error.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/operation.hpp>
#include <futon/core/result.hpp>

#include <cstddef>
#include <optional>
#include <utility>

namespace futon::detail {

/// Where the items of a `stream_state` come from, e.g. a call on a connection.
///
/// Neither function may block or call back into the stream. Both come from any thread, `consumed` also from
/// several at once, and never while a lock of the stream is held.
class stream_source : public ref_counted {
public:
    /// The consumer took items of that cost, so that as much more may be pushed. Batching is the source's business.
    virtual void consumed(std::size_t cost) noexcept = 0;
    /// Nothing more is wanted. At most once, not after the source
    /// itself ended the stream; what it still pushes is dropped.
    virtual void cancel(const error& why) noexcept = 0;
};

/// What a `stream<T, R>` holds: pulls items from somewhere.
///
/// Thread-safety: one thread at a time, but `cancel` and `abort` are safe.
template <class T, class R>
class stream_core : public cancellable {
public:
    /// A future of the next item; of nothing at the end; of the error that ended the stream. Its continuations run
    /// on `where`. Several may be under way: they get the items in the order of the calls. Cancelling it gives up
    /// the wait and loses no item.
    [[nodiscard]] virtual future<std::optional<T>> next(executor_ref where) = 0;
    /// Completes `into` with the final result, when all items were taken; `discard` drops them instead.
    virtual void finish(intrusive_ptr<outcome<R>> into, bool discard) noexcept = 0;
    /// Ends cleanly after `count` more items.
    virtual void limit(std::size_t count) noexcept = 0;
    /// Drops what is queued and ends with `why`; the source is told. Does nothing after the end was seen.
    virtual void abort(error why) noexcept = 0;

    void cancel() noexcept final {
        cancel_walk walk;
        walk.run(*this);
    }
    void cancel_step(cancel_walk&) noexcept override { abort(error{errc::cancelled}); }
};

/// The state of a future that is waited for; one that has failed where the future is empty.
template <class V>
[[nodiscard]] intrusive_ptr<future_state<V>> state_of(future<V> awaited) {
    auto state = future_access::take(awaited);
    if (state) return state;
    state = make_intrusive<future_state<V>>(executor_ref{});
    state->complete(unexpected{errc::no_state});
    return state;
}

/// For who moves items on without a `stream`.
struct stream_access {
    /// `from` is empty afterwards, and its end is the caller's to bring about.
    template <class T, class R>
    [[nodiscard]] static intrusive_ptr<stream_core<T, R>> take(stream<T, R>& from) noexcept {
        return std::move(from.core_);
    }
    /// Null where `from` is empty.
    template <class T, class R>
    [[nodiscard]] static intrusive_ptr<stream_core<T, R>> core_of(const stream<T, R>& from) noexcept {
        return from.core_;
    }
};

}  // namespace futon::detail
