// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A call as its filters see it: what both sides know of it, and what only its client or only its server does.

#include <futon/core/bytes.hpp>
#include <futon/core/context.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/time.hpp>
#include <futon/message/call.hpp>
#include <futon/message/hash_key.hpp>
#include <futon/message/metadata.hpp>
#include <futon/message/method_info.hpp>

#include <string_view>
#include <utility>

namespace futon {

/// What clients' and servers' filters may both ask; a filter that takes this works on either side.
///
/// Lifetime: good as long as the call; an asynchronous filter may use it until it has ended. Used by one thread at a
/// time.
class filtered_call {
public:
    filtered_call(const filtered_call&) = delete;
    filtered_call& operator=(const filtered_call&) = delete;

    [[nodiscard]] const method_info& method() const noexcept { return *method_; }
    /// Travels with the request. Entries that a client's filter adds reach the server; those that a server's filter
    /// adds reach the filters behind it, and the handler.
    [[nodiscard]] metadata& headers() const noexcept { return *headers_; }
    /// The arguments, a msgpack array. Before the call goes on; afterwards they may be gone.
    [[nodiscard]] bytes_view arguments() const noexcept { return *arguments_; }
    /// When the caller stops waiting; `no_deadline` if it waits for ever. Of a call with streams on its client's side:
    /// when it must have been accepted.
    [[nodiscard]] time_point deadline() const noexcept { return deadline_; }
    /// When the call was made, or came in, by the same clock as `now`.
    [[nodiscard]] time_point started() const noexcept { return started_; }
    /// The time of the place where the call belongs, which in a simulation is not that of the machine.
    [[nodiscard]] time_point now() const noexcept { return where_->now(); }
    /// Whether nobody waits for a reply.
    [[nodiscard]] bool oneway() const noexcept { return oneway_; }
    /// Where what a filter waits for goes on, and where its coroutines run.
    [[nodiscard]] const executor_ref& executor() const noexcept { return where_; }

protected:
    filtered_call(const method_info& method, metadata& headers, time_point deadline, time_point started, bool oneway,
                  executor_ref where) noexcept
        : method_{&method},
          headers_{&headers},
          deadline_{deadline},
          started_{started},
          oneway_{oneway},
          where_{std::move(where)} {}
    ~filtered_call() = default;

    const method_info* method_;
    metadata* headers_;
    const bytes_view* arguments_ = nullptr;
    time_point deadline_;
    time_point started_;
    bool oneway_;
    executor_ref where_;
};

/// A call on the side that makes it.
class client_call final : public filtered_call {
public:
    /// Of a client's own; its filters are given one.
    client_call(detail::call& which, bool is_oneway, executor_ref where) noexcept
        : filtered_call{*which.request.method, which.request.headers, which.request.deadline, which.started, is_oneway,
                        std::move(where)},
          which_{&which},
          encoded_{which.request.arguments.view()} {
        arguments_ = &encoded_;
    }

    /// Ends the call earlier, all attempts included; a later time than it has is ignored.
    void shorten_deadline(time_point to) noexcept {
        if (to >= deadline_) return;
        which_->request.deadline = deadline_ = to;
        if (which_->streams && to < which_->streams->terms.deadline) which_->streams->terms.deadline = to;
    }
    /// Calls of one key prefer one endpoint; empty: none.
    void set_hash_key(std::string_view key) noexcept {
        which_->request.hash_key = key.empty() ? 0 : detail::hash_of(key);
    }
    /// Whether it waits out reconnection instead of failing while that backs off.
    void set_wait_for_ready(bool waits) noexcept { which_->request.wait_for_ready = waits; }

    /// When it is over: how often it was tried; 0 if it never left.
    [[nodiscard]] int attempts() const noexcept { return which_->attempts; }
    /// When it is over: where the time of the last attempt went, as far as that was measured.
    [[nodiscard]] const call_times& times() const noexcept { return which_->times; }

private:
    detail::call* which_;
    bytes_view encoded_;
};

/// A call on the side that answers it.
class server_call final : public filtered_call {
public:
    /// Of a server's own; its filters are given one. What it is made of lives as long as it.
    server_call(const method_info& method, metadata& headers, metadata& reply_headers, const bytes_view& arguments,
                time_point started, bool is_oneway, std::string_view peer, futon::context& circumstances,
                executor_ref where) noexcept
        : filtered_call{method, headers, circumstances.deadline(), started, is_oneway, std::move(where)},
          reply_headers_{&reply_headers},
          peer_{peer},
          context_{&circumstances} {
        arguments_ = &arguments;
    }

    /// The caller's address, e.g. "tcp://10.0.0.1:4711".
    [[nodiscard]] std::string_view peer() const noexcept { return peer_; }
    /// Travels back with a successful reply.
    [[nodiscard]] metadata& reply_headers() const noexcept { return *reply_headers_; }
    /// The request's deadline, cancellation, trace and baggage.
    [[nodiscard]] futon::context& context() const noexcept { return *context_; }

private:
    metadata* reply_headers_;
    std::string_view peer_;
    futon::context* context_;
};

}  // namespace futon
