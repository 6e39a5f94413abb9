// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The full name of a service: "name", "name:version" or "name:version:unique_id".

#include <initializer_list>
#include <string>
#include <string_view>

namespace futon {

/// Puts the parts together. `wire_name` is a contract's; where it holds a version or a unique id itself,
/// those stand unless others are given.
[[nodiscard]] inline std::string service_key(std::string_view wire_name, std::string_view version,
                                             std::string_view unique_id) {
    const auto first = wire_name.find(':');
    const auto name = wire_name.substr(0, first);
    auto rest = first == wire_name.npos ? std::string_view{} : wire_name.substr(first + 1);
    const auto second = rest.find(':');
    if (version.empty()) version = rest.substr(0, second);
    if (unique_id.empty() && second != rest.npos) unique_id = rest.substr(second + 1);
    std::string key{name};
    if (!version.empty() || !unique_id.empty()) key.append(":").append(version);
    if (!unique_id.empty()) key.append(":").append(unique_id);
    return key;
}

namespace detail {

/// The one that cannot be a part of a name, because it has the ':' that separates them; empty: neither.
[[nodiscard]] inline std::string_view misplaced_separator(std::string_view version,
                                                          std::string_view unique_id) noexcept {
    for (const auto part : {version, unique_id})
        if (part.find(':') != part.npos) return part;
    return {};
}

}  // namespace detail

}  // namespace futon
