// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A registry's address as text: "scheme:rest?key=value&...".

#include <futon/cluster/provider_text.hpp>
#include <futon/cluster/query_text.hpp>
#include <futon/core/error.hpp>
#include <futon/core/nearest_name.hpp>
#include <futon/core/result.hpp>
#include <futon/core/time.hpp>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace futon {

/// The parts of a registry's address. Each kind of registry says
/// which options it knows, so that a misspelt one is an error.
struct registry_url {
    std::string text{};    ///< As it was given.
    std::string scheme{};  ///< Before the first ':'.
    std::string rest{};    ///< Between that and the '?'; two slashes at its beginning are left out.
    metadata options{};    ///< After the '?'.

    /// Errors: `errc::bad_address`.
    [[nodiscard]] static result<registry_url> parse(std::string_view from) {
        registry_url made{.text = std::string{from}};
        const auto colon = from.find(':');
        if (colon == from.npos || colon == 0) return made.fault("it has no scheme, as in file:///run/futon");
        made.scheme = from.substr(0, colon);
        auto rest = from.substr(colon + 1);
        if (rest.starts_with("//")) rest.remove_prefix(2);
        const auto question = rest.find('?');
        made.rest = rest.substr(0, question);
        if (question == rest.npos) return made;
        auto options = detail::parse_settings(rest.substr(question + 1));
        if (!options) return made.fault(options.error().message());
        made.options = *std::move(options);
        return made;
    }

    [[nodiscard]] error fault(std::string_view why) const {
        return {errc::bad_address, "'" + text + "' is not the address of a registry: " + std::string{why},
                executed::no};
    }
    /// A time like "500ms", of a day at most; `otherwise` if it is not given.
    [[nodiscard]] result<duration> time(std::string_view key, duration otherwise) const {
        const auto given = options.get(key);
        if (!given) return otherwise;
        duration read{};
        if (!detail::parse_duration(*given, longest_warm_up, read) || read <= duration::zero())
            return fault("'" + std::string{key} + "' must be a time like 500ms");
        return read;
    }
    /// Errors: an option with another name than these.
    [[nodiscard]] result<void> knows_only(std::initializer_list<std::string_view> known) const {
        for (const auto& [key, value] : options)
            if (std::find(known.begin(), known.end(), key) == known.end())
                return fault(
                    "it has no option '" + key + "'" +
                    (known.size() == 0 ? std::string{} : detail::known_names(key, {known.begin(), known.end()})));
        return {};
    }
    /// `rest`, split at commas.
    [[nodiscard]] static std::vector<std::string> split(std::string_view list, char at = ',') {
        std::vector<std::string> parts;
        while (true) {
            const auto end = list.find(at);
            parts.emplace_back(list.substr(0, end));
            if (end == list.npos) return parts;
            list.remove_prefix(end + 1);
        }
    }
};

}  // namespace futon
