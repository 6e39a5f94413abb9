// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The producer's end of a stream that goes no further than this process.

#include <futon/async/future.hpp>
#include <futon/async/sink_target.hpp>
#include <futon/async/stream_source.hpp>
#include <futon/async/stream_state.hpp>
#include <futon/core/context.hpp>
#include <futon/core/error.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/result.hpp>

#include <cstddef>
#include <utility>

namespace futon::detail {

/// Tells the sink that the consumer wants no more. Room for senders is the queue's own business.
class local_source final : public stream_source {
public:
    explicit local_source(context_ptr stop) noexcept : stop_{std::move(stop)} {}
    void consumed(std::size_t) noexcept override {}
    void cancel(const error&) noexcept override { stop_->request_stop(); }

private:
    context_ptr stop_;
};

template <class T, class R>
class local_target final : public sink_target<T, R> {
public:
    local_target(intrusive_ptr<stream_state<T, R>> state, context_ptr stop)
        : sink_target<T, R>{stop}, state_{std::move(state)} {
        state_->attach_source(make_intrusive<local_source>(std::move(stop)));
    }
    future<void> send(executor_ref where, T item) override { return state_->send(std::move(where), std::move(item)); }
    result<void> try_send(T& item) override { return state_->try_send(item); }
    void end(result<R> with) noexcept override { state_->end(std::move(with)); }

private:
    intrusive_ptr<stream_state<T, R>> state_;
};

}  // namespace futon::detail
