// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The nodes that a policy chooses among: what routers have left of a cluster, as one snapshot.

#include <futon/cluster/dice.hpp>
#include <futon/cluster/node.hpp>
#include <futon/core/time.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace futon {

/// What a policy is given for one pick.
struct pick_context {
    time_point now{};                         ///< A policy has no clock of its own.
    dice& random;                             ///< Nor dice: the same seed and events give the same picks.
    std::optional<std::uint64_t> hash_key{};  ///< Of the call, by `stable_hash`; hashing policies choose by it.
    std::span<node* const> tried{};           ///< By this call already, and therefore not usable. A few.
    /// Usable, and avoided for failures that may be over; this call would be repeated if it failed there. A policy that
    /// avoids nodes for their past returns it; null: there is none. See `recovery_trials`.
    node* trial = nullptr;

    [[nodiscard]] bool has_tried(const node& n) const noexcept {
        return std::find(tried.begin(), tried.end(), &n) != tried.end();
    }
};

/// Nodes by index, in an order that says nothing. Their counters change under it; its members do not, nor their order,
/// until its owner assigns new ones and has the policy rebuilt.
class node_set {
public:
    node_set() = default;
    explicit node_set(std::vector<node*> nodes, std::uint64_t version = 1) { assign(std::move(nodes), version); }

    [[nodiscard]] std::size_t size() const noexcept { return nodes_.size(); }
    [[nodiscard]] bool empty() const noexcept { return nodes_.empty(); }
    [[nodiscard]] node& operator[](std::size_t index) const noexcept { return *nodes_[index]; }
    [[nodiscard]] auto begin() const noexcept { return nodes_.begin(); }  ///< Over `node*`.
    [[nodiscard]] auto end() const noexcept { return nodes_.end(); }
    /// Changes whenever its members do.
    [[nodiscard]] std::uint64_t version() const noexcept { return version_; }

    /// Connected, neither ejected nor draining nor of weight 0, and not tried by this call. Ejection does not count in
    /// a panic, weights do not where all are 0.
    [[nodiscard]] bool usable(const node& n, const pick_context& call) const noexcept {
        return usable(n) && (call.tried.empty() || !call.has_tried(n));
    }
    [[nodiscard]] bool usable(const node& n) const noexcept { return (n.holds & heeded_) == 0; }

    /// One usable node by chance, or null if there is none: what most policies begin with, and end with where their own
    /// choice is not usable. A few throws, then one walk round the set from a random place.
    [[nodiscard]] node* draw(pick_context& call) const noexcept {
        if (nodes_.empty()) return nullptr;
        for (int throws = 0; throws < 4; ++throws) {
            auto* const one = nodes_[call.random.below(nodes_.size())];
            if (usable(*one, call)) return one;
        }
        return next_usable(call.random.below(nodes_.size()), call);
    }
    /// The first usable node at or after `index`, round the end; null if there is none.
    [[nodiscard]] node* next_usable(std::size_t index, const pick_context& call) const noexcept {
        for (std::size_t i = index; i < nodes_.size(); ++i)
            if (usable(*nodes_[i], call)) return nodes_[i];
        for (std::size_t i = 0; i < index; ++i)
            if (usable(*nodes_[i], call)) return nodes_[i];
        return nullptr;
    }

    /// Of all nodes, usable or not, when the set was made or reweighed last; what tables are built from.
    [[nodiscard]] float total_weight() const noexcept { return total_weight_; }
    [[nodiscard]] float least_weight() const noexcept { return least_weight_; }
    [[nodiscard]] bool weights_differ() const noexcept { return least_weight_ != greatest_weight_; }

    // For its owner.

    void assign(std::vector<node*> nodes, std::uint64_t version) {
        nodes_ = std::move(nodes);
        version_ = version;
        reweigh();
    }
    /// After weights have changed; the policy is rebuilt afterwards.
    void reweigh() noexcept {
        total_weight_ = least_weight_ = greatest_weight_ = 0;
        bool first = true;
        for (const auto* n : nodes_) {
            total_weight_ += n->weight;
            least_weight_ = first ? n->weight : std::min(least_weight_, n->weight);
            greatest_weight_ = std::max(greatest_weight_, n->weight);
            first = false;
        }
        heed(hold::drained, greatest_weight_ > 0);
    }
    /// In a panic ejected nodes are used like all others.
    void set_panic(bool panic) noexcept {
        heed(hold::ejected, !panic);
        heed(hold::on_trial, !panic);
    }
    [[nodiscard]] bool panic() const noexcept { return (heeded_ & static_cast<std::uint8_t>(hold::ejected)) == 0; }

private:
    void heed(hold why, bool heeded) noexcept {
        const auto bit = static_cast<std::uint8_t>(why);
        heeded_ = static_cast<std::uint8_t>(heeded ? heeded_ | bit : heeded_ & ~bit);
    }

    std::vector<node*> nodes_;
    std::uint64_t version_ = 0;
    float total_weight_ = 0;
    float least_weight_ = 0;
    float greatest_weight_ = 0;
    std::uint8_t heeded_ = 0xff;
};

}  // namespace futon
