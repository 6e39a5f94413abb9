// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Where coroutines of Asio run; see core/bodies.hpp.

#include <futon/async/awaitable.hpp>
#include <futon/async/context_executor.hpp>

#include <asio/post.hpp>
#include <asio/strand.hpp>

#include <utility>

namespace futon::detail {

template <class AnyExecutor>
AnyExecutor coroutine_executor(const executor_ref& where, context_ptr context) {
    context_executor here{where, std::move(context)};
    if (where->is_serial()) return here;
    return asio::make_strand(here);
}

template <class AnyExecutor>
void running_awaitable<AnyExecutor>::cancel() noexcept {
    try {
        asio::post(where_, [self = intrusive_ptr<running_awaitable>{this}] {
            self->signal_.emit(asio::cancellation_type::terminal);
        });
    } catch (...) {
        // Out of memory: the coroutine runs on.
    }
}

}  // namespace futon::detail
