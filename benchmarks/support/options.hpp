// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The command line that the benchmarks have in common.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace benchmark {

struct options {
    bool smoke = false;  ///< About a second in all: shows that it works, measures nothing.
    int rounds = 9;      ///< Per row; the median counts.
    std::chrono::milliseconds warm_up{100};
    std::chrono::milliseconds window{500};  ///< That is measured in each round.
    int cores = 0;                          ///< 1: both processes on one core; 2: a core each; 0: as each row says.
    bool counts = false;                    ///< Only allocations and system calls, no times.
    std::string only;                       ///< Rows whose name contains it; empty: all.
    std::string json;                       ///< File for the figures; empty: none.
    std::string serve;                      ///< Be the server of the row with this name, for profilers.
    std::string call;                       ///< Be its client,
    std::uint16_t port = 0;                 ///< of the server at this port,
    std::uint64_t calls = 0;                ///< until so many calls are done; 0: for one window.
};

[[noreturn]] inline void show_usage(const char* program) {
    std::fprintf(
        stderr,
        "%s [--smoke] [--rounds N] [--window MILLISECONDS] [--cores one|two] [--counts] [--only TEXT] [--json FILE]\n"
        "One side alone, for a profiler: %s --serve ROW; %s --call ROW --port PORT [--calls N]\n",
        program, program, program);
    std::exit(2);
}

[[nodiscard]] inline options read_options(int count, char** arguments) {
    options read;
    for (int i = 1; i < count; ++i) {
        const std::string_view name = arguments[i];
        const auto value = [&]() -> const char* {
            if (++i == count) show_usage(arguments[0]);
            return arguments[i];
        };
        if (name == "--smoke") {
            read.smoke = true;
            read.rounds = 1;
            read.warm_up = std::chrono::milliseconds{5};
            read.window = std::chrono::milliseconds{15};
        } else if (name == "--rounds") {
            read.rounds = std::max(1, std::atoi(value()));
        } else if (name == "--window") {
            read.window = std::chrono::milliseconds{std::max(1, std::atoi(value()))};
        } else if (name == "--cores") {
            read.cores = std::string_view{value()} == "two" ? 2 : 1;
        } else if (name == "--counts") {
            read.counts = true;
        } else if (name == "--only") {
            read.only = value();
        } else if (name == "--json") {
            read.json = value();
        } else if (name == "--serve") {
            read.serve = value();
        } else if (name == "--call") {
            read.call = value();
        } else if (name == "--port") {
            read.port = static_cast<std::uint16_t>(std::atoi(value()));
        } else if (name == "--calls") {
            read.calls = static_cast<std::uint64_t>(std::atoll(value()));
        } else {
            show_usage(arguments[0]);
        }
    }
    return read;
}

}  // namespace benchmark
