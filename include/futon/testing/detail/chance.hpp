// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Chance that repeats: numbers drawn by hashing what they are for.

#include <futon/cluster/stable_hash.hpp>

#include <cmath>
#include <cstdint>

namespace futon::detail {

/// What a number is drawn for. Each purpose has streams of its own, so that a policy which throws its dice more often
/// than another leaves arrivals and demands as they are: policies are compared on the very same work.
enum class chance : std::uint64_t {
    arrival = 1,
    caller,
    demand,
    network,
    fault,
    antagonist,
    burst,
    policy,
    reconnect,
    push,
    key
};

/// The numbers of one purpose and one client or server, in any order: nothing needs to be remembered.
///
/// Seeds are hashed, never used as they are: where state = seed
/// * constant, seeds 1, 2, 3 give one stream, shifted by one.
class chance_stream {
public:
    constexpr chance_stream() noexcept = default;
    constexpr chance_stream(std::uint64_t seed, chance purpose, std::uint64_t entity = 0) noexcept
        : key_{hash_first(stable_hash(stable_hash(seed, static_cast<std::uint64_t>(purpose)), entity))} {}

    [[nodiscard]] constexpr std::uint64_t bits(std::uint64_t number) const noexcept {
        return hash_second(key_, number);
    }
    /// In [0, 1).
    [[nodiscard]] constexpr double fraction(std::uint64_t number) const noexcept {
        return static_cast<double>(bits(number) >> 11) * 0x1p-53;
    }
    /// With a mean of 1. The logarithm of 1 - u, which is exact here, takes a third of the time of `log1p`.
    [[nodiscard]] double exponential(std::uint64_t number) const noexcept { return -std::log(1 - fraction(number)); }
    [[nodiscard]] constexpr std::uint32_t below(std::uint32_t count, std::uint64_t number) const noexcept {
        return static_cast<std::uint32_t>(((bits(number) >> 32) * count) >> 32);
    }

private:
    std::uint64_t key_ = 0;
};

}  // namespace futon::detail
