// SPDX-License-Identifier: Apache-2.0

/// \file
/// What connections cost: memory while they are idle, and calls over one to thousands of them with one and two I/O
/// threads on the server.

#include "support/comparison.hpp"
#include "support/futon_side.hpp"
#include "support/options.hpp"
#include "support/process.hpp"
#include "support/statistics.hpp"
#include "support/targets.hpp"

#include <futon/server/detail/peer.hpp>
#include <futon/session/session.hpp>
#include <futon/transport/connection.hpp>
#include <futon/transport/socket_stream.hpp>
#include <futon/wire/futon_protocol.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <latch>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using benchmark::comparison;
using benchmark::placement;

/// Lets this process, and those that it starts, open as many files as they may; returns how many.
std::size_t raise_file_limit() {
    rlimit now{};
    if (::getrlimit(RLIMIT_NOFILE, &now) != 0) throw benchmark::last_error("getrlimit");
    now.rlim_cur = now.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &now);
    return now.rlim_max == RLIM_INFINITY ? 1u << 20 : static_cast<std::size_t>(now.rlim_max);
}

class runner {
public:
    explicit runner(const benchmark::options& with) : with_{with}, most_{raise_file_limit() - 100} {
        with_.rounds = std::max(1, with.rounds / 2);
    }

    int run() {
        const benchmark::comparer runs{with_};
        json_.open('{').add("real_time", runs.real_time() ? 1 : 0).add("rounds", with_.rounds);
        json_.add("window_ms", static_cast<double>(with_.window.count()));
        measure_memory();
        measure_counters();
        measure_calls(runs);
        targets_.write(json_);
        json_.close('}');
        targets_.print(!with_.smoke);
        json_.save(with_.json);
        return 0;
    }

private:
    using process = benchmark::child_process<std::uint16_t>;

    [[nodiscard]] benchmark::side futon(std::size_t io_threads) const {
        return benchmark::futon_side(benchmark::ending::callback, benchmark::method::echo,
                                     {.io_threads = io_threads, .connections = most_});
    }
    void measure_memory();
    void measure_counters();
    void measure_calls(const benchmark::comparer& runs);

    benchmark::options with_;
    std::size_t most_;
    benchmark::target_table targets_;
    benchmark::json_writer json_;
};

// The kernel's own memory for a socket is in nobody's resident set; it is the same for all.
void runner::measure_memory() {
    const std::size_t count = std::min<std::size_t>(with_.smoke ? 200 : 2000, most_ / 2);
    const auto served = futon(1);
    process server{[&](const auto& report) { served.serve(report); }};
    const auto port = server.report();
    const auto clients = [&](std::size_t connections, std::size_t in_flight) {
        return [&served, &with = with_, port, connections, in_flight](const auto& report) {
            const auto kept = served.start(port, {.connections = connections, .in_flight = in_flight});
            std::this_thread::sleep_for(with.warm_up);
            report(1);
            for (;;) std::this_thread::sleep_for(std::chrono::hours{1});
        };
    };
    // What the first ones need is not theirs alone.
    process few{clients(100, 0)};
    static_cast<void>(few.report());
    const auto before = benchmark::resident_bytes_of(server.id());
    process many{clients(count, 0)};
    static_cast<void>(many.report());
    const auto idle = benchmark::resident_bytes_of(server.id()) - before;
    process busy{clients(count, 1)};
    static_cast<void>(busy.report());
    const auto used = benchmark::resident_bytes_of(server.id()) - before - idle;

    const auto each = [&](double bytes) { return bytes / static_cast<double>(count) / 1024; };
    std::printf(
        "resident memory of the server, %zu connections: %.2f KiB for each idle one, %.2f KiB for each in use\n", count,
        each(idle), each(used));
    std::printf("of these, bytes of objects: connection %zu, session %zu, answers %zu, peer %zu, stream %zu\n\n",
                sizeof(futon::detail::connection), sizeof(futon::session<futon::futon_protocol>),
                sizeof(futon::detail::answers), sizeof(futon::detail::peer), sizeof(futon::detail::socket_stream));
    targets_.judge("idle connection", "resident KiB, server", {each(idle), each(idle), each(idle)},
                   benchmark::at_most(6));
    json_.add("connections_for_memory", static_cast<double>(count)).add("kib_per_idle_connection", each(idle));
    json_.add("kib_per_connection_in_use", each(used));
}

