// SPDX-License-Identifier: Apache-2.0

/// \file
/// What a call costs: futon beside a raw Asio echo of length-prefixed frames, or beside futon called in another way, in
/// the same run and in alternating rounds. See docs/performance.md for how to read the tables.

#include "support/comparison.hpp"
#include "support/futon_side.hpp"
#include "support/options.hpp"
#include "support/process.hpp"
#include "support/side.hpp"
#include "support/statistics.hpp"
#include "support/targets.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

using benchmark::at_least;
using benchmark::at_most;
using benchmark::ending;
using benchmark::futon_side;
using benchmark::method;
using benchmark::placement;
using namespace std::chrono_literals;

/// What a target can be about.
enum class figure {
    calls,         ///< Calls per second, as a ratio to the base's.
    cpu,           ///< CPU time per call of both sides, likewise.
    allocations,   ///< Per call, of the side with more.
    system_calls,  ///< Per call, of the side with more.
};
struct target {
    figure what;
    benchmark::bound bound;
};

/// One line of the table.
struct row {
    std::string_view name;
    benchmark::load of{};
    benchmark::side subject;
    benchmark::side base = benchmark::floor_side();
    placement where = placement::one_core;
    std::vector<target> targets{};
    bool timed = true;  ///< False: only counted.
};

const std::vector<row>& rows() {
    static const auto callback = futon_side(ending::callback);
    constexpr benchmark::load many{.in_flight = 64};
    constexpr benchmark::load numbers{.in_flight = 64, .body_bytes = 8};
    // What is one block less than one allocation in a thousand calls is warming up.
    static const target no_allocations{figure::allocations, at_most(0.001)};
    static const std::vector<row> all{
        {.name = "ping-pong, callback", .subject = callback, .targets = {{figure::cpu, at_most(1.10)}}},
        {.name = "ping-pong, future", .subject = futon_side(ending::future)},
        {.name = "ping-pong, use_awaitable", .subject = futon_side(ending::awaitable)},
        {.name = "ping-pong, waited future / future",
         .subject = futon_side(ending::waited_future),
         .base = futon_side(ending::future)},
        {.name = "ping-pong, waited future / future, two cores",
         .subject = futon_side(ending::waited_future),
         .base = futon_side(ending::future),
         .where = placement::two_cores},
        {.name = "64 in flight, callback",
         .of = many,
         .subject = callback,
         .targets = {{figure::calls, at_least(0.65)},
                     {figure::cpu, at_most(1.5)},
                     {figure::system_calls, at_most(0.06)}}},
        {.name = "64 in flight, future", .of = many, .subject = futon_side(ending::future)},
        {.name = "64 in flight, future with 3 stages", .of = many, .subject = futon_side(ending::stages)},
        {.name = "64 in flight, task", .of = many, .subject = futon_side(ending::task)},
        {.name = "64 in flight, use_awaitable", .of = many, .subject = futon_side(ending::awaitable)},
        {.name = "64 in flight, future / callback",
         .of = many,
         .subject = futon_side(ending::future),
         .base = callback,
         .targets = {{figure::calls, at_least(0.80)}}},
        {.name = "64 in flight, waited future / callback",
         .of = many,
         .subject = futon_side(ending::waited_future),
         .base = callback,
         .targets = {{figure::calls, at_least(0.90)}}},
        {.name = "64 in flight, two numbers, callback",
         .of = numbers,
         .subject = futon_side(ending::callback, method::add),
         .targets = {no_allocations}},
        {.name = "64 in flight, two numbers, future",
         .of = numbers,
         .subject = futon_side(ending::future, method::add),
         .targets = {no_allocations},
         .timed = false},
        {.name = "64 in flight, two numbers, task",
         .of = numbers,
         .subject = futon_side(ending::task, method::add),
         .targets = {no_allocations},
         .timed = false},
        {.name = "64 in flight, two numbers, awaitable",
         .of = numbers,
         .subject = futon_side(ending::awaitable, method::add),
         .targets = {no_allocations},
         .timed = false},
        {.name = "512 in flight, callback", .of = {.in_flight = 512}, .subject = callback},
        {.name = "50 connections, callback",
         .of = {.connections = 50},
         .subject = callback,
         .targets = {{figure::cpu, at_most(1.10)}}},
        {.name = "4 in flight of 1 MiB, callback",
         .of = {.in_flight = 4, .body_bytes = std::size_t{1} << 20},
         .subject = callback,
         .targets = {{figure::calls, at_least(1.3)}}},
        {.name = "64 in flight, two cores", .of = many, .subject = callback, .where = placement::two_cores},
        {.name = "64 in flight, handler on pool, two cores",
         .of = many,
         .subject = futon_side(ending::callback, method::echo, {.on_pool = true}),
         .where = placement::two_cores,
         .targets = {{figure::calls, at_least(0.30)}}},
        {.name = "512 in flight, two cores",
         .of = {.in_flight = 512},
         .subject = callback,
         .where = placement::two_cores,
         .targets = {{figure::calls, at_least(0.60)}}},
        {.name = "4 threads x 64 / I/O thread, two cores",
         .of = {.in_flight = 256},
         .subject = futon_side(ending::threads),
         .base = futon_side(ending::batches),
         .where = placement::two_cores,
         .targets = {{figure::calls, at_least(0.5)}}},
    };
    return all;
}

