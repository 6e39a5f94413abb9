// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// futon as one of the sides: an echo of texts and a sum of numbers, called in each way there is.
///
/// futon itself is included by futon_side.cpp alone, so that it is compiled once for all benchmarks.

#include "open_caller.hpp"
#include "side.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace benchmark {

/// How the client learns of a reply and makes the next call.
enum class ending {
    callback,       ///< In its callback.
    future,         ///< In the one continuation of its future.
    stages,         ///< The same with three stages more.
    waited_future,  ///< An application thread that waits for the oldest of its futures.
    task,           ///< A `futon::task` for each call in flight.
    awaitable,      ///< An `asio::awaitable` for each, on an `io_context` that is shared with the client.
    batches,        ///< On the I/O thread: four batches, each sent whole once `when_all` of its calls has come.
    threads,        ///< The same from four application threads, which wait.
};

/// What is called.
enum class method {
    echo,  ///< `std::string echo(std::string_view)`.
    add,   ///< `int add(int, int)`: nothing in the values that needs memory.
};

struct server_settings {
    /// The handler runs where plain-value handlers run by default, instead of on the I/O thread.
    bool on_pool = false;
    std::size_t io_threads = 1;
    std::size_t connections = 256;  ///< Most that are taken from one address.
};

[[nodiscard]] side futon_side(ending how, method what = method::echo, const server_settings& settings = {});

/// See open_caller.hpp.
[[nodiscard]] std::unique_ptr<open_caller> open_futon(std::uint16_t port, const load& of, arrival arrived);

}  // namespace benchmark
