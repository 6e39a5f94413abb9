// SPDX-License-Identifier: Apache-2.0
// Compares load-balancing policies on a simulated cluster: a table, and with --svg a chart of latencies by percentile.
//
//   simulate_cluster --scenario slow_one --clients 100 --policy least_request,prequal --svg latencies.svg
//
// Needs neither sockets nor libraries, and is worth an optimised build:
//   c++ -std=c++20 -O2 -I include examples/simulate_cluster.cpp -o simulate_cluster
#include <futon/cluster/balancer_names.hpp>
#include <futon/testing/cluster_simulation.hpp>
#include <futon/testing/join_shortest_queue.hpp>
#include <futon/testing/latency_chart.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace scenario = futon::testing::scenario;
using futon::testing::cluster_report;
using futon::testing::cluster_scenario;

constexpr std::string_view usage = R"(usage: simulate_cluster [option value]...
  --policy NAMES      comma between them; oracle knows everything      default: all that suit any service
  --scenario NAME     healthy, slow_one, slow_five, antagonists, heterogeneous, gray_one, failing_one, rolling_restart,
                      drained_restart, scale_out, scale_in, cold_start, zone_loss, overload       default: slow_one
  --clients N         each with a policy of its own                    default: 10
  --seed N            other chances                                    default: 1
  --seeds N           medians of so many runs, from that seed on       default: 1
  --seconds N         of virtual time that are measured                default: as the scenario says
  --utilisation X     load, as a share of what the servers can do      default: as the scenario says
  --attempts N        of each call, within the retry budget            default: 1
  --health on|off     ejection, panic, warm-up, recovery               default: off
  --hedge on|off      a second attempt after the 95th percentile       default: off
  --svg FILE          draws the latencies by percentile
)";

[[noreturn]] void fail(const std::string& why) {
    std::cerr << "simulate_cluster: " << why << '\n' << usage;
    std::exit(2);
}

std::vector<cluster_scenario> all_scenarios() {
    return {scenario::healthy(), scenario::slow_one(), scenario::slow_five(), scenario::antagonists(), scenario::heterogeneous(),
            scenario::gray_one(), scenario::failing_one(), scenario::rolling_restart(),
            scenario::rolling_restart(std::chrono::milliseconds{400}), scenario::scale_out(), scenario::scale_in(),
            scenario::cold_start(), scenario::zone_loss(), scenario::overload()};
}

std::vector<std::string> split(const std::string& list) {
    std::vector<std::string> parts;
    std::istringstream in{list};
    for (std::string part; std::getline(in, part, ',');) parts.push_back(part);
    return parts;
}

double number(const std::string& option, const std::string& text) {
    char* end = nullptr;
    const auto value = std::strtod(text.c_str(), &end);
    if (text.empty() || *end != '\0' || !(value >= 0)) fail(option + " needs a number, not '" + text + "'");
    return value;
}

cluster_report run(const std::string& policy, const cluster_scenario& what, const futon::testing::cluster_options& how) {
    if (policy == "oracle") return simulate(futon::testing::join_shortest_queue{}, what, how);
    if (policy == "wrr_reports") return simulate(futon::weighted_round_robin{{.from_reports = true}}, what, how);
    auto made = futon::make_load_balancer(policy);
    if (!made) fail(made.error().message());
    return simulate(*made, what, how);
}

