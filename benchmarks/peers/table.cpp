// SPDX-License-Identifier: Apache-2.0
#include "../support/comparison.hpp"
#include "../support/process.hpp"
#include "../support/statistics.hpp"
#include "peers.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace benchmark {
namespace {

struct setting {
    std::string_view name;
    load of;
    placement where;
};
constexpr setting settings[] = {
    {"ping-pong, one core", {}, placement::one_core},
    {"64 in flight, one core", {.in_flight = 64}, placement::one_core},
    {"ping-pong, a core a side", {}, placement::two_cores},
    {"64 in flight, a core a side", {.in_flight = 64}, placement::two_cores},
};

}  // namespace

int run_peers(const options& given, const std::vector<peer>& peers) {
    auto with = given;
    with.rounds = std::max(1, given.rounds * 5 / 9);
    const comparer runs{with};
    std::printf(
        "echo of 128 bytes, %s, %d rounds of %lld ms, %s\n", priority_name(runs.real_time()), with.rounds,
        static_cast<long long>(with.window.count()),
        with.smoke ? "SMOKE: the figures mean nothing" : "medians, with least and greatest where there are few rounds");
    json_writer json;
    json.open('{').add("real_time", runs.real_time() ? 1 : 0).add("rounds", with.rounds).open('[', "settings");
    for (const auto& each : settings) {
        std::printf("\n%-28.*s %10s %-21s %-17s %-21s %-15s %-15s\n", static_cast<int>(each.name.size()),
                    each.name.data(), "calls/s", "ratio to the floor's", "CPU us per call", "ratio of CPU",
                    "allocations", "system calls");
        json.open('{').add("name", each.name).open('[', "peers");
        for (const auto& [what, remarks] : peers) {
            const auto seen = runs.compare(floor_side(), what, each.of, each.where);
            const auto counts = runs.count(what, each.of, each.where);
            const auto calls = seen.calls_ratio();
            const auto cpu = seen.cpu_ratio();
            const auto rate = comparison::calls(seen.subject);
            const auto client = comparison::client_cpu(seen.subject);
            const auto server = comparison::server_cpu(seen.subject);
            std::printf(
                "%-28.*s %10.0f %5.3f (%.3f..%.3f) %7.3f + %7.3f %6.2f (%.2f..%.2f) %6.2f + %6.2f %6.2f + %6.2f\n",
                static_cast<int>(what.name.size()), what.name.data(), rate.median, calls.median, calls.low, calls.high,
                client.median, server.median, cpu.median, cpu.low, cpu.high, counts.client.allocations,
                counts.server.allocations, counts.client.system_calls, counts.server.system_calls);
            std::fflush(stdout);
            json.open('{').add("name", what.name).add("remarks", remarks).add("calls_per_second", rate);
            json.add("base_calls_per_second", comparison::calls(seen.base))
                .add("calls_ratio", calls)
                .add("cpu_ratio", cpu);
            json.add("client_cpu_us_per_call", client).add("server_cpu_us_per_call", server);
            json.add("client_allocations", counts.client.allocations)
                .add("server_allocations", counts.server.allocations);
            json.add("client_system_calls", counts.client.system_calls)
                .add("server_system_calls", counts.server.system_calls);
            json.close('}');
        }
        json.close(']').close('}');
    }
    json.close(']').close('}');
    std::printf("\n");
    for (const auto& [what, remarks] : peers)
        if (!remarks.empty())
            std::printf("%.*s: %.*s\n", static_cast<int>(what.name.size()), what.name.data(),
                        static_cast<int>(remarks.size()), remarks.data());
    json.save(with.json);
    return 0;
}

}  // namespace benchmark
