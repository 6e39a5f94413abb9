// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Where sockets and timers live, and who runs that where it is no thread of futon's.

#include <futon/core/asio.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/runtime_options.hpp>

#include <asio/any_io_executor.hpp>

#include <functional>

namespace futon::detail {

/// An executor on which sockets can live, with the Asio executor to make them with.
struct io_place {
    executor_ref where;
    asio::any_io_executor asio;
    network_ref network{};    ///< A `detail::network` in transport, held by its base.
    bool has_sockets = true;  ///< False in a simulation.
};

/// Runs the places of a runtime that has no threads, when it is told to: a simulation.
class driver : public ref_counted {
public:
    [[nodiscard]] virtual io_place next_place() = 0;
    /// Stands for the pool of handlers.
    [[nodiscard]] virtual executor_ref pool() const noexcept = 0;
    /// Runs what is ready until `done()`, where others wait for their threads to come so far. Not inside an executor.
    virtual void run_ready_until(const std::function<bool()>& done) noexcept = 0;
};

}  // namespace futon::detail
