// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Routers: which nodes come into question for a kind of calls, before a policy chooses among them.

#include <futon/cluster/any_router.hpp>
#include <futon/cluster/node.hpp>
#include <futon/core/time.hpp>
#include <futon/message/route.hpp>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace futon {

/// Routers in order, after the call's own address if it names one. Where one leaves nothing the rest is not asked.
class router_chain {
public:
    router_chain() = default;
    router_chain(std::vector<any_router> routers) : routers_{std::move(routers)} {}
    router_chain(std::initializer_list<any_router> routers) : routers_{routers} {}

    void narrow(const route& wanted, std::vector<node*>& nodes) const {
        if (!wanted.address.empty()) narrow_to(wanted.address, nodes);
        for (const auto& one : routers_) {
            if (nodes.empty()) return;
            one.narrow(wanted, nodes);
        }
    }
    /// The name of the router that leaves nothing of `nodes`; empty if some are left, or there were none.
    [[nodiscard]] std::string_view blocked_by(const route& wanted, std::vector<node*> nodes) const {
        if (nodes.empty()) return {};
        if (!wanted.address.empty()) narrow_to(wanted.address, nodes);
        if (nodes.empty()) return "address";
        for (const auto& one : routers_) {
            if (nodes.empty()) return {};
            one.narrow(wanted, nodes);
            if (nodes.empty()) return one.name();
        }
        return {};
    }
    [[nodiscard]] bool empty() const noexcept { return routers_.empty(); }
    /// Of the first router that heeds who is absent; zero: none does.
    [[nodiscard]] duration absent_after() const {
        for (const auto& one : routers_)
            if (const auto after = one.absent_after(); after > duration::zero()) return after;
        return {};
    }

private:
    static void narrow_to(const std::string& address, std::vector<node*>& nodes) {
        const auto only = endpoint::parse(address);
        std::erase_if(nodes, [&](const node* n) { return !only || n->told.address != *only; });
    }

    std::vector<any_router> routers_;
};
static_assert(router<router_chain>);

}  // namespace futon
