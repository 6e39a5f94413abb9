// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A stream within this process, by both its ends.

#include <futon/async/detail/local_stream.hpp>
#include <futon/async/sink.hpp>
#include <futon/async/stream.hpp>
#include <futon/async/stream_state.hpp>
#include <futon/core/context.hpp>
#include <futon/core/executor.hpp>

#include <cstddef>
#include <utility>

namespace futon {

/// For `auto [out, in] = futon::make_stream<int>(16);`.
template <class T, class R = void>
struct stream_ends {
    sink<T, R> out;   ///< What is sent here
    stream<T, R> in;  ///< comes out here.
};

/// A queue of at most `capacity` items; with 0 each goes from hand to hand. Continuations of both ends run on `where`.
template <class T, class R = void>
[[nodiscard]] stream_ends<T, R> make_stream(executor_ref where, std::size_t capacity) {
    auto state = detail::make_intrusive<detail::stream_state<T, R>>(capacity);
    auto target = detail::make_intrusive<detail::local_target<T, R>>(state, detail::make_intrusive<context>());
    return {sink<T, R>{std::move(target), where}, stream<T, R>{std::move(state), where}};
}
/// On the executor that this thread is inside of; with none, continuations fail with `no_executor`.
template <class T, class R = void>
[[nodiscard]] stream_ends<T, R> make_stream(std::size_t capacity) {
    return make_stream<T, R>(current_executor(), capacity);
}

}  // namespace futon
