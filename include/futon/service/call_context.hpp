// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a handler may know about the call that it answers.

#include <futon/core/context.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/time.hpp>
#include <futon/message/metadata.hpp>
#include <futon/message/method_info.hpp>

#include <algorithm>
#include <source_location>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

namespace futon {

struct stub_options;
template <class Contract>
class stub;
namespace detail {
class any_channel;
}

/// The circumstances of one incoming call. A handler that takes `call_context&` first gets it.
///
/// Lifetime: good until the call is answered; for a handler that returns a future or a coroutine, until
/// that has completed. Thread-safety: reading is safe; `reply_headers` belongs to the handler until it answers.
class call_context : public context {
public:
    /// The caller's address, e.g. "tcp://10.0.0.1:4711".
    [[nodiscard]] std::string_view peer() const noexcept { return peer_; }
    /// The full service name under which the call came.
    [[nodiscard]] std::string_view service() const noexcept { return method_->service; }
    [[nodiscard]] std::string_view method() const noexcept { return method_->name; }
    /// Time until the caller stops waiting, never negative; `duration::max()` where it waits for ever.
    [[nodiscard]] duration time_left() const noexcept {
        if (deadline() == no_deadline) return duration::max();
        // The clock of the place where the handler runs, which may be a virtual one.
        const auto* const here = detail::this_thread().scope;
        return std::max(duration{}, deadline() - (here ? here->where().now() : clock::now()));
    }
    /// What the caller sent along.
    [[nodiscard]] const metadata& headers() const noexcept { return headers_; }
    /// Travels back with a successful reply, to callers that ask for it by `with_reply_headers`, and to their filters.
    [[nodiscard]] metadata& reply_headers() noexcept { return reply_headers_; }
    /// Whether the caller waits for a reply at all.
    [[nodiscard]] bool oneway() const noexcept { return oneway_; }
    /// Stopped when the server begins to stop, by the thread that stops it; `stop_token()` is that of the call itself,
    /// which may go on for the server's `drain_time`.
    ///
    /// For work without an end, e.g. a stream that lasts as long as its reader listens: what waits ends with
    /// `co_await std::move(next).cancel_with(call.drain_token())`. A handler that then ends as `cancelled`, though its
    /// caller goes on, is `unavailable` for its caller. The token may outlive the call.
    [[nodiscard]] virtual std::stop_token drain_token() const noexcept = 0;
    /// Calls a service that the caller provides (`client::provide`), over the connection that this call came by.
    ///
    /// Thread-safety: safe. Lifetime: the stub may be kept after the call. It does not keep the connection: once that
    /// has ended, its calls fail at once with `connection_lost`. They have the server's `timeout` unless they say
    /// otherwise, never wait, and are never tried again. A server ends connections without calls after
    /// `limits.idle_close`. Errors of its calls, beside the usual: `no_such_method` if the caller does not provide the
    /// service; `overloaded` if it takes no more calls now; `unavailable` if it is closing the connection, and waits
    /// only for its own calls.
    template <class Contract>
    [[nodiscard]] futon::stub<Contract> caller(
        const stub_options& options, const std::source_location& where = std::source_location::current()) const;
    template <class Contract>
    [[nodiscard]] futon::stub<Contract> caller(
        const std::source_location& where = std::source_location::current()) const;

protected:
    /// Null where nothing leads back.
    [[nodiscard]] virtual detail::intrusive_ptr<detail::any_channel> way_back() const = 0;
    call_context(const method_info& method, std::string_view peer, time_point deadline, bool oneway)
        : context{deadline}, method_{&method}, peer_{peer}, oneway_{oneway} {}
    metadata headers_;
    metadata reply_headers_;

private:
    const method_info* method_;
    std::string_view peer_;
    bool oneway_;
};

}  // namespace futon
