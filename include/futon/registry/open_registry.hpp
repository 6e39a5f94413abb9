// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A registry by its URL: the kinds that a program can use are those that it includes and lists.

#include <futon/cluster/registry.hpp>
#include <futon/core/result.hpp>
#include <futon/registry/registry_url.hpp>

#include <concepts>
#include <string>
#include <string_view>
#include <utility>

namespace futon {

/// A kind of registry that can be opened by URL: its scheme, and how it is made.
template <class R>
concept registry_by_url = registry<R> && requires(const registry_url& url) {
    { R::scheme } -> std::convertible_to<std::string_view>;
    { R::open(url) } -> std::same_as<result<R>>;
};

/// Opens the registry that `url` names: `open_registry<file_registry, etcd_registry>("file:///run/futon")`.
///
/// Errors: `errc::bad_address`, with the schemes that were listed, or what is wrong with the rest.
template <registry_by_url... Registries>
[[nodiscard]] result<any_registry> open_registry(std::string_view url) {
    static_assert(sizeof...(Registries) > 0,
                  "futon::open_registry: list the kinds of registry that it may open, e.g. "
                  "open_registry<futon::file_registry>(url)");
    auto parts = registry_url::parse(url);
    if (!parts) return std::move(parts).error();
    result<any_registry> made = error{errc::bad_address};
    const auto open = [&]<class R>(std::type_identity<R>) {
        if (parts->scheme != R::scheme) return false;
        auto opened = R::open(*parts);
        if (opened)
            made = any_registry{*std::move(opened)};
        else
            made = std::move(opened).error();
        return true;
    };
    if ((open(std::type_identity<Registries>{}) || ...)) return made;
    std::string known;
    ((known += (known.empty() ? "" : ", ") + std::string{Registries::scheme} + ":"), ...);
    return parts->fault("the schemes that this program knows, by the classes in open_registry<...>, are " + known);
}

}  // namespace futon
