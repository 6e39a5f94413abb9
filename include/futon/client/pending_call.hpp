// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A call that is under way, for people who look for one that hangs.

#include <futon/core/time.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <source_location>
#include <string>
#include <string_view>

namespace futon {

/// As of the moment when it was looked at; see `client::pending_calls`.
struct pending_call {
    enum class state : std::uint8_t {
        queued,   ///< It waits for a connection, or for the peer to take more calls.
        pausing,  ///< An attempt failed; the next one begins after a pause.
        sent,     ///< The peer has it.
    };

    std::string method;  ///< "service.method".
    std::string peer;    ///< Where it was sent; empty unless it is `sent`.
    state where = state::queued;
    int attempts = 0;  ///< Begun so far, the current one included.
    duration age{};    ///< Since the caller made it.
    /// Until its deadline, negative if that has just passed; `duration::max()` if it has none.
    duration time_left{};
    /// What will receive the result: "a future that nobody waits for", "a stage", "a task", ...
    std::string_view waited_by;
    std::source_location stub_made_at;  ///< Where its stub was made, by `client::stub` or by `with`.

    /// One line: "Greeter.greet at tcp://127.0.0.1:12200: sent, attempt 1, 1.250 s old, 1.750 s left, for a stage or a
    /// task, by the stub of main.cpp:12".
    [[nodiscard]] std::string describe() const {
        const auto seconds = [](duration span) {
            char text[32];
            std::snprintf(text, sizeof text, "%.3f s", std::chrono::duration<double>(span).count());
            return std::string{text};
        };
        std::string line = method;
        if (!peer.empty()) line += " at " + peer;
        line += where == state::sent ? ": sent" : where == state::pausing ? ": pausing" : ": queued";
        line += ", attempt " + std::to_string(attempts) + ", " + seconds(age) + " old, ";
        line += time_left == duration::max() ? "no deadline" : seconds(time_left) + " left";
        line.append(", for ").append(waited_by);
        if (stub_made_at.line() != 0) {
            const std::string_view file = stub_made_at.file_name();
            line.append(", by the stub of ")
                .append(file.substr(file.rfind('/') + 1))
                .append(":")
                .append(std::to_string(stub_made_at.line()));
        }
        return line;
    }
};

}  // namespace futon
