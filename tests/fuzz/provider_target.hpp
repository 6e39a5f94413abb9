// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What the fuzzer of provider texts and the replay of its corpus do with one input: what can be read can be published,
/// and is read the same from what is written.

#include <futon/cluster/provider_text.hpp>

#include <string_view>

namespace provider_target {

[[nodiscard]] inline bool holds(std::string_view input) {
    const auto read = futon::parse_provider(input);
    if (!read) return !read.error().message().empty() && read.error().message().size() < 512;
    const auto written = futon::provider_text(*read);
    return futon::provider_fault(*read).empty() && written.size() <= futon::detail::most_query_bytes &&
           futon::parse_provider(written) == *read;
}

}  // namespace provider_target
