// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a router is, and the handle that options hold one by; see router.hpp.

#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/time.hpp>

#include <concepts>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace futon {

struct node;
struct route;

/// Takes nodes out of a list. It runs when the list of providers or a kind of calls is new, never per call, and so sees
/// what registries tell, not health; but for `node::absent`, if it has `duration absent_after() const`: then it runs
/// also when a node has been out for so long, and when that one is back.
///
/// Thread-safety: one thread at a time; const, and must not block.
template <class R>
concept router = std::copy_constructible<R> &&
                 requires(const R& r, const route& wanted, std::vector<node*>& nodes) { r.narrow(wanted, nodes); };

/// A copy of any router; copies share it.
class any_router {
public:
    template <class R>
        requires(!std::same_as<std::remove_cvref_t<R>, any_router> && router<std::remove_cvref_t<R>>)
    any_router(R&& r) : router_{detail::make_intrusive<model<std::remove_cvref_t<R>>>(std::forward<R>(r))} {}

    void narrow(const route& wanted, std::vector<node*>& nodes) const { router_->narrow(wanted, nodes); }
    /// For messages: its `name()`, or "router".
    [[nodiscard]] std::string_view name() const { return router_->name(); }
    /// How long a node has to be out to be absent for it; zero: it does not heed that.
    [[nodiscard]] duration absent_after() const { return router_->absent_after(); }

private:
    struct concept_ : detail::ref_counted {
        virtual void narrow(const route&, std::vector<node*>&) const = 0;
        [[nodiscard]] virtual std::string_view name() const = 0;
        [[nodiscard]] virtual duration absent_after() const = 0;
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
        duration absent_after() const override {
            if constexpr (requires { kept.absent_after(); }) return kept.absent_after();
            return {};
        }
        R kept;
    };
    detail::intrusive_ptr<const concept_> router_;
};
static_assert(router<any_router>);

}  // namespace futon
