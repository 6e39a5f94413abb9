// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// `local_preference`: providers on the client's own machine first, as long as they are not much busier than others.

#include <futon/cluster/detail/probing.hpp>
#include <futon/cluster/detail/split_set.hpp>
#include <futon/cluster/least_request.hpp>
#include <futon/cluster/load_balancer.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace futon {

/// Of `local_preference`.
struct local_preference_options {
    /// The machine's own names and addresses as providers publish
    /// them. Loopback addresses, unix: and memory: are local always.
    std::vector<std::string> hosts{};
    /// A local node is taken while its cost is at most so many times that of another. 0: always, however busy it is.
    double guard = 2;
};

/// `Policy` chooses one local node and one of the others; cost is calls in flight, one more included, times what they
/// took, where that is known. SOFARPC's localPref without its trap: there a sick local provider keeps all calls.
template <load_balancer Policy = least_request>
class local_preference {
public:
    explicit local_preference(local_preference_options options = {}, Policy policy = Policy{})
        : options_{std::move(options)}, local_(policy), others_(std::move(policy)) {}

    [[nodiscard]] node* pick(const node_set& nodes, pick_context& call) noexcept {
        auto* const near = local_.pick(nodes, call);
        if (near != nullptr && (options_.guard <= 0 || others_.nodes.empty())) return near;
        auto* const far = others_.pick(nodes, call);
        if (near == nullptr || far == nullptr) return near != nullptr ? near : far;
        if (near == call.trial || far == call.trial) return call.trial;
        const bool timed = near->samples > 0 && far->samples > 0;
        return cost(*near, timed) <= options_.guard * cost(*far, timed) ? near : far;
    }
    void rebuild(const node_set& nodes) {
        local_.rebuild(nodes, [&](const node& n) { return is_local(n); });
        others_.rebuild(nodes, [&](const node& n) { return !is_local(n); });
    }
    void started(node& n, time_point now) noexcept { part_of(n).started(n, now); }
    void ended(node& n, const attempt_outcome& outcome) noexcept { part_of(n).ended(n, outcome); }
    [[nodiscard]] bool probes() const noexcept { return detail::wants_probes(local_.policy); }
    /// Of both parts: each had a pick.
    [[nodiscard]] std::size_t next_probes(const node_set&, pick_context& call, std::span<node*> into) noexcept {
        const auto count = local_.next_probes(call, into);
        return count + others_.next_probes(call, into.subspan(count));
    }
    void probed(node& n, const load_report& report, time_point now) noexcept { part_of(n).probed(n, report, now); }
    [[nodiscard]] time_point idle_probes_due() const noexcept {
        return std::min(local_.idle_probes_due(), others_.idle_probes_due());
    }
    [[nodiscard]] std::size_t idle_probes(const node_set&, pick_context& call, std::span<node*> into) noexcept {
        const auto count = local_.idle_probes(call, into);
        return count + others_.idle_probes(call, into.subspan(count));
    }

private:
    [[nodiscard]] static double cost(const node& n, bool timed) noexcept {
        return (n.in_flight + 1.0) * (timed ? static_cast<double>(n.latency) + 1e-5 : 1.0);
    }
    [[nodiscard]] bool is_local(const node& n) const noexcept {
        const auto& at = n.told.address;
        return at.scheme == "unix" || at.scheme == "memory" || at.host.starts_with("127.") || at.host == "::1" ||
               at.host == "localhost" ||
               std::find(options_.hosts.begin(), options_.hosts.end(), at.host) != options_.hosts.end();
    }
    [[nodiscard]] detail::part_of_set<Policy>& part_of(const node& n) noexcept {
        return is_local(n) ? local_ : others_;
    }

    local_preference_options options_;
    detail::part_of_set<Policy> local_;
    detail::part_of_set<Policy> others_;
};
static_assert(load_balancer<local_preference<>>);

}  // namespace futon
