// SPDX-License-Identifier: Apache-2.0

/// \file
/// futon and those peers that were found when this was configured, beside the raw Asio floor in the same run.

#include "../support/futon_side.hpp"
#include "peers.hpp"

#include <cstdio>
#include <exception>

int main(int count, char** arguments) try {
    std::vector<benchmark::peer> all{{benchmark::futon_side(benchmark::ending::callback), ""}};
#ifdef FUTON_BENCHMARK_GRPC
    all.push_back(benchmark::grpc_peer());
#endif
#ifdef FUTON_BENCHMARK_CAPNP
    all.push_back(benchmark::capnp_peer());
#endif
#ifdef FUTON_BENCHMARK_THRIFT
    all.push_back(benchmark::thrift_peer());
#endif
    return benchmark::run_peers(benchmark::read_options(count, arguments), all);
} catch (const std::exception& e) {
    std::fprintf(stderr, "benchmark: %s\n", e.what());
    return 1;
}