class runner {
public:
    explicit runner(const benchmark::options& with) : with_{with}, comparer_{with} {}

    int run() {
        std::printf("%s, %d rounds of %lld ms, %s\n\n", benchmark::priority_name(comparer_.real_time()), with_.rounds,
                    static_cast<long long>(with_.window.count()),
                    with_.smoke ? "SMOKE: the figures mean nothing" : "medians and the 95 % intervals of the ratios");
        std::printf("%-41s %9s %9s %-21s %-15s %-19s %-13s %-13s\n", "", "base", "futon", "ratio of calls/s",
                    "CPU us per call", "ratio of CPU", "allocations", "system calls");
        std::printf("%-41s %9s %9s %-21s %-15s %-19s %-13s %-13s\n", "", "calls/s", "calls/s", "", "client+server", "",
                    "client+server", "client+server");
        json_.open('{').add("real_time", comparer_.real_time() ? 1 : 0).add("rounds", with_.rounds);
        json_.add("window_ms", static_cast<double>(with_.window.count())).open('[', "rows");
        for (const auto& each : rows())
            if (each.name.find(with_.only) != std::string_view::npos) run(each);
        json_.close(']');
        targets_.write(json_);
        json_.close('}');
        targets_.print(!with_.smoke);
        json_.save(with_.json);
        return 0;
    }

private:
    void run(const row& which);
    void report(const row& which, const benchmark::comparison& times);

    benchmark::options with_;
    benchmark::comparer comparer_;
    benchmark::target_table targets_;
    benchmark::json_writer json_;
};

void runner::report(const row& which, const benchmark::comparison& times) {
    using benchmark::comparison;
    const auto calls = times.calls_ratio();
    const auto cpu = times.cpu_ratio();
    const auto client = comparison::client_cpu(times.subject);
    const auto server = comparison::server_cpu(times.subject);
    std::printf(" %9.0f %9.0f %5.3f (%.3f..%.3f) %6.3f + %6.3f %5.2f (%.2f..%.2f)",
                comparison::calls(times.base).median, comparison::calls(times.subject).median, calls.median, calls.low,
                calls.high, client.median, server.median, cpu.median, cpu.low, cpu.high);
    json_.add("base_calls_per_second", comparison::calls(times.base));
    json_.add("base_client_cpu_us_per_call", comparison::client_cpu(times.base));
    json_.add("base_server_cpu_us_per_call", comparison::server_cpu(times.base));
    json_.add("calls_per_second", comparison::calls(times.subject));
    json_.add("client_cpu_us_per_call", client).add("server_cpu_us_per_call", server);
    json_.add("calls_ratio", calls).add("cpu_ratio", cpu);
    for (const auto& each : which.targets) {
        if (each.what == figure::calls) targets_.judge(which.name, "calls/s, ratio", calls, each.bound);
        if (each.what == figure::cpu) targets_.judge(which.name, "CPU per call, ratio", cpu, each.bound);
    }
}

