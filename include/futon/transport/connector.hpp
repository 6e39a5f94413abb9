// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Resolves an endpoint and connects to the first of its addresses that answers.
/// In the spirit of RFC 8305: an address that is silent does not keep the others from being tried.

#include <futon/core/executor.hpp>
#include <futon/core/runtime_state.hpp>
#include <futon/core/time.hpp>
#include <futon/message/endpoint.hpp>
#include <futon/transport/close_on_exec.hpp>
#include <futon/transport/network.hpp>
#include <futon/transport/post_function.hpp>
#include <futon/transport/socket_stream.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace futon::detail {

using socket_addresses = std::vector<asio::generic::stream_protocol::endpoint>;

/// Turns an endpoint's own address into socket addresses without
/// asking anybody; empty if it is a name, or one of memory.
[[nodiscard]] inline result<socket_addresses> known_addresses(const endpoint& to) {
    using generic = socket_addresses::value_type;
    if (to.scheme == "unix") return std::vector{generic{asio::local::stream_protocol::endpoint{to.path}}};
    if (to.scheme == "memory") return std::vector<generic>{};
    if (to.scheme != "tcp")
        return error{errc::unsupported_protocol,
                     to.text() + ": the scheme '" + to.scheme + "' is not supported; use tcp:// or unix://",
                     executed::no};
    std::error_code code;
    const auto address = asio::ip::make_address(to.host, code);
    if (code) return std::vector<generic>{};
    return std::vector{generic{asio::ip::tcp::endpoint{address, to.port}}};
}

/// One attempt to connect, bounded in time.
///
/// The addresses of a name are tried in their order: the next one when one has failed, or beside it when it has been
/// silent for `head_start`, or for less where so much time is not left for each. The first that answers is taken.
///
/// `done` is called exactly once, inside the executor of `place`: with a stream, or with `connect_failed`,
/// the address and the reason (`executed::no`). Lifetime: keeps itself alive until then.
class connector final : public ref_counted, private timer {
public:
    using outcome = result<std::unique_ptr<byte_stream>>;
    static constexpr duration head_start = std::chrono::milliseconds{250};

    /// `found`: the addresses, where somebody has looked them up.
    static intrusive_ptr<connector> start(io_place place, const endpoint& to, duration limit,
                                          std::function<void(outcome)> done, socket_addresses found = {}) {
        const auto over_at = deadline_after(place.where->now(), limit);
        auto made = intrusive_ptr<connector>::adopt(
            new connector{std::move(place), to, over_at, std::move(done), std::move(found)});
        made->add_ref();  // Until the timer fires or is disarmed.
        made->place_.where->arm(*made, over_at);
        post_function(made->place_.asio, [made] { made->begin(); });
        return made;
    }

    /// Ends the attempt with `why`. Only inside its executor.
    void stop(error why) noexcept { finish(std::move(why)); }

private:
    connector(io_place place, const endpoint& to, time_point over_at, std::function<void(outcome)> done,
              socket_addresses found)
        : place_{std::move(place)}, to_{to}, over_at_{over_at}, done_{std::move(done)}, addresses_(std::move(found)) {}

    void begin() {
        if (!done_) return;
        if (to_.scheme == "memory") {
            auto* const network = network_of(place_);
            if (!network) return finish(no_network(to_));
            return network->connect(
                place_, to_, [self = intrusive_ptr<connector>{this}](outcome how) { self->finish(std::move(how)); });
        }
        if (!place_.has_sockets) return finish(no_sockets(to_));
        if (!addresses_.empty()) return race();
        auto known = known_addresses(to_);
        if (!known) return finish(std::move(known).error());
        if (!known->empty()) {
            addresses_ = *std::move(known);
            return race();
        }
        resolver_.emplace(place_.asio);
        resolver_->async_resolve(
            to_.host, std::to_string(to_.port),
            [self = intrusive_ptr<connector>{this}](const std::error_code& code, const auto& found) {
                if (code) return self->fail("cannot resolve the host: " + code.message());
                for (const auto& entry : found) self->addresses_.emplace_back(entry.endpoint());
                self->race();
            });
    }

    void race() {
        if (!done_) return;
        if (addresses_.empty()) return fail("the name has no address");
        sockets_.reserve(addresses_.size());  // They do not move while they connect.
        try_next();
    }
    [[nodiscard]] bool has_next() const noexcept { return sockets_.size() < addresses_.size(); }
    void try_next() {
        const auto at = sockets_.size();
        sockets_.emplace_back(place_.asio);
        std::error_code ignored;  // What cannot be opened is opened again below, and reported from there.
        sockets_[at].open(addresses_[at].protocol(), ignored);
        close_on_exec(sockets_[at]);
        sockets_[at].async_connect(addresses_[at],
                                   [self = intrusive_ptr<connector>{this}, at](const std::error_code& code) {
                                       if (code) return self->failed(code);
                                       self->connected(at);
                                   });
        auto wake = over_at_;
        if (const auto left = addresses_.size() - sockets_.size(); left > 0) {
            const auto now = place_.where->now();
            wake = now + std::min(head_start, (over_at_ - now) / static_cast<duration::rep>(left + 1));
        }
        place_.where->arm(*this, wake);
    }

    void failed(const std::error_code& code) {
        if (!done_) return;
        ++failures_;
        if (has_next()) return try_next();
        // Others may still answer.
        if (failures_ == sockets_.size()) fail(code.message());
    }

    void connected(std::size_t at) {
        if (!done_) return;
        tune(sockets_[at]);
        finish(std::unique_ptr<byte_stream>{std::make_unique<socket_stream>(std::move(sockets_[at]), to_.text())});
    }

    void fail(const std::string& reason) {
        finish(error{errc::connect_failed, "cannot connect to " + to_.text() + ": " + reason, executed::no});
    }

    void finish(outcome how) noexcept {
        auto done = std::exchange(done_, nullptr);
        if (!done) return;
        std::error_code ignored;
        for (auto& each : sockets_) each.close(ignored);
        if (resolver_) resolver_->cancel();
        if (place_.where->disarm(*this)) release();
        running_scope scope{*place_.where};
        done(std::move(how));
    }

    void fire(bool due) noexcept override {
        auto self = intrusive_ptr<connector>::adopt(this);
        if (due && has_next() && place_.where->now() < over_at_) {
            add_ref();  // Armed again.
            return try_next();
        }
        finish(error{errc::connect_failed,
                     "cannot connect to " + to_.text() +
                         (due ? ": no answer within the connect timeout" : ": the client is closing"),
                     executed::no});
    }

    io_place place_;
    endpoint to_;
    const time_point over_at_;
    std::function<void(outcome)> done_;
    std::optional<asio::ip::tcp::resolver> resolver_;
    socket_addresses addresses_;
    std::vector<asio::generic::stream_protocol::socket> sockets_;  // Of the addresses that were begun with.
    std::size_t failures_ = 0;
};

}  // namespace futon::detail
