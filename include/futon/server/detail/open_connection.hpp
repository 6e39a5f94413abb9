// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The beginning of a connection that was accepted.

#include <futon/core/executor.hpp>
#include <futon/core/intrusive_ptr.hpp>
#include <futon/transport/connection.hpp>
#include <futon/transport/post_function.hpp>

#include <new>
#include <utility>

namespace futon::detail {

/// Opens it inside its executor, after `prepare()`. It ends instead where there is no memory for that, or the executor
/// has ended.
template <class F>
void open_connection(const intrusive_ptr<connection>& which, F prepare) {
    const auto begin = [which, prepare = std::move(prepare)] {
        const running_scope scope{which->where()};
        try {
            prepare();
        } catch (const std::bad_alloc&) {
            return which->on_dropped();
        }
        which->open();
    };
    try {
        post_or_else(which->place().asio, begin, [which] { which->on_dropped(); });
    } catch (...) {
        which->on_dropped();
        throw;
    }
}

}  // namespace futon::detail
