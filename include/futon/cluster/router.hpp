// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Routers: which nodes come into question for a kind of calls, before a policy chooses among them.

#include <futon/cluster/node.hpp>
#include <futon/message/route.hpp>

#include <concepts>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace futon {

/// Takes nodes out of a list. It runs when the list of providers or a kind of calls is new, never per call, and so sees
/// what registries tell, not health.
///
/// Thread-safety: one thread at a time; const, and must not block.
template <class R>
concept router = std::copy_constructible<R> && requires(const R& r, const route& wanted, std::vector<node*>& nodes) {
    r.narrow(wanted, nodes);
};

/// A copy of any router; copies share it.
class any_router {
public:
    template <class R>
        requires(!std::same_as<std::remove_cvref_t<R>, any_router> && router<std::remove_cvref_t<R>>)
    any_router(R&& r) : router_{std::make_shared<const model<std::remove_cvref_t<R>>>(std::forward<R>(r))} {}

    void narrow(const route& wanted, std::vector<node*>& nodes) const { router_->narrow(wanted, nodes); }
    /// For messages: its `name()`, or "router".
    [[nodiscard]] std::string_view name() const { return router_->name(); }

private:
    struct concept_ {
        virtual ~concept_() = default;
        virtual void narrow(const route&, std::vector<node*>&) const = 0;
        [[nodiscard]] virtual std::string_view name() const = 0;
    };
    template <class R>
    struct model final : concept_ {
        explicit model(R r) : kept(std::move(r)) {}
        void narrow(const route& wanted, std::vector<node*>& nodes) const override { kept.narrow(wanted, nodes); }
        std::string_view name() const override {
            if constexpr (requires { std::string_view{kept.name()}; }) {
                return kept.name();
            } else {
                return "router";
            }
        }
        R kept;
    };
    std::shared_ptr<const concept_> router_;
};
static_assert(router<any_router>);

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

private:
    static void narrow_to(const std::string& address, std::vector<node*>& nodes) {
        const auto only = endpoint::parse(address);
        std::erase_if(nodes, [&](const node* n) { return !only || n->told.address != *only; });
    }

    std::vector<any_router> routers_;
};
static_assert(router<router_chain>);

}  // namespace futon
