// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What holds for the calls of a channel that say nothing else, as the client and the registry's operators change it.

#include <futon/client/call_rules.hpp>
#include <futon/client/client_options.hpp>
#include <futon/client/detail/apply_settings.hpp>
#include <futon/client/detail/attempts.hpp>
#include <futon/client/detail/fleet.hpp>
#include <futon/client/detail/fleet_rules.hpp>
#include <futon/client/detail/hedging_path.hpp>
#include <futon/core/time.hpp>
#include <futon/message/metadata.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace futon::detail {

/// The client's own rules with what the registry says laid over them, told to those who follow them.
///
/// Guarded by its channel's lock, as are those who follow, but for what says otherwise.
class standing_rules {
public:
    /// All outlive it.
    standing_rules(const client_options& options, attempts& repeats, hedging_path& hedging, fleet& providers) noexcept
        : options_{options},
          attempts_{repeats},
          hedging_{hedging},
          fleet_{providers},
          timeout_{options.timeout.count()} {}

    void set_own(const call_rules& rules) {
        own_ = rules;
        static_cast<void>(follow());
    }
    /// What the registry says. Returns what cannot be meant by it and was not said before, to be reported without the
    /// lock; empty: nothing new.
    [[nodiscard]] std::string set_settings(const metadata& said) {
        if (said == settings_) return {};
        settings_ = said;
        return follow();
    }
    /// How much of what the registry says cannot be meant by it.
    [[nodiscard]] std::size_t ignored() const noexcept { return faults_.size(); }
    /// The deadline of calls whose method and caller say nothing. Thread-safety: safe.
    [[nodiscard]] duration timeout() const noexcept { return duration{timeout_.load(std::memory_order_relaxed)}; }

private:
    std::string follow() {
        std::vector<std::string> faults;
        const auto rules = apply_settings(own_, settings_, options_, faults);
        timeout_.store(rules.timeout.value_or(options_.timeout).count(), std::memory_order_relaxed);
        attempts_.set_policy(rules.retry.value_or(options_.retry));
        hedging_.set_rule(rules.hedge.value_or(options_.hedge));
        if (rules.balancer || other_balancer_)
            fleet_.set_balancer(rules.balancer ? *rules.balancer : rules_of(options_).balancer);
        other_balancer_ = rules.balancer.has_value();
        fleet_.set_health(rules.health.value_or(options_.health));
        // In one text: of several reports of one kind at a time only the first is printed.
        std::string text;
        for (const auto& each : faults)
            if (std::find(faults_.begin(), faults_.end(), each) == faults_.end())
                text.append(text.empty() ? "" : "; ").append(each);
        faults_ = std::move(faults);
        return text;
    }

    const client_options& options_;
    attempts& attempts_;
    hedging_path& hedging_;
    fleet& fleet_;
    call_rules own_;
    metadata settings_;  // Of the registry.
    std::vector<std::string> faults_;
    bool other_balancer_ = false;  // Than the one in the options.
    std::atomic<duration::rep> timeout_;
};

}  // namespace futon::detail
