// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Runs a load-balancing policy against a simulated cluster: thousands of calls a millisecond of real time, the same
/// for every run.

#include <futon/cluster/load_balancer.hpp>
#include <futon/testing/cluster_options.hpp>
#include <futon/testing/cluster_report.hpp>
#include <futon/testing/cluster_scenario.hpp>
#include <futon/testing/cluster_truth.hpp>
#include <futon/testing/detail/cluster_engine.hpp>

#include <utility>
#include <vector>

namespace futon::testing {

/// Lets every client of the scenario choose by a copy of `policy`, and says how the calls fared.
///
/// The policy is the one that a real client would use, any `load_balancer`; time, servers and the network are
/// simulated, and nothing else: no threads, no sockets, no clock. Equal arguments give equal reports, on every build.
/// `docs/simulator.md` says what the model leaves out.
/// Errors: none; a scenario that makes no sense (no servers, no clients, no load) gives an empty report.
/// Thread-safety: safe; simulations share nothing.
template <load_balancer P>
[[nodiscard]] cluster_report simulate(const P& policy, const cluster_scenario& scenario,
                                      const cluster_options& options = {}) {
    detail::cluster_engine engine{scenario, options};
    std::vector<any_load_balancer> policies;
    for (int i = 0; i < options.clients; ++i) {
        P copy{policy};
        if constexpr (requires { copy.see(engine.truth()); }) copy.see(engine.truth());
        policies.emplace_back(std::move(copy));
    }
    return engine.run(std::move(policies));
}

}  // namespace futon::testing
