// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What policies may have that ask nodes for their load; nothing where one has it not. See `load_balancer`.

#include <futon/core/time.hpp>

#include <cstddef>
#include <span>

namespace futon {

struct load_report;
struct node;
class node_set;
struct pick_context;

namespace detail {

template <class P>
[[nodiscard]] bool wants_probes(const P& policy) noexcept {
    if constexpr (requires { policy.probes(); }) return policy.probes();
    return requires(P& p, const node_set& nodes, pick_context& call, std::span<node*> into) {
        p.next_probes(nodes, call, into);
    };
}
template <class P>
[[nodiscard]] std::size_t next_probes(P& policy, const node_set& nodes, pick_context& call,
                                      std::span<node*> into) noexcept {
    if constexpr (requires { policy.next_probes(nodes, call, into); }) return policy.next_probes(nodes, call, into);
    return 0;
}
template <class P>
void probed(P& policy, node& n, const load_report& report, time_point now) noexcept {
    if constexpr (requires { policy.probed(n, report, now); }) policy.probed(n, report, now);
}
template <class P>
[[nodiscard]] time_point idle_probes_due(const P& policy) noexcept {
    if constexpr (requires { policy.idle_probes_due(); }) return policy.idle_probes_due();
    return no_deadline;
}
template <class P>
[[nodiscard]] std::size_t idle_probes(P& policy, const node_set& nodes, pick_context& call,
                                      std::span<node*> into) noexcept {
    if constexpr (requires { policy.idle_probes(nodes, call, into); }) return policy.idle_probes(nodes, call, into);
    return 0;
}

}  // namespace detail

}  // namespace futon