void runner::run(const row& which) {
    const auto where = with_.cores == 0 ? which.where : with_.cores == 1 ? placement::one_core : placement::two_cores;
    std::printf("%-41.*s", static_cast<int>(which.name.size()), which.name.data());
    std::fflush(stdout);
    json_.open('{').add("name", which.name).add("base", which.base.name);
    json_.add("connections", static_cast<double>(which.of.connections));
    json_.add("in_flight", static_cast<double>(which.of.in_flight));
    json_.add("body_bytes", static_cast<double>(which.of.body_bytes));
    json_.add("cores", where == placement::one_core ? 1 : 2);
    if (which.timed && !with_.counts) {
        report(which, comparer_.compare(which.base, which.subject, which.of, where));
    } else {
        std::printf("%82s", "");
    }
    const auto counts = comparer_.count(which.subject, which.of, where);
    std::printf(" %5.3f + %5.3f %5.3f + %5.3f\n", counts.client.allocations, counts.server.allocations,
                counts.client.system_calls, counts.server.system_calls);
    std::fflush(stdout);
    const auto write = [&](std::string_view name, const benchmark::call_counts::of_process& of) {
        json_.open('{', name).add("allocations", of.allocations).add("allocated_bytes", of.allocated_bytes);
        json_.add("system_calls", of.system_calls).close('}');
    };
    write("client_per_call", counts.client);
    write("server_per_call", counts.server);
    json_.close('}');
    for (const auto& each : which.targets) {
        const auto judge = [&](std::string_view name, double client, double server) {
            const auto more = std::max(client, server);
            targets_.judge(which.name, name, {more, more, more}, each.bound);
        };
        if (each.what == figure::allocations)
            judge("allocations per call, a side", counts.client.allocations, counts.server.allocations);
        if (each.what == figure::system_calls)
            judge("system calls per call, a side", counts.client.system_calls, counts.server.system_calls);
    }
}

/// One side alone, in this process, for profilers. `name`: of a
/// row, "floor", or "floor, " and that of a row for its load.
struct one_side {
    benchmark::side which;
    benchmark::load of;
};
one_side side_named(std::string_view name) {
    if (name == "floor") return {benchmark::floor_side(), {}};
    const bool of_floor = name.starts_with("floor, ");
    if (of_floor) name.remove_prefix(7);
    for (const auto& each : rows())
        if (each.name == name) return {of_floor ? benchmark::floor_side() : each.subject, each.of};
    throw std::invalid_argument{"no row has this name"};
}
int serve(std::string_view name) {
    side_named(name).which.serve([](std::uint16_t port) {
        std::printf("%u\n", port);
        std::fflush(stdout);
    });
    return 0;
}
int call(std::string_view name, const benchmark::options& with) {
    const auto one = side_named(name);
    const auto running = one.which.start(with.port, one.of);
    if (with.calls == 0) std::this_thread::sleep_for(with.window);
    const auto after = [&](std::uint64_t calls) {
        while (running->done() < calls) std::this_thread::sleep_for(1ms);
        return std::pair{running->done(), benchmark::page_faults()};
    };
    const auto [calls_before, faults_before] = after(with.calls / 2);
    const auto [calls, faults] = after(with.calls);
    std::printf("%llu calls", static_cast<unsigned long long>(calls));
    if (calls > calls_before)
        std::printf(", %.2f page faults for each of the second half",
                    static_cast<double>(faults - faults_before) / static_cast<double>(calls - calls_before));
    std::printf("\n");
    std::fflush(stdout);
    std::_Exit(0);
}

}  // namespace

int main(int count, char** arguments) try {
    const auto with = benchmark::read_options(count, arguments);
    if (!with.serve.empty()) return serve(with.serve);
    if (!with.call.empty()) return call(with.call, with);
    return runner{with}.run();
} catch (const std::exception& e) {
    std::fprintf(stderr, "benchmark: %s\n", e.what());
    return 1;
}
