// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The calls that came in and wait for their answers, by the ids that the peer gave them.

#include <futon/core/time.hpp>
#include <futon/session/detail/id_table.hpp>

#include <cstdint>

namespace futon::detail {

struct incoming_entry {
    std::uint64_t id = 0;
    void* tag = nullptr;
    time_point since{};
    bool cancelled = false;
    bool wants_times = false;
    bool has_streams = false;
};

using incoming_calls = id_table<incoming_entry>;

}  // namespace futon::detail
