// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Resolves an endpoint and connects to the first of its addresses that answers.

#include <futon/core/executor.hpp>
#include <futon/core/runtime_state.hpp>
#include <futon/message/endpoint.hpp>
#include <futon/transport/network.hpp>
#include <futon/transport/socket_stream.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace futon::detail {

/// Turns an endpoint's own address into socket addresses without asking anybody; empty if it is a name, or one of memory.
[[nodiscard]] inline result<std::vector<asio::generic::stream_protocol::endpoint>> known_addresses(const endpoint& to) {
    using generic = asio::generic::stream_protocol::endpoint;
    if (to.scheme == "unix") return std::vector{generic{asio::local::stream_protocol::endpoint{to.path}}};
    if (to.scheme == "memory") return std::vector<generic>{};
    if (to.scheme != "tcp")
        return error{errc::unsupported_protocol,
                     to.text() + ": the scheme '" + to.scheme + "' is not supported; use tcp:// or unix://", executed::no};
    std::error_code code;
    const auto address = asio::ip::make_address(to.host, code);
    if (code) return std::vector<generic>{};
    return std::vector{generic{asio::ip::tcp::endpoint{address, to.port}}};
}

/// One attempt to connect, bounded in time.
///
/// `done` is called exactly once, inside the executor of `place`: with a stream, or with `connect_failed`,
/// the address and the reason (`executed::no`). Lifetime: keeps itself alive until then.
class connector final : public ref_counted, private timer {
public:
    using outcome = result<std::unique_ptr<byte_stream>>;

    static intrusive_ptr<connector> start(io_place place, const endpoint& to, duration limit, std::function<void(outcome)> done) {
        auto made = intrusive_ptr<connector>::adopt(new connector{std::move(place), to, std::move(done)});
        made->add_ref();  // Until the timer fires or is disarmed.
        made->place_.where->arm(*made, deadline_after(made->place_.where->now(), limit));
        asio::post(made->place_.asio, [made] { made->begin(); });
        return made;
    }

    /// Ends the attempt with `why`. Only inside its executor.
    void stop(error why) noexcept { finish(std::move(why)); }

private:
    connector(io_place place, const endpoint& to, std::function<void(outcome)> done)
        : place_{std::move(place)}, to_{to}, done_{std::move(done)} {}

    void begin() {
        if (!done_) return;
        if (to_.scheme == "memory") {
            auto* const network = network_of(place_);
            if (!network) return finish(no_network(to_));
            return network->connect(place_, to_, [self = intrusive_ptr<connector>{this}](outcome how) { self->finish(std::move(how)); });
        }
        auto known = known_addresses(to_);
        if (!known) return finish(std::move(known).error());
        if (!known->empty()) {
            addresses_ = *std::move(known);
            return try_next({});
        }
        resolver_.emplace(place_.asio);
        resolver_->async_resolve(to_.host, std::to_string(to_.port),
                                [self = intrusive_ptr<connector>{this}](const std::error_code& code, const auto& found) {
                                    if (code) return self->fail("cannot resolve the host: " + code.message());
                                    for (const auto& entry : found) self->addresses_.emplace_back(entry.endpoint());
                                    self->try_next({});
                                });
    }

    void try_next(const std::error_code& last) {
        if (!done_) return;
        if (next_ == addresses_.size()) return fail(last ? last.message() : "the name has no address");
        socket_.emplace(place_.asio);
        socket_->async_connect(addresses_[next_++], [self = intrusive_ptr<connector>{this}](const std::error_code& code) {
            if (code) return self->try_next(code);
            self->connected();
        });
    }

    void connected() {
        if (!done_) return;
        tune(*socket_);
        finish(std::unique_ptr<byte_stream>{std::make_unique<socket_stream>(*std::move(socket_), to_.text())});
    }

    void fail(const std::string& reason) {
        finish(error{errc::connect_failed, "cannot connect to " + to_.text() + ": " + reason, executed::no});
    }

    void finish(outcome how) noexcept {
        auto done = std::exchange(done_, nullptr);
        if (!done) return;
        std::error_code ignored;
        if (socket_) socket_->close(ignored);
        if (resolver_) resolver_->cancel();
        if (place_.where->disarm(*this)) release();
        running_scope scope{*place_.where};
        done(std::move(how));
    }

    void fire(bool due) noexcept override {
        auto self = intrusive_ptr<connector>::adopt(this);
        finish(error{errc::connect_failed,
                     "cannot connect to " + to_.text() + (due ? ": no answer within the connect timeout" : ": the client is closing"),
                     executed::no});
    }

    io_place place_;
    endpoint to_;
    std::function<void(outcome)> done_;
    std::optional<asio::ip::tcp::resolver> resolver_;
    std::optional<asio::generic::stream_protocol::socket> socket_;
    std::vector<asio::generic::stream_protocol::endpoint> addresses_;
    std::size_t next_ = 0;
};

}  // namespace futon::detail
