// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Policies that stay with one node: `pick_first` with the same
/// one in every client, `sticky` with one of the client's own.

#include <futon/cluster/load_balancer.hpp>
#include <futon/cluster/random.hpp>
#include <futon/core/time.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace futon {

/// The usable node of the greatest weight, of several the one with the lowest identity: all clients call the same one,
/// the others stand by. For services that have one active provider.
class pick_first {
public:
    [[nodiscard]] node* pick(const node_set& nodes, pick_context& call) noexcept {
        for (auto* n : order_)
            if (nodes.usable(*n, call)) return n;
        return nullptr;
    }
    void rebuild(const node_set& nodes) {
        order_.assign(nodes.begin(), nodes.end());
        std::sort(order_.begin(), order_.end(), [](const node* a, const node* b) {
            return a->told.weight != b->told.weight ? a->told.weight > b->told.weight : a->id < b->id;
        });
    }

private:
    std::vector<node*> order_;
};
static_assert(load_balancer<pick_first>);

/// Of `sticky`.
struct sticky_options {
    /// After so long another node is chosen, +-20 %, so that one that was restarted fills up again. Zero: never.
    duration stay = std::chrono::minutes{10};
};

/// Stays with the node that `First` chose, while it is usable: a provider that keeps something for its clients sees few
/// of them. A call that has tried it goes elsewhere without moving the others.
template <load_balancer First = random>
class sticky {
public:
    explicit sticky(sticky_options options = {}, First first = First{}) : options_{options}, first_(std::move(first)) {}

    [[nodiscard]] node* pick(const node_set& nodes, pick_context& call) noexcept {
        call.trial = nullptr;  // All calls would stay there.
        if (at_ != nullptr && nodes.usable(*at_) && call.now < until_) {
            return call.has_tried(*at_) ? first_.pick(nodes, call) : at_;
        }
        at_ = first_.pick(nodes, call);
        if (at_ != nullptr) {
            const auto spread = static_cast<double>(options_.stay.count()) * (0.8 + 0.4 * call.random.fraction());
            until_ = options_.stay > duration::zero()
                         ? deadline_after(call.now, duration{static_cast<duration::rep>(spread)})
                         : no_deadline;
        }
        return at_;
    }
    void rebuild(const node_set& nodes) {
        if (std::find(nodes.begin(), nodes.end(), at_) == nodes.end()) at_ = nullptr;
        if constexpr (requires { first_.rebuild(nodes); }) first_.rebuild(nodes);
    }
    void started(node& n, time_point now) noexcept {
        if constexpr (requires { first_.started(n, now); }) first_.started(n, now);
    }
    void ended(node& n, const attempt_outcome& outcome) noexcept {
        if constexpr (requires { first_.ended(n, outcome); }) first_.ended(n, outcome);
    }

private:
    sticky_options options_;
    First first_;
    node* at_ = nullptr;
    time_point until_{};
};
static_assert(load_balancer<sticky<>>);

}  // namespace futon
