// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A request's trace and baggage as metadata: `traceparent` and
/// `tracestate` of W3C Trace Context, `baggage` of W3C Baggage.

#include <futon/core/trace.hpp>
#include <futon/message/metadata.hpp>

#include <cstddef>

namespace futon::detail {

/// Past these what comes is dropped: every service on the way would carry it.
inline constexpr std::size_t max_baggage_entries = 64;
inline constexpr std::size_t max_baggage_bytes = 8192;
inline constexpr std::size_t max_trace_state_bytes = 512;

/// Adds what a call carries on. What its caller has set itself stands.
void write_trace(const request_trace& from, metadata& to);

/// Null if there is nothing. A `traceparent` that is not one is ignored; so are properties of baggage.
[[nodiscard]] trace_ptr read_trace(const metadata& from);

}  // namespace futon::detail

#if !defined(FUTON_COMPILED)
#include <futon/service/detail/propagation_bodies.hpp>
#endif
