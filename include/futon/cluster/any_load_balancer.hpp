// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a load-balancing policy is, and the handle that options and channels hold one by. Who only holds one compiles
/// nothing of what a policy sees; who writes one includes <futon/cluster/load_balancer.hpp>.

#include <futon/cluster/detail/probing.hpp>
#include <futon/core/time.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

namespace futon {

struct attempt_outcome;
struct load_report;
struct node;
class node_set;
struct pick_context;

/// Chooses the node for an attempt among those of a set that are usable; null if none is.
///
/// A policy may have any of these, too, each noexcept but `rebuild`:
/// `void rebuild(const node_set&)` before the first pick, and whenever members or weights have changed;
/// `void started(node&, time_point)` when an attempt on a node begins; `node.in_flight` counts it already;
/// `void ended(node&, const attempt_outcome&)` exactly once for each of these, also if the node is listed no more;
/// `node.in_flight` counts it no more;
/// `std::size_t next_probes(const node_set&, pick_context&, std::span<node*>)` which nodes to ask for a load report,
/// after a pick; `void probed(node&, const load_report&, time_point)` what one of them said.
///
/// Thread-safety: called by one thread at a time; must neither block nor allocate (but in `rebuild`) nor throw.
template <class P>
concept load_balancer = std::copy_constructible<P> && requires(P& policy, const node_set& nodes, pick_context& call) {
    { policy.pick(nodes, call) } noexcept -> std::same_as<node*>;
};

/// A copy of any policy; itself one. Copies choose independently: a channel copies the one in its options.
///
/// Its hooks do nothing where the policy has none. Moved from, or
/// never given a policy, it may only be assigned or destroyed.
class any_load_balancer {
public:
    any_load_balancer() = default;
    template <class P>
        requires(!std::same_as<std::remove_cvref_t<P>, any_load_balancer> && load_balancer<std::remove_cvref_t<P>>)
    any_load_balancer(P&& policy) : policy_{std::make_unique<model<std::remove_cvref_t<P>>>(std::forward<P>(policy))} {}
    any_load_balancer(const any_load_balancer& other) : policy_{other.policy_ ? other.policy_->clone() : nullptr} {}
    any_load_balancer(any_load_balancer&&) noexcept = default;
    any_load_balancer& operator=(any_load_balancer other) noexcept {
        policy_ = std::move(other.policy_);
        return *this;
    }
    ~any_load_balancer() = default;

    [[nodiscard]] explicit operator bool() const noexcept { return policy_ != nullptr; }

    [[nodiscard]] node* pick(const node_set& nodes, pick_context& call) noexcept { return policy_->pick(nodes, call); }
    void rebuild(const node_set& nodes) { policy_->rebuild(nodes); }
    void started(node& n, time_point now) noexcept { policy_->started(n, now); }
    void ended(node& n, const attempt_outcome& outcome) noexcept { policy_->ended(n, outcome); }
    /// Whether the policy may want to know the load of nodes: then ask for `next_probes` after each pick.
    [[nodiscard]] bool probes() const noexcept { return policy_->probes(); }
    /// Fills `into` from its front with nodes to ask for their load now, and says how many.
    [[nodiscard]] std::size_t next_probes(const node_set& nodes, pick_context& call, std::span<node*> into) noexcept {
        return policy_->next_probes(nodes, call, into);
    }
    void probed(node& n, const load_report& report, time_point now) noexcept { policy_->probed(n, report, now); }
    /// When to ask for `idle_probes`, if no call comes before; `no_deadline`: not at all. Only `next_probes` and
    /// `idle_probes` change it.
    [[nodiscard]] time_point idle_probes_due() const noexcept { return policy_->idle_probes_due(); }
    /// As `next_probes`, though no call was made.
    [[nodiscard]] std::size_t idle_probes(const node_set& nodes, pick_context& call, std::span<node*> into) noexcept {
        return policy_->idle_probes(nodes, call, into);
    }

private:
    struct concept_ {
        virtual ~concept_() = default;
        [[nodiscard]] virtual std::unique_ptr<concept_> clone() const = 0;
        virtual node* pick(const node_set&, pick_context&) noexcept = 0;
        virtual void rebuild(const node_set&) = 0;
        virtual void started(node&, time_point) noexcept = 0;
        virtual void ended(node&, const attempt_outcome&) noexcept = 0;
        virtual bool probes() const noexcept = 0;
        virtual std::size_t next_probes(const node_set&, pick_context&, std::span<node*>) noexcept = 0;
        virtual void probed(node&, const load_report&, time_point) noexcept = 0;
        virtual time_point idle_probes_due() const noexcept = 0;
        virtual std::size_t idle_probes(const node_set&, pick_context&, std::span<node*>) noexcept = 0;
    };
    template <class P>
    struct model;

    std::unique_ptr<concept_> policy_;
};

template <class P>
struct any_load_balancer::model final : any_load_balancer::concept_ {
    explicit model(P p) : policy(std::move(p)) {}
    std::unique_ptr<concept_> clone() const override { return std::make_unique<model>(policy); }
    node* pick(const node_set& nodes, pick_context& call) noexcept override { return policy.pick(nodes, call); }
    void rebuild(const node_set& nodes) override {
        if constexpr (requires { policy.rebuild(nodes); }) policy.rebuild(nodes);
    }
    void started(node& n, time_point now) noexcept override {
        if constexpr (requires { policy.started(n, now); }) policy.started(n, now);
    }
    void ended(node& n, const attempt_outcome& outcome) noexcept override {
        if constexpr (requires { policy.ended(n, outcome); }) policy.ended(n, outcome);
    }
    bool probes() const noexcept override { return detail::wants_probes(policy); }
    std::size_t next_probes(const node_set& nodes, pick_context& call, std::span<node*> into) noexcept override {
        return detail::next_probes(policy, nodes, call, into);
    }
    void probed(node& n, const load_report& report, time_point now) noexcept override {
        detail::probed(policy, n, report, now);
    }
    time_point idle_probes_due() const noexcept override { return detail::idle_probes_due(policy); }
    std::size_t idle_probes(const node_set& nodes, pick_context& call, std::span<node*> into) noexcept override {
        return detail::idle_probes(policy, nodes, call, into);
    }
    P policy;
};
static_assert(load_balancer<any_load_balancer>);

}  // namespace futon
