// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Work for an Asio executor, also such that must not be lost when its context is destroyed without running it.

#include <futon/core/asio.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/post.hpp>

#include <functional>
#include <utility>

namespace futon::detail {

/// Runs `f` on `where`. Behind one type, so that the compiler
/// makes Asio's part of it once; for what is not done per call.
inline void post_function(const asio::any_io_executor& where, std::function<void()> f) {
    asio::post(where, std::move(f));
}

/// Runs `f` on `where`. If that ends first, runs `otherwise` while its context is destroyed: it must only let go of
/// things, and run no user code.
inline void post_or_else(const asio::any_io_executor& where, std::function<void()> f, std::function<void()> otherwise) {
    struct handler {
        handler(std::function<void()> what, std::function<void()> instead) noexcept
            : f{std::move(what)}, otherwise{std::move(instead)} {}
        handler(handler&& other) noexcept : f{std::move(other.f)}, otherwise{std::exchange(other.otherwise, nullptr)} {}
        handler& operator=(handler&&) = delete;
        ~handler() {
            if (otherwise) otherwise();
        }
        void operator()() {
            otherwise = nullptr;
            f();
        }
        std::function<void()> f;
        std::function<void()> otherwise;
    };
    asio::post(where, handler{std::move(f), std::move(otherwise)});
}

}  // namespace futon::detail
