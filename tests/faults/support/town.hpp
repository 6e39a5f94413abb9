// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Three servers that publish themselves in a directory, a client that finds them there, and calls.

#include "faults/support/fleet.hpp"
#include "faults/support/load.hpp"
#include "registry/support/temporary_directory.hpp"

#include <futon/registry/file_registry.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

namespace futon_tests {

struct town {
    /// Returns when all three are used, and the calls of another half second were made. `delay`: how long a call takes.
    explicit town(futon::duration delay, const load_options& how = {}, futon::client_options calling = quiet_client()) {
        for (std::size_t i = 0; i < 3; ++i) slow_down(i, delay);
        servers.start_first(3);
        calling.registry = futon::file_registry{directory.path()};
        client.emplace(std::move(calling));
        const auto stub = client->stub<Work>();
        client->wait_ready(hung).get();
        load.emplace(stub, servers.book(), how);
        wait_for_providers(*client, 3);
        load->goes_on(500ms);
    }
    void slow_down(std::size_t server, futon::duration delay) {
        servers[server].delay_us = std::chrono::duration_cast<std::chrono::microseconds>(delay).count();
    }
    void behave(conduct how) {
        for (std::size_t i = 0; i < 3; ++i) servers[i].behaves = how;
    }
    /// Requests that came to any of them.
    [[nodiscard]] std::int64_t came() {
        std::int64_t sum = 0;
        for (std::size_t i = 0; i < 3; ++i) sum += servers[i].came.load();
        return sum;
    }

    temporary_directory directory;
    fleet_of_processes servers{"file://" + directory.path()};
    std::optional<futon::client> client;
    std::optional<open_load> load;
};

/// Whether a call failed at that address.
[[nodiscard]] inline bool was_at(const call_note& call, const std::string& address) {
    return call.why && call.why->where().ends_with(" at " + address);
}

}  // namespace futon_tests
