// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Where handlers run, as a service or a method says it.

#include <futon/core/executor.hpp>

#include <cstdint>
#include <utility>

namespace futon {

/// The places that a server has of its own.
enum class run_on : std::uint8_t {
    /// On the I/O thread if the handler returns a future, task or awaitable or takes a responder, else on the pool.
    automatic,
    io,    ///< On the connection's I/O thread; the handler must not block.
    pool,  ///< On the server's bounded pool; a full pool answers `overloaded`.
};

/// One of the server's own places, or an executor of the user's.
class run_place {
public:
    run_place(run_on kind = run_on::automatic) noexcept : kind_{kind} {}
    run_place(executor_ref where) noexcept : where_{std::move(where)} {}

    [[nodiscard]] run_on kind() const noexcept { return kind_; }
    [[nodiscard]] const executor_ref& where() const noexcept { return where_; }

private:
    run_on kind_ = run_on::automatic;
    executor_ref where_;
};

}  // namespace futon
