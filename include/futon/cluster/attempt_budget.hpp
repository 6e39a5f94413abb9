// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The budget of a channel for attempts beyond the first of each call: retries and hedges draw from one purse.

#include <futon/core/retry.hpp>
#include <futon/core/time.hpp>

#include <cstdint>

namespace futon {

/// Of `attempt_budget`.
struct attempt_budget_options {
    /// Extra attempts for each call. 0: only `per_second`.
    double share = 0.1;
    /// And for each second, so that a client with few calls may retry. 0: none.
    double per_second = 1;
    /// Saved up at most; what it begins with. 0: nothing is saved, and no attempt is ever free.
    double reserve = 10;
    /// Of these, hedges for each call: they come first in time, and must not leave retries without. 0: no hedges.
    double hedge_share = 0.05;
};

/// Who has spent it gets the error of the attempt that there was.
///
/// Thread-safety: one thread at a time.
class attempt_budget {
public:
    explicit attempt_budget(attempt_budget_options options = {}) noexcept
        : all_{options.share, options.per_second, options.reserve},
          hedges_{options.hedge_share, 0, options.hedge_share > 0 ? options.reserve / 2 : 0} {}

    /// So many calls were made.
    void earn(std::uint64_t calls = 1) noexcept {
        all_.earn(calls);
        hedges_.earn(calls);
    }
    /// May there be one more attempt after a failure?
    [[nodiscard]] bool spend_retry(time_point now) noexcept { return counted(all_.spend(now), retries_); }
    /// Whether `spend_retry` would say so.
    [[nodiscard]] bool has_retry(time_point now) const noexcept { return all_.has_one(now); }
    /// May there be one more attempt beside one that is slow?
    [[nodiscard]] bool spend_hedge(time_point now) noexcept {
        return counted(hedges_.spend(now) && all_.spend(now), hedged_);
    }
    [[nodiscard]] std::uint64_t retries() const noexcept { return retries_; }  ///< Granted so far.
    [[nodiscard]] std::uint64_t hedges() const noexcept { return hedged_; }    ///< Granted so far.
    [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }

private:
    bool counted(bool granted, std::uint64_t& of) noexcept {
        ++(granted ? of : refused_);
        return granted;
    }
    retry_budget all_;
    retry_budget hedges_;
    std::uint64_t retries_ = 0;
    std::uint64_t hedged_ = 0;
    std::uint64_t refused_ = 0;
};

}  // namespace futon
