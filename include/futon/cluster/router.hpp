// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Routers: which nodes come into question for a kind of calls, before a policy chooses among them.

#include <futon/cluster/any_router.hpp>
#include <futon/cluster/node.hpp>
#include <futon/core/time.hpp>
#include <futon/message/route.hpp>

#include <cstddef>
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
        return block_of(wanted, nodes).by;
    }
    /// The same in words: "the router 'tags' leaves none of the 2 providers before it, for a call with version '3'".
    [[nodiscard]] std::string why_none(const route& wanted, std::vector<node*> nodes) const {
        const auto found = block_of(wanted, nodes);
        if (found.by.empty()) return {};
        const auto before = std::to_string(found.before) + (found.before == 1 ? " provider" : " providers");
        if (found.is_address)
            return "the call's route names " + wanted.address + ", which is " +
                   (endpoint::parse(wanted.address) ? "" : "no address, and ") + "none of the " + before;
        return "the router '" + std::string{found.by} + "' leaves none of the " + before + " before it, for a call " +
               (wanted.empty() ? "without a route" : "with " + text_of(wanted));
    }
    [[nodiscard]] bool empty() const noexcept { return routers_.empty(); }
    /// Of the first router that heeds who is absent; zero: none does.
    [[nodiscard]] duration absent_after() const {
        for (const auto& one : routers_)
            if (const auto after = one.absent_after(); after > duration::zero()) return after;
        return {};
    }

private:
    struct block {
        std::string_view by{};
        std::size_t before = 0;
        bool is_address = false;
    };
    [[nodiscard]] block block_of(const route& wanted, std::vector<node*>& nodes) const {
        auto before = nodes.size();
        if (before == 0) return {};
        if (!wanted.address.empty()) narrow_to(wanted.address, nodes);
        if (nodes.empty()) return {"address", before, true};
        for (const auto& one : routers_) {
            before = nodes.size();
            one.narrow(wanted, nodes);
            if (nodes.empty()) return {one.name(), before};
        }
        return {};
    }
    // What may be of any length is cut.
    [[nodiscard]] static std::string text_of(const route& wanted) {
        constexpr std::size_t enough = 256;
        std::string text;
        const auto add = [&](std::string_view what, std::string_view value) {
            if (value.empty() || text.size() > enough) return;
            text.append(text.empty() ? "" : ", ").append(what).append(" '").append(value.substr(0, enough)).append("'");
        };
        add("address", wanted.address);
        add("version", wanted.version);
        add("group", wanted.group);
        for (const auto& [key, value] : wanted.tags) add("tag", std::string{key} + "=" + std::string{value});
        return text;
    }
    static void narrow_to(const std::string& address, std::vector<node*>& nodes) {
        const auto only = endpoint::parse(address);
        std::erase_if(nodes, [&](const node* n) { return !only || n->told.address != *only; });
    }

    std::vector<any_router> routers_;
};
static_assert(router<router_chain>);

}  // namespace futon
