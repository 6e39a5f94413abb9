// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A client's filter that holds back by itself while the other side refuses calls for overload.

#include <futon/core/error.hpp>
#include <futon/core/time.hpp>
#include <futon/filter/filter.hpp>
#include <futon/filter/throttle_window.hpp>

#include <cstdint>
#include <mutex>
#include <random>

namespace futon {

/// Fails a share of the calls here, with `overloaded`, not executed, once the servers refuse more than they accept:
/// they then need not spend their time on refusing. See `throttle_window` for how large a share.
///
/// Only `overloaded` counts as refused, after all attempts of a call; any other end is one that was accepted.
/// Thread-safety: safe.
class client_throttle {
public:
    /// `seed`: of what is left to chance; 0: one that differs each time.
    explicit client_throttle(const throttle_options& how = {}, std::uint64_t seed = 0)
        : window_{how},
          dice_{seed != 0 ? seed : (std::uint64_t{std::random_device{}()} << 32) | std::random_device{}()} {}
    client_throttle(client_throttle&& other) noexcept : window_{other.window_}, dice_{other.dice_} {}

    decision before(client_call& call) {
        const auto now = call.now();
        const std::lock_guard lock{mutex_};
        if (!window_.rejects(now, std::uniform_real_distribution<double>{}(dice_))) return {};
        return error{errc::overloaded, "held back by client_throttle, since servers refuse calls for overload",
                     executed::no}
            .with_retry_after(hold_back);
    }
    void after(client_call& call, call_outcome& how) {
        if (how.failure() && *how.failure() == errc::overloaded) return;
        const auto now = call.now();
        const std::lock_guard lock{mutex_};
        window_.accepted(now);
    }

private:
    static constexpr duration hold_back = std::chrono::milliseconds{500};

    std::mutex mutex_;
    throttle_window window_;
    std::mt19937_64 dice_;
};
static_assert(client_filter<client_throttle>);

}  // namespace futon
