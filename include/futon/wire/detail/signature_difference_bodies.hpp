// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// How the first difference of two signatures is found.

#include <futon/core/bodies.hpp>
#include <futon/wire/signature.hpp>
#include <futon/wire/signature_difference.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace futon {
namespace detail {

struct shapes_of_signature {
    std::vector<std::string_view> parameters;
    std::string_view result;  ///< Empty: it is no signature.
};

FUTON_DETAIL_BODY shapes_of_signature split_signature(std::string_view signature) {
    shapes_of_signature found;
    std::size_t depth = 0;
    std::size_t begin = 1;
    for (std::size_t i = 0; i < signature.size(); ++i) {
        const char c = signature[i];
        if (std::string_view{"([{<"}.find(c) != std::string_view::npos) ++depth;
        const bool closes = std::string_view{")]}>"}.find(c) != std::string_view::npos;
        if (depth == 0) return {};
        if (depth == 1 && (closes || c == ',')) {
            if (i > begin) found.parameters.push_back(signature.substr(begin, i - begin));
            begin = i + 1;
        }
        if (closes && --depth == 0) {
            constexpr std::string_view arrow = "->";
            if (signature.substr(begin).starts_with(arrow)) found.result = signature.substr(begin + arrow.size());
            return found;
        }
    }
    return {};
}

}  // namespace detail

FUTON_DETAIL_BODY std::string signature_difference(std::string_view theirs, std::string_view ours) {
    const auto a = detail::split_signature(theirs);
    const auto b = detail::split_signature(ours);
    if (a.result.empty() || b.result.empty()) return "";
    const auto said = [](const std::string& where, std::string_view one, std::string_view other) {
        constexpr std::size_t short_enough = 48;
        std::string text = " in " + where;
        if (std::max(one.size(), other.size()) > short_enough) return text;
        return text.append(", ").append(one).append(" and ").append(other);
    };
    const auto fit = [](std::string_view one, std::string_view other) {
        const auto alone = [](std::string_view shape) { return "(" + std::string{shape} + ")->nil"; };
        return compatible(alone(one), alone(other));
    };
    if (a.parameters.size() != b.parameters.size())
        return said("the number of parameters", std::to_string(a.parameters.size()),
                    std::to_string(b.parameters.size()));
    for (std::size_t i = 0; i < a.parameters.size(); ++i)
        if (!fit(a.parameters[i], b.parameters[i]))
            return said("parameter " + std::to_string(i + 1), a.parameters[i], b.parameters[i]);
    return said("the result", a.result, b.result);
}

}  // namespace futon
