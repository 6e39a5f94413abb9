// SPDX-License-Identifier: Apache-2.0
#include <futon/wire/limits.hpp>

#include <doctest/doctest.h>

#include <type_traits>

namespace {

using namespace std::chrono_literals;

TEST_CASE("limits: the defaults are those of the documentation") {
    const futon::limits limits;
    CHECK(limits.max_body_bytes == 8 * 1024 * 1024);
    CHECK(limits.max_metadata_bytes == 16 * 1024);
    CHECK(limits.max_metadata_entries == 64);
    CHECK(limits.complexity.max_depth == 32);
    CHECK(limits.complexity.max_nodes == 262'144);
    CHECK(limits.max_in_flight == 8192);
    CHECK(limits.max_streams == 16'384);
    CHECK(limits.max_stream_bytes == 64u << 20);
    CHECK(limits.stream_window == 64 * 1024);
    CHECK(limits.max_binds == 4096);
    CHECK(limits.first_header_time == 5s);
    CHECK(limits.heartbeat_after == 15s);
    CHECK(limits.heartbeat_timeout == 5s);
    CHECK(limits.idle_close == 90s);
    CHECK(limits.write_pause_bytes == 1024 * 1024);
    CHECK(limits.max_write_bytes == 8 * 1024 * 1024);
    CHECK(limits.max_unsent_answer_bytes == 64 * 1024 * 1024);
    CHECK(limits.write_stall_time == 10s);
    CHECK(limits.max_queued_calls == 16'384);
    CHECK(limits.max_queued_bytes == 64 * 1024 * 1024);
    CHECK(limits.max_server_in_flight == 65'536);
    CHECK(limits.max_server_in_flight_bytes == 256 * 1024 * 1024);
    CHECK(limits.max_server_unsent_bytes == 1024 * 1024 * 1024);
    CHECK(limits.max_connections == 10'000);
    CHECK(limits.max_connections_per_address == 1024);
    CHECK(limits.max_queued_handlers == 1024);
}

TEST_CASE("limits: a plain struct, set by name") {
    static_assert(std::is_aggregate_v<futon::limits>);
    const futon::limits limits{.max_body_bytes = 100, .complexity = {.max_depth = 4}, .idle_close = 0s};
    CHECK(limits.max_body_bytes == 100);
    CHECK(limits.complexity.max_depth == 4);
    CHECK(limits.complexity.max_nodes == 262'144);
    CHECK(limits.idle_close == 0s);
}

}  // namespace
