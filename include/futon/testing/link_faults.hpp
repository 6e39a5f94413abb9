// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What can be wrong with a connection in memory.

#include <futon/core/time.hpp>

#include <cstddef>
#include <limits>

namespace futon::testing {

/// What goes wrong with the bytes of one direction. The defaults: nothing.
///
/// As with TCP, bytes are late, held back or cut off, but never reordered and never lost from the middle.
struct link_faults {
    static constexpr std::size_t never = std::numeric_limits<std::size_t>::max();

    /// From writer to reader; connecting takes two of them, and the preface of who accepts a third.
    duration delay{};
    duration jitter{};                    ///< Up to this much more for each piece, by the network's seed.
    std::size_t slice = never;            ///< Most bytes that one read or one write moves.
    std::size_t most_buffered = never;    ///< Bytes that may stand between writer and reader, as in a socket's buffers.
    std::size_t cut_after_bytes = never;  ///< The connection breaks, both ways, once so many bytes of it were written.
    /// Silence: nothing arrives, and connecting gets no answer.
    /// Ends when this is set anew: then what was held back comes.
    bool drop = false;
    bool refuse = false;     ///< Connecting fails at once. Connections that are there stay.
    double drop_chance = 0;  ///< Of each piece written, from 0 to 1: silence begins with it.
    double cut_chance = 0;   ///< Of each piece written, from 0 to 1: the connection breaks behind it.
};

/// Of a connection, as its client and its server see it.
enum class link_direction { both, to_server, to_client };

}  // namespace futon::testing
