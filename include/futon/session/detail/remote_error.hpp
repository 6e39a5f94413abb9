// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What an error frame says, as an `error`.

#include <futon/core/error.hpp>
#include <futon/wire/frame.hpp>
#include <futon/wire/limits.hpp>

#include <span>
#include <string>
#include <system_error>

namespace futon::detail {

/// A code in a category that is not known here becomes `remote_error`, with the code in its text. So does zero, which
/// would stand for success wherever an error code is all that is looked at.
[[nodiscard]] inline error remote_error(const frame& from, std::span<const std::error_category* const> categories) {
    const auto complete = [&](error made) {
        if (from.retry_after > duration::zero()) made = made.with_retry_after(from.retry_after);
        if (!from.body.empty() && from.body.size() <= max_error_payload_bytes) made = made.with_payload(from.body);
        if (!from.remote_type.empty()) made = made.with_remote_type(std::string{from.remote_type});
        return made;
    };
    std::string text{from.text};
    if (from.code == 0) return complete({errc::remote_error, std::move(text), from.ran});
    if (from.category.empty()) return complete({static_cast<errc>(from.code), std::move(text), from.ran});
    if (from.category == std::generic_category().name())
        return complete({{from.code, std::generic_category()}, std::move(text), from.ran});
    for (const auto* known : categories)
        if (from.category == known->name()) return complete({{from.code, *known}, std::move(text), from.ran});
    text = std::string{from.category} + ":" + std::to_string(from.code) + ": " + text;
    return complete({errc::remote_error, std::move(text), from.ran});
}

}  // namespace futon::detail
