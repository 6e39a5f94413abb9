// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The routers that come with futon: by version, group and tags,
/// and by a condition on both. For zones see zone_aware.hpp.

#include <futon/cluster/router.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace futon {

namespace detail {

/// Keeps the nodes that fit; all of them if none does and that is allowed.
template <class Fits>
void keep_fitting(std::vector<node*>& nodes, bool or_all, const Fits& fits) {
    if (or_all) {
        bool any = false;
        for (const auto* n : nodes) any = any || fits(*n);
        if (!any) return;
    }
    std::erase_if(nodes, [&](const node* n) { return !fits(*n); });
}

}  // namespace detail

/// Only providers of the version that the call asks for; calls that ask for none may go anywhere.
struct version_router {
    bool or_all = false;  ///< Where no provider has that version, use all; else the call fails with `no_provider`.

    void narrow(const route& wanted, std::vector<node*>& nodes) const {
        if (wanted.version.empty()) return;
        detail::keep_fitting(nodes, or_all, [&](const node& n) { return n.told.version == wanted.version; });
    }
    [[nodiscard]] std::string_view name() const noexcept { return "version"; }
};
static_assert(router<version_router>);

/// Only providers of the group that the call asks for. Calls that ask for none go to providers without a group, if
/// there are any: a canary gets the calls that name it, and no others.
struct group_router {
    bool or_all = false;  ///< Where no provider has that group, use all; else the call fails with `no_provider`.

    void narrow(const route& wanted, std::vector<node*>& nodes) const {
        detail::keep_fitting(nodes, or_all || wanted.group.empty(),
                             [&](const node& n) { return n.told.group == wanted.group; });
    }
    [[nodiscard]] std::string_view name() const noexcept { return "group"; }
};
static_assert(router<group_router>);

/// Only providers with each of the call's tags, with the same values.
struct tag_router {
    std::vector<std::string> keys{};  ///< Tags of these names only; empty: each tag of the call.
    bool or_all = false;              ///< Where no provider has them, use all; else the call fails with `no_provider`.

    void narrow(const route& wanted, std::vector<node*>& nodes) const {
        if (wanted.tags.empty()) return;
        detail::keep_fitting(nodes, or_all, [&](const node& n) {
            for (const auto& [key, value] : wanted.tags)
                if (heeds(key) && n.told.tags.get(key) != std::string_view{value}) return false;
            return true;
        });
    }
    [[nodiscard]] std::string_view name() const noexcept { return "tags"; }

private:
    [[nodiscard]] bool heeds(const std::string& key) const noexcept {
        for (const auto& k : keys)
            if (k == key) return true;
        return keys.empty();
    }
};
static_assert(router<tag_router>);

/// Where `when` holds for a call, only providers for which `then` holds: "calls tagged tenant=big go to zone b".
struct condition_router {
    std::function<bool(const route&)> when{};     ///< Empty: always.
    std::function<bool(const provider&)> then{};  ///< Empty: any provider.
    /// Where no provider fits, use all; else the call fails with `no_provider`.
    bool or_all = false;
    std::string title = "condition";  ///< For messages.

    void narrow(const route& wanted, std::vector<node*>& nodes) const {
        if (!then || (when && !when(wanted))) return;
        detail::keep_fitting(nodes, or_all, [&](const node& n) { return then(n.told); });
    }
    [[nodiscard]] std::string_view name() const noexcept { return title; }
};
static_assert(router<condition_router>);

}  // namespace futon
