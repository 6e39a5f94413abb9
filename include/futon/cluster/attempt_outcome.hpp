// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// How an attempt on a node ended, as balancers and health rules see it.

#include <futon/cluster/node.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/time.hpp>

#include <cstdint>
#include <optional>

namespace futon {

/// What an ended attempt says of its provider.
enum class verdict : std::uint8_t {
    answered,  ///< It works: a value, or an error that the caller's request would have met anywhere.
    /// Its handler failed: it threw, or returned an error. There it is, but it does not show how quick it is.
    erred,
    failed,     ///< It speaks against the provider: no connection, no answer in time, overloaded, not serving.
    abandoned,  ///< Nothing: the caller gave up, another attempt was quicker, or the request never left.
};

/// The verdict on an error. What handlers say, on purpose or not, cannot be told apart from
/// here: "not found" is a normal answer in some services and a sign of a sick server in
/// others. So it is neither a failure, by which providers are ejected, nor a quick answer,
/// by which they get more calls: policies compare how often it comes from each provider.
[[nodiscard]] constexpr verdict judge(errc failure) noexcept {
    switch (failure) {
        case errc::deadline_exceeded:
        case errc::connect_failed:
        case errc::connection_lost:
        case errc::not_connected:
        case errc::overloaded:
        case errc::unavailable:
        case errc::resource_exhausted:
        case errc::protocol_error:
        case errc::tls_failed: return verdict::failed;
        case errc::remote_error:
        case errc::bad_reply:
        case errc::broken_promise:
        case errc::internal: return verdict::erred;
        case errc::no_such_method:
        case errc::bad_arguments:
        case errc::version_mismatch:
        case errc::unauthenticated:
        case errc::permission_denied: return verdict::answered;
        default: return verdict::abandoned;
    }
}

/// How one attempt ended.
struct attempt_outcome {
    time_point now{};                            ///< When it ended.
    duration latency{};                          ///< From its start until now.
    std::optional<errc> failure{};               ///< Empty: it succeeded.
    futon::verdict verdict = verdict::answered;  ///< By `judge`, unless whoever made the attempt knows better.
    /// What it might have taken at most; what a failure is charged with. Zero: not known.
    duration timeout{};
    std::optional<load_report> report{};  ///< If the provider sent one with its reply.
    executed ran = executed::maybe;       ///< Of a failure: whether its handler may have run,
    duration retry_after{};               ///< and how long the provider asked to wait. Zero: not.

    /// Of an attempt that took from `began` to `now`.
    [[nodiscard]] static constexpr attempt_outcome success(time_point began, time_point now) noexcept {
        return {.now = now, .latency = now - began};
    }
    [[nodiscard]] static constexpr attempt_outcome failed(errc failure, time_point began, time_point now,
                                                          duration timeout = {}) noexcept {
        return {.now = now, .latency = now - began, .failure = failure, .verdict = judge(failure), .timeout = timeout};
    }
};

}  // namespace futon