// Each figure is the median of its own over the runs.
void print(const std::string& policy, const std::vector<cluster_report>& runs) {
    const auto median = [&](auto figure) {
        std::vector<double> all;
        for (const auto& each : runs) all.push_back(figure(each));
        const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
        std::nth_element(all.begin(), middle, all.end());
        return *middle;
    };
    const auto ms = [](futon::duration d) { return std::chrono::duration<double, std::milli>(d).count(); };
    const auto latency = [&](auto which) { return median([&](const cluster_report& r) { return ms(r.*which); }); };
    std::printf("%-22s %8.1f %8.1f %8.1f %8.1f %8.3f %8.3f", policy.c_str(), latency(&cluster_report::p50), latency(&cluster_report::p90),
                latency(&cluster_report::p99), latency(&cluster_report::p999), median([](const auto& r) { return 100 * r.error_rate(); }),
                median([](const auto& r) { return 100 * r.bad_share(); }));
    const auto shed = median([&](const auto& r) { return r.time_to_shed ? ms(*r.time_to_shed) / 1000 : 1e9; });
    std::printf(shed >= 1e9 ? "        -" : " %8.1f", shed);
    std::printf(" %8.2f %8.2f %8.0f %8.1f\n", median([](const auto& r) { return 100 * r.extra_attempts(); }),
                median([](const auto& r) { return r.busiest; }), median([](const auto& r) { return double(r.p99_in_flight); }),
                median([](const auto& r) { return 100 * r.capacity_lost; }));
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    auto policies = split("random,round_robin,wrr_reports,least_request,peak_ewma,prequal,oracle");
    auto what = scenario::slow_one();
    futon::testing::cluster_options how;
    std::string svg;
    int seeds = 1;
    double seconds = 0;
    double utilisation = 0;

    for (std::size_t i = 0; i < arguments.size(); i += 2) {
        const auto& option = arguments[i];
        if (option == "--help") return std::cout << usage, 0;
        if (i + 1 == arguments.size()) fail(option + " needs a value");
        const auto& value = arguments[i + 1];
        const auto is_on = [&] { return value == "on" || (value == "off" ? false : (fail(option + " is on or off"), false)); };
        if (option == "--policy") {
            policies = split(value);
        } else if (option == "--scenario") {
            const auto all = all_scenarios();
            const auto found = std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.name == value; });
            if (found == all.end()) fail("there is no scenario '" + value + "'");
            what = *found;
        } else if (option == "--clients") {
            how.clients = static_cast<int>(number(option, value));
        } else if (option == "--seed") {
            how.seed = static_cast<std::uint64_t>(number(option, value));
        } else if (option == "--seeds") {
            seeds = static_cast<int>(number(option, value));
            if (seeds < 1) fail("--seeds needs at least 1");
        } else if (option == "--seconds") {
            seconds = number(option, value);
        } else if (option == "--utilisation") {
            utilisation = number(option, value);
        } else if (option == "--attempts") {
            how.retry.max_attempts = static_cast<int>(number(option, value));
        } else if (option == "--health") {
            if (is_on()) how.health.emplace();
        } else if (option == "--hedge") {
            if (is_on()) how.hedge.emplace();
        } else if (option == "--svg") {
            svg = value;
        } else {
            fail("there is no option '" + option + "'");
        }
    }
    if (seconds > 0) what.measured = std::chrono::duration_cast<futon::duration>(std::chrono::duration<double>(seconds));
    if (utilisation > 0) what.utilisation = utilisation;

    const auto first = how.seed;
    std::printf("%s: %d servers, %d clients, %.0f %% load, ", what.name.c_str(), what.servers, how.clients, 100 * what.utilisation);
    if (seeds == 1) std::printf("seed %llu", static_cast<unsigned long long>(first));
    else std::printf("medians of seeds %llu to %llu", static_cast<unsigned long long>(first), static_cast<unsigned long long>(first) + static_cast<unsigned long long>(seeds) - 1);
    std::printf("; latencies in ms, failures count as the timeout\n\n");
    std::printf("%-22s %8s %8s %8s %8s %8s %8s %8s %8s %8s %8s %8s\n", "policy", "p50", "p90", "p99", "p99.9", "failed %", "to bad %",
                "shed s", "extra %", "busiest", "queue99", "lost %");
    std::vector<futon::testing::latency_series> lines;
    for (const auto& policy : policies) {
        std::vector<cluster_report> runs;
        futon::testing::latency_histogram all;
        for (int i = 0; i < seeds; ++i) {
            how.seed = first + static_cast<std::uint64_t>(i);
            all.add(runs.emplace_back(run(policy, what, how)).latencies);
        }
        print(policy, runs);
        lines.emplace_back(policy, std::move(all));  // Of all runs together.
    }
    if (svg.empty()) return 0;
    std::ofstream out{svg};
    out << futon::testing::latency_chart(what.name + ": " + std::to_string(how.clients) + " clients, " + std::to_string(what.servers) + " servers",
                                         lines);
    if (!out.flush()) fail("cannot write " + svg);
}
