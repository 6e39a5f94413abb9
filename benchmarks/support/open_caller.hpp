// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A client for calls at times of the benchmark's choosing, whether earlier ones are answered or not.

#include "side.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace benchmark {

/// A client that makes calls when it is told to, on its only I/O thread.
class open_caller {
public:
    open_caller() = default;
    open_caller(const open_caller&) = delete;
    open_caller& operator=(const open_caller&) = delete;
    virtual ~open_caller() = default;
    /// Runs `turn` on the I/O thread again and again, between looks at the sockets, until the process ends. The calls
    /// that it makes leave with the end of the turn.
    virtual void repeat(std::function<void()> turn) = 0;
    /// From within a turn: makes a call that carries this number.
    virtual void call(std::uint64_t number) = 0;
};
/// What happens, on the I/O thread, when the reply to a call has come; nothing if the call failed.
using arrival = std::function<void(std::optional<std::uint64_t> number)>;

/// Of the raw Asio echo of floor.hpp.
[[nodiscard]] std::unique_ptr<open_caller> open_floor(std::uint16_t port, const load& of, arrival arrived);

}  // namespace benchmark
