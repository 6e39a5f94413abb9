// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Policies by name, for configuration: the field's names, and SOFARPC's for the same.

#include <futon/cluster/bounded_load.hpp>
#include <futon/cluster/least_request.hpp>
#include <futon/cluster/load_balancer.hpp>
#include <futon/cluster/local_preference.hpp>
#include <futon/cluster/maglev.hpp>
#include <futon/cluster/peak_ewma.hpp>
#include <futon/cluster/prequal.hpp>
#include <futon/cluster/random.hpp>
#include <futon/cluster/rendezvous.hpp>
#include <futon/cluster/ring_hash.hpp>
#include <futon/cluster/round_robin.hpp>
#include <futon/cluster/sticky.hpp>
#include <futon/cluster/weighted_round_robin.hpp>
#include <futon/core/result.hpp>

#include <array>
#include <string>
#include <string_view>

namespace futon {

/// What a client uses that is told nothing else.
using default_load_balancer = peak_ewma;

/// One name of a policy.
struct balancer_name {
    std::string_view name;
    std::string_view means;       ///< Another name that is the same; empty: it is a name of its own.
    any_load_balancer (*make)();  ///< With the default options.
};

namespace detail {

template <class Policy>
[[nodiscard]] any_load_balancer make_balancer() {
    return Policy{};
}

}  // namespace detail

/// All names. The second part are SOFARPC's; where keys go follows futon's own hash, not SOFARPC's placement.
inline constexpr std::array balancer_names{
    balancer_name{"random", "", &detail::make_balancer<random>},
    balancer_name{"round_robin", "", &detail::make_balancer<round_robin>},
    balancer_name{"weighted_round_robin", "", &detail::make_balancer<weighted_round_robin>},
    balancer_name{"least_request", "", &detail::make_balancer<least_request>},
    balancer_name{"peak_ewma", "", &detail::make_balancer<peak_ewma>},
    balancer_name{"p2c", "peak_ewma", &detail::make_balancer<peak_ewma>},
    balancer_name{"prequal", "", &detail::make_balancer<prequal>},
    balancer_name{"ring_hash", "", &detail::make_balancer<ring_hash>},
    balancer_name{"consistent_hash", "ring_hash", &detail::make_balancer<ring_hash>},
    balancer_name{"bounded_load", "", &detail::make_balancer<bounded_load<>>},
    balancer_name{"maglev", "", &detail::make_balancer<maglev>},
    balancer_name{"rendezvous", "", &detail::make_balancer<rendezvous>},
    balancer_name{"pick_first", "", &detail::make_balancer<pick_first>},
    balancer_name{"sticky", "", &detail::make_balancer<sticky<>>},
    balancer_name{"local_preference", "", &detail::make_balancer<local_preference<>>},

    balancer_name{"roundRobin", "round_robin", &detail::make_balancer<round_robin>},
    balancer_name{"weightRoundRobin", "weighted_round_robin", &detail::make_balancer<weighted_round_robin>},
    balancer_name{"consistentHash", "ring_hash", &detail::make_balancer<ring_hash>},
    balancer_name{"weightConsistentHash", "ring_hash", &detail::make_balancer<ring_hash>},
    balancer_name{"localPref", "local_preference", &detail::make_balancer<local_preference<>>},
    balancer_name{"auto", "peak_ewma", &detail::make_balancer<default_load_balancer>},
};

/// The policy of that name, with its default options.
///
/// Errors: `errc::bad_arguments`, with the name and those that there are.
[[nodiscard]] inline result<any_load_balancer> make_load_balancer(std::string_view name) {
    std::string known;
    for (const auto& one : balancer_names) {
        if (one.name == name) return one.make();
        known.append(known.empty() ? "" : ", ").append(one.name);
    }
    return error{errc::bad_arguments, "'" + std::string{name} + "' is not a load balancer; there are " + known,
                 executed::no};
}

}  // namespace futon
