// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The policy `round_robin`: one after the other, in an order of the client's own.

#include <futon/cluster/load_balancer.hpp>

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace futon {

/// Takes turns; weights do not count, see `weighted_round_robin`. Each client has another order and begins elsewhere:
/// clients that walk the same list in step pile their calls up on one provider after the other. The turn of a node that
/// is not usable goes to one by chance, not to its neighbour, which would carry twice its share.
///
/// Its weak spot: it knows nothing of load, so a slow node gets as many calls as any.
class round_robin {
public:
    [[nodiscard]] node* pick(const node_set& nodes, pick_context& call) noexcept {
        if (order_.empty() || order_.size() != nodes.size()) return nodes.draw(call);
        if (next_ == order_.size()) {
            next_ = 0;
            shuffled_ = true;
        }
        // The first round shuffles as it goes, so that no pick takes longer than others.
        if (!shuffled_) std::swap(order_[next_], order_[next_ + call.random.below(order_.size() - next_)]);
        auto& its_turn = nodes[order_[next_++]];
        return nodes.usable(its_turn, call) ? &its_turn : nodes.draw(call);
    }
    void rebuild(const node_set& nodes) {
        if (version_ == nodes.version() && order_.size() == nodes.size()) return;  // Only weights have changed.
        version_ = nodes.version();
        order_.resize(nodes.size());
        std::iota(order_.begin(), order_.end(), std::uint32_t{0});
        next_ = 0;
        shuffled_ = false;
    }

private:
    std::vector<std::uint32_t> order_;
    std::size_t next_ = 0;
    std::uint64_t version_ = 0;
    bool shuffled_ = false;
};
static_assert(load_balancer<round_robin>);

}  // namespace futon
