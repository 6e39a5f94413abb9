// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// After a total outage: lets through only as many calls as the first providers that are back can bear.

#include <futon/cluster/dice.hpp>
#include <futon/cluster/health_options.hpp>
#include <futon/core/time.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>

namespace futon {

/// Where no node was usable, calls are admitted in proportion to the nodes that are back, until their number rests.
class recovery_throttle {
public:
    explicit recovery_throttle(recovery_options options = {}) noexcept : options_{options} {}

    /// Whenever the number of usable nodes may have changed, and at
    /// `next_wakeup`. `known`: all that are listed and not leaving.
    void observe(std::size_t usable, std::size_t known, time_point now) noexcept {
        // A registry may take out those that are down, some before the last one is: the first that is back would get
        // what was meant for all.
        if (known < listed_) {
            lately_ = now < lately_until_ ? std::max(lately_, listed_) : listed_;
            lately_until_ = deadline_after(now, options_.hold);
        }
        listed_ = known;
        if (!recovering_) known_ = known;
        if (has_worked_ && usable == 0 && now < lately_until_) known_ = std::max(known_, lately_);
        known_ = std::max(known_, known);
        if (!has_worked_) {  // A client that starts is not one that recovers.
            has_worked_ = usable > 0;
        } else if (usable == 0 && known_ > 0 && options_.hold > duration::zero()) {
            recovering_ = true;
        }
        if (usable != usable_) {
            usable_ = usable;
            since_ = now;
        }
        if (recovering_ && usable_ > 0 && (usable_ >= known_ || now - since_ >= options_.hold)) {
            recovering_ = false;
            known_ = known;
        }
    }
    /// Whether a new call may go ahead. Where nothing is usable it may: it will wait, or fail and say why.
    [[nodiscard]] bool admits(dice& random) const noexcept {
        if (!recovering_ || usable_ == 0 || usable_ >= known_) return true;
        return random.chance(static_cast<double>(usable_) / static_cast<double>(known_));
    }
    [[nodiscard]] bool recovering() const noexcept { return recovering_; }
    /// What usable nodes are a part of: after an outage the most that were known since shortly before it began.
    [[nodiscard]] std::size_t expected() const noexcept { return known_; }
    [[nodiscard]] std::optional<time_point> next_wakeup() const noexcept {
        if (!recovering_ || usable_ == 0) return std::nullopt;
        return since_ + options_.hold;
    }

private:
    recovery_options options_;
    std::size_t usable_ = 0;
    std::size_t known_ = 0;  // While it recovers, the most since the outage began, or shortly before.
    std::size_t listed_ = 0;
    std::size_t lately_ = 0;  // The most that were listed, until the list became shorter.
    time_point lately_until_{};
    time_point since_{};
    bool has_worked_ = false;
    bool recovering_ = false;
};

}  // namespace futon
