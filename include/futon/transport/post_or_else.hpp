// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Work for an Asio executor that must not be lost when its context is destroyed without running it.

#include <futon/core/asio.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/post.hpp>

#include <optional>
#include <type_traits>
#include <utility>

namespace futon::detail {

/// Runs `f` on `where`. If that ends first, runs `otherwise` while its context is destroyed: it must only let go of
/// things, and run no user code.
template <class F, class Otherwise>
void post_or_else(const asio::any_io_executor& where, F f, Otherwise otherwise) {
    struct handler {
        handler(F what, Otherwise instead) : f{std::move(what)}, otherwise{std::in_place, std::move(instead)} {}
        handler(handler&& other) noexcept(std::is_nothrow_move_constructible_v<F> && std::is_nothrow_move_constructible_v<Otherwise>)
            : f{std::move(other.f)}, otherwise{std::move(other.otherwise)} {
            other.otherwise.reset();
        }
        handler& operator=(handler&&) = delete;
        ~handler() {
            if (otherwise) (*otherwise)();
        }
        void operator()() {
            otherwise.reset();
            f();
        }
        F f;
        std::optional<Otherwise> otherwise;
    };
    asio::post(where, handler{std::move(f), std::move(otherwise)});
}

}  // namespace futon::detail
