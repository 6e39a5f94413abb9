// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What an operator set in a registry for the calls of a service, as rules.

#include <futon/client/call_rules.hpp>
#include <futon/client/client_options.hpp>
#include <futon/cluster/provider_text.hpp>
#include <futon/core/error.hpp>
#include <futon/core/nearest_name.hpp>
#include <futon/message/metadata.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace futon::detail {

inline constexpr std::array<std::string_view, 5> setting_names{"timeout", "retries", "cluster", "hedge", "balancer"};

/// For a log: the beginning, on one line. Anybody may have written it.
[[nodiscard]] inline std::string shown_setting(std::string_view text) {
    constexpr std::size_t most = 100;
    std::string shown{text.substr(0, most)};
    std::replace_if(
        shown.begin(), shown.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, '?');
    return text.size() > most ? shown + "..." : shown;
}

/// `own` with what `set` says laid over it: "timeout" with its unit, e.g. "200ms"; "cluster", "failfast" or "failover";
/// "retries", the attempts after the first; "hedge", "off", "p95" or a delay; "balancer", by name. What
/// cannot be read, or is none of these, changes nothing, and is said in `faults`.
[[nodiscard]] inline call_rules apply_settings(call_rules own, const metadata& set, const client_options& options,
                                               std::vector<std::string>& faults) {
    const auto refuse = [&](std::string_view key, std::string_view value, const std::string& expected) {
        faults.push_back("'" + shown_setting(key) + "=" + shown_setting(value) + "': " + expected);
    };
    for (const auto& [key, value] : set)
        if (std::find(setting_names.begin(), setting_names.end(), key) == setting_names.end())
            refuse(key, value, "there is no such setting" + known_names(key, setting_names));
    if (const auto text = set.get("timeout")) {
        duration after{};
        if (parse_duration(*text, std::chrono::hours{24}, after) && after > duration{})
            own.timeout = after;
        else
            refuse("timeout", *text, "expected a time with its unit, e.g. 200ms, of more than zero and at most 24h");
    }
    if (const auto text = set.get("retries")) {
        std::uint32_t more = 0;
        if (parse_number(*text, 100, more)) {
            auto policy = own.retry.value_or(options.retry);
            policy.max_attempts = static_cast<int>(more) + 1;
            own.retry = policy;
        } else {
            refuse("retries", *text, "expected a number from 0 to 100");
        }
    }
    if (const auto text = set.get("cluster")) {
        auto policy = own.retry.value_or(options.retry);
        if (*text == "failfast") {
            policy.max_attempts = 1;
            own.retry = policy;
        } else if (*text == "failover") {
            if (policy.max_attempts <= 1) policy.max_attempts = exponential_backoff{}.max_attempts;
            own.retry = policy;
        } else {
            refuse("cluster", *text, "expected failover or failfast");
        }
    }
    if (const auto text = set.get("hedge")) {
        duration after{};
        if (*text == "off") {
            own.hedge = hedging{};
        } else if (*text == "p95") {
            own.hedge = hedging{.max_attempts = 2};
        } else if (parse_duration(*text, std::chrono::hours{24}, after) && after > duration{}) {
            own.hedge = hedging{.max_attempts = 2, .delay = after};
        } else {
            refuse("hedge", *text,
                   "expected off, p95, or a time with its unit, e.g. 20ms, of more than zero and at most 24h");
        }
    }
    if (const auto text = set.get("balancer")) {
        if (!options.balancer_by_name) {
            refuse("balancer", *text, "set client_options.balancer_by_name to &futon::make_load_balancer to allow it");
        } else if (auto made = options.balancer_by_name(*text)) {
            own.balancer = *std::move(made);
        } else {
            refuse("balancer", *text, made.error().message());
        }
    }
    return own;
}

}  // namespace futon::detail
