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

void print(const std::string& policy, const cluster_report& of) {
    const auto ms = [](futon::duration d) { return std::chrono::duration<double, std::milli>(d).count(); };
    const auto shed = of.time_to_shed ? ms(*of.time_to_shed) / 1000 : -1;
    std::printf("%-22s %8.1f %8.1f %8.1f %8.1f %8.3f %8.3f", policy.c_str(), ms(of.p50), ms(of.p90), ms(of.p99), ms(of.p999),
                100 * of.error_rate(), 100 * of.bad_share());
    std::printf(shed < 0 ? "        -" : " %8.1f", shed);
    std::printf(" %8.2f %8.2f %8d %8.1f\n", 100 * of.extra_attempts(), of.busiest, of.p99_in_flight, 100 * of.capacity_lost);
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    auto policies = split("random,round_robin,wrr_reports,least_request,peak_ewma,prequal,oracle");
    auto what = scenario::slow_one();
    futon::testing::cluster_options how;
    std::string svg;
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

    std::printf("%s: %d servers, %d clients, %.0f %% load, seed %llu; latencies in ms, failures count as the timeout\n\n", what.name.c_str(),
                what.servers, how.clients, 100 * what.utilisation, static_cast<unsigned long long>(how.seed));
    std::printf("%-22s %8s %8s %8s %8s %8s %8s %8s %8s %8s %8s %8s\n", "policy", "p50", "p90", "p99", "p99.9", "failed %", "to bad %",
                "shed s", "extra %", "busiest", "queue99", "lost %");
    std::vector<futon::testing::latency_series> lines;
    for (const auto& policy : policies) {
        auto made = run(policy, what, how);
        print(policy, made);
        lines.emplace_back(policy, std::move(made.latencies));
    }
    if (svg.empty()) return 0;
    std::ofstream out{svg};
    out << futon::testing::latency_chart(what.name + ": " + std::to_string(how.clients) + " clients, " + std::to_string(what.servers) + " servers",
                                         lines);
    if (!out.flush()) fail("cannot write " + svg);
}
