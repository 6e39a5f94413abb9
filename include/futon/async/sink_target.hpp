// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What stands behind a `sink`: where its items go.

#include <futon/async/future.hpp>
#include <futon/core/context.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/result.hpp>

#include <stop_token>
#include <utility>

namespace futon::detail {

/// A local queue, or a call's outgoing direction.
///
/// Thread-safety: what a sink calls comes from one thread at a time.
template <class T, class R>
class sink_target : public ref_counted {
public:
    /// Queues `item` when there is room. The future is ready then, at once if there is room now; it fails if the item
    /// was not queued because nothing more is wanted, with the reason, or because it was cancelled itself. Its
    /// continuations run on `where`.
    [[nodiscard]] virtual future<void> send(executor_ref where, T item) = 0;
    /// Queues `item` if there is room now. Else `overloaded`, or as `send`, and `item` is as it was.
    [[nodiscard]] virtual result<void> try_send(T& item) = 0;
    /// The end, after all that was sent, also what waits. Nothing is sent after it.
    virtual void end(result<R> with) noexcept = 0;
    /// The sink was dropped and had not ended. A call whose method says how it ends overrides this.
    virtual void dropped() noexcept { end(unexpected{errc::broken_promise}); }

    [[nodiscard]] bool is_cancelled() const noexcept { return stop_->stop_requested(); }
    [[nodiscard]] std::stop_token stop_token() const { return stop_->stop_token(); }

protected:
    /// `stop` is stopped when nothing more is wanted: by the call's own end, or by a cancel.
    explicit sink_target(context_ptr stop) noexcept : stop_{std::move(stop)} {}

private:
    context_ptr stop_;
};

}  // namespace futon::detail