/// Nanoseconds for one increment where `threads` count at once, all in one place or each in a place of its own.
double increment_time(unsigned threads, bool shared, int times) {
    struct alignas(64) counter {
        std::atomic<std::uint64_t> value{0};
    };
    std::vector<counter> counters(threads);
    std::vector<std::thread> all;
    std::latch ready{static_cast<std::ptrdiff_t>(threads) + 1};
    for (unsigned i = 0; i < threads; ++i)
        all.emplace_back([&, i] {
            benchmark::pin_to(i);
            auto& mine = counters[shared ? 0 : i].value;
            ready.arrive_and_wait();
            for (int k = 0; k < times; ++k) mine.fetch_add(1, std::memory_order_relaxed);
        });
    ready.arrive_and_wait();
    const auto begun = std::chrono::steady_clock::now();
    for (auto& each : all) each.join();
    return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begun).count() / times;
}

// What threads that serve different connections still share is counters; this is what sharing one costs here.
void runner::measure_counters() {
    const auto median = [&](bool shared) {
        std::vector<double> rounds;
        for (int i = 0; i < 9; ++i) rounds.push_back(increment_time(2, shared, with_.smoke ? 1000 : 2'000'000));
        return benchmark::summarise(rounds).median;
    };
    const auto own = median(false);
    const auto shared = median(true);
    std::printf("an increment by each of two threads: %.1f ns in counters of their own, %.1f ns in a shared one\n\n",
                own, shared);
    json_.add("ns_per_own_increment", own).add("ns_per_shared_increment", shared);
}

void runner::measure_calls(const benchmark::comparer& runs) {
    std::printf(
        "server and client wherever the kernel puts their threads, %s, %d rounds of %lld ms; the client has one I/O "
        "thread\n\n",
        benchmark::priority_name(runs.real_time()), with_.rounds, static_cast<long long>(with_.window.count()));
    std::printf("%-24s %-11s %10s %10s %-21s %-15s %-15s %-12s\n", "connections x in flight", "I/O threads", "floor",
                "futon", "ratio of calls/s", "futon, CPU us", "floor, CPU us", "system calls");
    std::printf("%-24s %-11s %10s %10s %-21s %-15s %-15s %-12s\n", "", "of server", "calls/s", "calls/s", "",
                "client+server", "client+server", "of server");
    json_.open('[', "rows");
    for (const auto& [wanted, in_flight] :
         {std::pair<std::size_t, std::size_t>{1, 64}, {10, 64}, {1000, 1}, {9000, 1}}) {
        const auto connections = std::min(with_.smoke ? std::min<std::size_t>(wanted, 200) : wanted, most_);
        const benchmark::load of{.connections = connections, .in_flight = in_flight};
        for (const std::size_t io_threads : {1u, 2u}) {
            const auto seen = runs.compare(benchmark::floor_side(), futon(io_threads), of, placement::anywhere);
            const auto counts = runs.count(futon(io_threads), of, placement::anywhere);
            const auto ratio = seen.calls_ratio();
            const auto name = std::to_string(connections) + " x " + std::to_string(in_flight);
            std::printf("%-24s %-11zu %10.0f %10.0f %5.3f (%.3f..%.3f) %6.3f + %6.3f %6.3f + %6.3f %6.3f\n",
                        name.c_str(), io_threads, comparison::calls(seen.base).median,
                        comparison::calls(seen.subject).median, ratio.median, ratio.low, ratio.high,
                        comparison::client_cpu(seen.subject).median, comparison::server_cpu(seen.subject).median,
                        comparison::client_cpu(seen.base).median, comparison::server_cpu(seen.base).median,
                        counts.server.system_calls);
            std::fflush(stdout);
            json_.open('{')
                .add("connections", static_cast<double>(connections))
                .add("in_flight", static_cast<double>(in_flight));
            json_.add("io_threads", static_cast<double>(io_threads))
                .add("base_calls_per_second", comparison::calls(seen.base));
            json_.add("calls_per_second", comparison::calls(seen.subject)).add("calls_ratio", ratio);
            json_.add("server_system_calls_per_call", counts.server.system_calls);
            json_.add("base_client_cpu_us_per_call", comparison::client_cpu(seen.base));
            json_.add("base_server_cpu_us_per_call", comparison::server_cpu(seen.base));
            json_.add("client_cpu_us_per_call", comparison::client_cpu(seen.subject));
            json_.add("server_cpu_us_per_call", comparison::server_cpu(seen.subject)).close('}');
        }
    }
    json_.close(']');
}

}  // namespace

int main(int count, char** arguments) try {
    return runner{benchmark::read_options(count, arguments)}.run();
} catch (const std::exception& e) {
    std::fprintf(stderr, "benchmark: %s\n", e.what());
    return 1;
}
