// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The numbers of every failure that futon itself reports, and the groups that callers test for.

#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

namespace futon {

/// What went wrong. The numbers travel on the wire and never change; `docs/errors.md` has the table.
///
/// A number that this version does not know is kept as it came: its text is "unknown error 123".
enum class errc : std::int32_t {
    deadline_exceeded = 1,      ///< The call's time ran out.
    cancelled = 2,              ///< The caller gave up on the call.
    connect_failed = 3,         ///< No connection could be made.
    connection_lost = 4,        ///< The connection broke while the call was under way.
    not_connected = 5,          ///< There is no connection now and none is being waited for.
    client_closed = 6,          ///< The client of this stub was closed or destroyed.
    overloaded = 7,             ///< A queue or a limit was full; try later or elsewhere.
    executor_rejected = 8,      ///< The executor that should run the continuation refused it.
    no_such_method = 9,         ///< The server does not offer that service or method.
    bad_arguments = 10,         ///< The arguments could not be decoded as the method's parameters.
    bad_reply = 11,             ///< The reply could not be decoded as the method's result.
    protocol_error = 12,        ///< The peer broke the wire protocol.
    message_too_big = 13,       ///< A message exceeds a size limit of either side.
    version_mismatch = 14,      ///< Both sides know the method, with signatures that do not fit.
    remote_error = 15,          ///< The handler failed: it threw, or returned an error.
    broken_promise = 16,        ///< A promise or responder was dropped without an answer.
    would_deadlock = 17,        ///< Blocking here would wait for this very thread.
    no_state = 18,              ///< The future or promise is empty or was already consumed.
    already_satisfied = 19,     ///< The promise was already completed.
    all_failed = 20,            ///< Each alternative failed.
    unavailable = 21,           ///< The service is not available there now, e.g. it is shutting down.
    no_provider = 22,           ///< No endpoint is known for the service.
    unsupported_protocol = 23,  ///< The endpoint's protocol is not compiled in or not known.
    internal = 24,              ///< A bug in futon or a violated precondition on the other side.
    resource_exhausted = 25,    ///< Memory, descriptors or another resource ran out.
    unauthenticated = 26,       ///< The caller did not prove who it is.
    permission_denied = 27,     ///< The caller may not do this.
    tls_failed = 28,            ///< The TLS handshake or verification failed.
    no_executor = 29,           ///< A future was made with no executor to run its continuations on.
    listen_failed = 30,         ///< An address could not be listened on.
    bad_address = 31,           ///< An endpoint's text could not be understood or resolved.
};

/// Groups of codes by what the caller can do; compare with `error::is` or `error_code == cond`.
enum class cond : std::uint8_t {
    timeout = 1,  ///< Took too long: `deadline_exceeded`.
    cancelled,    ///< The caller asked for it: `cancelled`, `client_closed`.
    unavailable,  ///< The other side cannot be reached or does not serve now.
    retryable,    ///< Worth another try elsewhere or later, if the call may run twice or did not run.
    caller_bug,   ///< Repeating will not help; the program must change.
};

/// Whether the handler of a failed call could have run. Retry and hedging obey it.
enum class executed : std::uint8_t {
    no = 0,     ///< Certainly not: repeating is safe.
    maybe = 1,  ///< Unknown: the request was sent and no answer came.
    yes = 2,    ///< It ran, at least in part.
};

/// The code's name as it is spelled in the source, e.g. "deadline_exceeded"; empty if unknown.
[[nodiscard]] constexpr std::string_view name(errc code) noexcept {
    switch (code) {
        case errc::deadline_exceeded: return "deadline_exceeded";
        case errc::cancelled: return "cancelled";
        case errc::connect_failed: return "connect_failed";
        case errc::connection_lost: return "connection_lost";
        case errc::not_connected: return "not_connected";
        case errc::client_closed: return "client_closed";
        case errc::overloaded: return "overloaded";
        case errc::executor_rejected: return "executor_rejected";
        case errc::no_such_method: return "no_such_method";
        case errc::bad_arguments: return "bad_arguments";
        case errc::bad_reply: return "bad_reply";
        case errc::protocol_error: return "protocol_error";
        case errc::message_too_big: return "message_too_big";
        case errc::version_mismatch: return "version_mismatch";
        case errc::remote_error: return "remote_error";
        case errc::broken_promise: return "broken_promise";
        case errc::would_deadlock: return "would_deadlock";
        case errc::no_state: return "no_state";
        case errc::already_satisfied: return "already_satisfied";
        case errc::all_failed: return "all_failed";
        case errc::unavailable: return "unavailable";
        case errc::no_provider: return "no_provider";
        case errc::unsupported_protocol: return "unsupported_protocol";
        case errc::internal: return "internal";
        case errc::resource_exhausted: return "resource_exhausted";
        case errc::unauthenticated: return "unauthenticated";
        case errc::permission_denied: return "permission_denied";
        case errc::tls_failed: return "tls_failed";
        case errc::no_executor: return "no_executor";
        case errc::listen_failed: return "listen_failed";
        case errc::bad_address: return "bad_address";
    }
    return {};
}

/// What to say of an error that brings no words of its own, where the code's name does not tell what to do; else empty.
[[nodiscard]] constexpr std::string_view usual_words(errc code) noexcept {
    switch (code) {
        case errc::not_connected: return "not connected yet";
        case errc::no_state:
            return "it is empty: moved from, used up by an earlier get() or stage, or never given anything";
        case errc::no_executor:
            return "made outside of futon's threads, so that its stages have no place: give it an executor first, e.g. "
                   "a runtime's executor()";
        case errc::broken_promise: return "its promise, responder or sink was dropped without an answer or an end";
        case errc::executor_rejected: return "the executor of the continuation is full, or has ended";
        default: return {};
    }
}

[[nodiscard]] constexpr std::string_view name(executed ran) noexcept {
    switch (ran) {
        case executed::no: return "no";
        case executed::maybe: return "maybe";
        case executed::yes: return "yes";
    }
    return "maybe";
}

/// Whether a code belongs to a group; the one place that decides it.
[[nodiscard]] constexpr bool belongs_to(errc code, cond group) noexcept {
    switch (group) {
        case cond::timeout: return code == errc::deadline_exceeded;
        case cond::cancelled: return code == errc::cancelled || code == errc::client_closed;
        case cond::unavailable:
            return code == errc::connect_failed || code == errc::connection_lost || code == errc::not_connected ||
                   code == errc::unavailable || code == errc::no_provider;
        case cond::retryable:
            return belongs_to(code, cond::unavailable) || code == errc::overloaded || code == errc::resource_exhausted;
        case cond::caller_bug:
            return code == errc::no_such_method || code == errc::bad_arguments || code == errc::version_mismatch ||
                   code == errc::message_too_big || code == errc::would_deadlock || code == errc::no_state ||
                   code == errc::already_satisfied || code == errc::no_executor || code == errc::bad_address ||
                   code == errc::unsupported_protocol;
    }
    return false;
}

[[nodiscard]] const std::error_category& futon_category() noexcept;
[[nodiscard]] inline std::error_code make_error_code(errc code) noexcept {
    return {static_cast<int>(code), futon_category()};
}
[[nodiscard]] std::error_condition make_error_condition(cond group) noexcept;

}  // namespace futon

template <>
struct std::is_error_code_enum<futon::errc> : std::true_type {};
template <>
struct std::is_error_condition_enum<futon::cond> : std::true_type {};

#if !defined(FUTON_COMPILED)
#include <futon/core/detail/errc_bodies.hpp>
#endif
