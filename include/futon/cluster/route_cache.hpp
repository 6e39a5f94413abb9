// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The sets that calls choose from, one for each kind of calls: made by the routers when the list of providers or the
/// kind is new, and kept with a policy of their own.

#include <futon/cluster/load_balancer.hpp>
#include <futon/cluster/node_set.hpp>
#include <futon/cluster/node_table.hpp>
#include <futon/cluster/router.hpp>
#include <futon/core/time.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

namespace futon {

/// One narrowed set with the policy that chooses in it. An attempt keeps its view, to tell the policy how it ended.
struct cluster_view {
    route wanted;
    node_set nodes;
    any_load_balancer policy;
    std::uint64_t last_used = 0;
    time_point refreshed{};
};

/// Views by route, each brought up to date when it is used.
class route_cache {
public:
    /// `capacity`: views kept at most, at least 1; the one used longest ago goes first.
    explicit route_cache(any_load_balancer policy, router_chain routers = {}, std::size_t capacity = 64)
        : policy_{std::move(policy)}, routers_(std::move(routers)), capacity_{std::max<std::size_t>(capacity, 1)} {}

    /// The view for such calls. Valid for as long as it is held;
    /// `nodes` and `policy.pick` only until the table frees nodes.
    ///
    /// It has seen the table's last change. With `now` a large set need not have: what is new waits for up to 5 us a
    /// node, half a second for a hundred thousand, so that a list that changes all the time does not keep the client
    /// busy. What was removed is not used meanwhile, the table sees to that.
    [[nodiscard]] const std::shared_ptr<cluster_view>& find(const route& wanted, const node_table& table,
                                                            time_point now = no_deadline) {
        auto& found = place(wanted);
        if (found->nodes.version() == table.version()) return found;
        const auto rest = static_cast<duration::rep>(found->nodes.size()) * std::chrono::microseconds{5};
        if (now != no_deadline && now - found->refreshed < rest) return found;
        refresh(*found, table);
        found->refreshed = now == no_deadline ? time_point{} : now;
        return found;
    }
    /// The one provider that calls which name an address may go to, without a view; null if there is none, or the
    /// routers leave it out.
    [[nodiscard]] node* find_one(const route& wanted, const node_table& table) const {
        auto nodes = only(wanted.address, table);
        routers_.narrow(wanted, nodes);
        return nodes.empty() ? nullptr : nodes.front();
    }
    /// After weights have changed.
    void reweigh() {
        for (const auto& v : views_) {
            v->nodes.reweigh();
            v->policy.rebuild(v->nodes);
        }
    }
    /// Brings all views up to date, so that the table can free what is gone.
    void refresh_all(const node_table& table) {
        for (const auto& v : views_)
            if (v->nodes.version() != table.version()) refresh(*v, table);
    }
    /// For `node_table::collect`.
    [[nodiscard]] std::uint64_t oldest_version() const noexcept {
        auto oldest = std::numeric_limits<std::uint64_t>::max();
        for (const auto& v : views_) oldest = std::min(oldest, v->nodes.version());
        return oldest;
    }
    [[nodiscard]] const std::vector<std::shared_ptr<cluster_view>>& views() const noexcept { return views_; }
    /// For new views and all there are, e.g. after the client's options have changed.
    void set_policy(any_load_balancer policy) {
        policy_ = std::move(policy);
        for (const auto& v : views_) {
            // Attempts in flight end with the view that they hold, whose
            // policy has not seen them begin: hooks bear that.
            v->policy = policy_;
            v->policy.rebuild(v->nodes);
        }
    }
    [[nodiscard]] const router_chain& routers() const noexcept { return routers_; }

private:
    [[nodiscard]] std::shared_ptr<cluster_view>& place(const route& wanted) {
        ++uses_;
        // Nearly all calls say nothing.
        if (wanted.empty() && plain_ < views_.size()) [[likely]] {
            views_[plain_]->last_used = uses_;
            return views_[plain_];
        }
        auto oldest = views_.begin();
        for (auto at = views_.begin(); at != views_.end(); ++at) {
            if ((*at)->wanted == wanted) {
                (*at)->last_used = uses_;
                return *at;
            }
            if ((*at)->last_used < (*oldest)->last_used) oldest = at;
        }
        auto made = std::make_shared<cluster_view>(cluster_view{wanted, {}, policy_, uses_, {}});
        if (views_.size() < capacity_) oldest = views_.emplace(views_.end());
        const auto at = static_cast<std::size_t>(oldest - views_.begin());
        if (wanted.empty()) {
            plain_ = at;
        } else if (plain_ == at) {
            plain_ = nowhere;
        }
        return *oldest = std::move(made);
    }
    // Who calls each provider by its address should not look through all of them each time.
    [[nodiscard]] static std::vector<node*> only(const std::string& address, const node_table& table) {
        const auto at = endpoint::parse(address);
        auto* const found = at ? table.find(*at) : nullptr;
        return found ? std::vector<node*>{found} : std::vector<node*>{};
    }
    void refresh(cluster_view& view, const node_table& table) {
        auto nodes = view.wanted.address.empty() ? table.listed() : only(view.wanted.address, table);
        routers_.narrow(view.wanted, nodes);
        const bool panic = view.nodes.panic() || !view.wanted.address.empty();
        view.nodes.assign(std::move(nodes), table.version());
        view.nodes.set_panic(panic);
        view.policy.rebuild(view.nodes);
    }

    static constexpr auto nowhere = std::numeric_limits<std::size_t>::max();

    any_load_balancer policy_;
    router_chain routers_;
    std::size_t capacity_;
    std::vector<std::shared_ptr<cluster_view>> views_;
    std::size_t plain_ = nowhere;  // Which view is that of the empty route.
    std::uint64_t uses_ = 0;
};

}  // namespace futon
