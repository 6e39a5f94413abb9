// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Listens on one endpoint and hands over the connections that come in.

#include <futon/core/executor.hpp>
#include <futon/core/runtime_state.hpp>
#include <futon/message/endpoint.hpp>
#include <futon/transport/close_on_exec.hpp>
#include <futon/transport/connector.hpp>
#include <futon/transport/network.hpp>
#include <futon/transport/post_function.hpp>
#include <futon/transport/socket_stream.hpp>

#include <asio/basic_socket_acceptor.hpp>
#include <asio/ip/v6_only.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace futon::detail {

/// Lives on one I/O executor; each accepted socket lives on the one that `choose` names for it.
///
/// Errors in accepting (out of descriptors, say), and exceptions of `choose` and
/// `accepted` (out of memory) are reported, and accepting goes on after a pause.
/// Thread-safety: `open` before anything runs; `close` only inside its executor.
class acceptor final : public ref_counted, private timer {
public:
    using choose = std::function<io_place()>;
    using accepted = std::function<void(io_place, std::unique_ptr<byte_stream>)>;

    acceptor(io_place place, choose next_place, accepted on_accepted)
        : place_{std::move(place)}, choose_{std::move(next_place)}, accepted_{std::move(on_accepted)} {}

    /// Binds and listens. Errors: `listen_failed` or `bad_address`, naming the address, the reason and what to do.
    result<void> open(const endpoint& at);
    /// The address in use, with the port that the system chose for port 0.
    [[nodiscard]] const endpoint& address() const noexcept { return address_; }
    void start() {
        if (!listener_) return;  // Others bring what comes.
        post_function(place_.asio, [self = intrusive_ptr<acceptor>{this}] { self->accept_next(); });
    }
    void close() noexcept {
        if (std::exchange(closed_, true)) return;
        std::error_code ignored;
        if (listener_) listener_->close(ignored);
        if (auto* const network = network_of(place_); network && listens_elsewhere_) network->stop_listening(address_);
        if (address_.scheme == "unix") ::unlink(address_.path.c_str());
        if (place_.where->disarm(*this)) release();
        // They may refer to whoever owns this.
        choose_ = nullptr;
        accepted_ = nullptr;
    }
    [[nodiscard]] const io_place& place() const noexcept { return place_; }

private:
    using listener = asio::basic_socket_acceptor<asio::generic::stream_protocol>;

    void accept_next() noexcept;
    void pause() noexcept;
    // What was just thrown.
    void report_exception() const noexcept;
    void report(std::string_view why) const noexcept;
    void fire(bool due) noexcept override {
        auto self = intrusive_ptr<acceptor>::adopt(this);
        if (due) accept_next();
    }
    error cannot_listen(const std::error_code& code) const;
    // A socket file that a dead process left behind refuses connections; it may be replaced.
    static void remove_stale_socket(const std::string& path);

    io_place place_;
    choose choose_;
    accepted accepted_;
    std::optional<listener> listener_;
    bool listens_elsewhere_ = false;  // In the place's network, not on a socket.
    endpoint address_;
    bool closed_ = false;
};

inline error acceptor::cannot_listen(const std::error_code& code) const {
    auto text = "cannot listen on " + address_.text() + ": " + code.message();
    if (code == asio::error::address_in_use && address_.scheme == "tcp")
        text += "; another process has it: stop that one, or choose another port (0 for any free one)";
    if (code == asio::error::address_in_use && address_.scheme == "unix")
        text += "; another process listens there, or the path is no socket: choose another path";
    if (code == asio::error::access_denied && address_.scheme == "tcp")
        text += "; ports below 1024 need privileges: choose a higher one";
    return {errc::listen_failed, std::move(text), executed::no};
}

inline void acceptor::remove_stale_socket(const std::string& path) {
    struct ::stat found {};
    if (::lstat(path.c_str(), &found) != 0 || !S_ISSOCK(found.st_mode)) return;
    asio::io_context unused;
    asio::local::stream_protocol::socket probe{unused};
    std::error_code code;
    probe.connect(asio::local::stream_protocol::endpoint{path}, code);
    if (code == asio::error::connection_refused) ::unlink(path.c_str());
}

inline result<void> acceptor::open(const endpoint& at) {
    address_ = at;
    if (at.scheme == "memory") {
        auto* const network = network_of(place_);
        if (!network) return no_network(at);
        auto listening = network->listen(at, {place_, choose_, accepted_});
        listens_elsewhere_ = listening.has_value();
        return listening;
    }
    if (!place_.has_sockets) return no_sockets(at);
    auto known = known_addresses(at);
    if (!known) return std::move(known).error();
    if (known->empty()) {
        asio::ip::tcp::resolver resolver{place_.asio};
        std::error_code code;
        const auto found = resolver.resolve(at.host, std::to_string(at.port), code);
        if (code || found.empty())
            return error{errc::listen_failed,
                         "cannot listen on " + at.text() + ": cannot resolve the host: " + code.message(),
                         executed::no};
        known->emplace_back(found.begin()->endpoint());
    }
    const auto& address = known->front();
    if (at.scheme == "unix") remove_stale_socket(at.path);
    std::error_code code;
    listener_.emplace(place_.asio);
    listener_->open(address.protocol(), code);
    close_on_exec(*listener_);
    if (!code && at.scheme == "tcp") listener_->set_option(asio::socket_base::reuse_address{true}, code);
    if (!code && at.scheme == "tcp" && address.protocol().family() == AF_INET6)
        listener_->set_option(asio::ip::v6_only{true}, code);
    if (!code) listener_->bind(address, code);
    if (!code) listener_->listen(asio::socket_base::max_listen_connections, code);
    if (code) return cannot_listen(code);
    if (at.scheme == "tcp") {
        auto bound = endpoint::parse(address_text(listener_->local_endpoint(code)));
        if (!bound) return std::move(bound).error();
        address_ = *std::move(bound);
    }
    return {};
}

inline void acceptor::accept_next() noexcept {
    if (closed_) return;
    try {
        auto place = choose_();
        const auto where = place.asio;
        listener_->async_accept(
            where, [self = intrusive_ptr<acceptor>{this}, place = std::move(place)](
                       const std::error_code& code, asio::generic::stream_protocol::socket socket) mutable {
                if (self->closed_) return;
                try {
                    if (!code) {
                        tune(socket);
                        std::error_code ignored;
                        const auto remote = socket.remote_endpoint(ignored);
                        auto peer = ignored ? std::string{"unknown"} : address_text(remote);
                        self->accepted_(std::move(place),
                                        std::make_unique<socket_stream>(std::move(socket), std::move(peer)));
                        return self->accept_next();
                    }
                    self->report(code.message());
                } catch (...) {
                    self->report_exception();
                }
                self->pause();
            });
    } catch (...) {
        report_exception();
        pause();
    }
}

// Something is short, descriptors or memory: others may give it back meanwhile.
inline void acceptor::pause() noexcept {
    add_ref();
    try {
        place_.where->arm(*this, place_.where->now() + std::chrono::milliseconds{100});
    } catch (...) {
        report("no memory for a pause: nothing more is accepted");
        release();
    }
}

inline void acceptor::report_exception() const noexcept {
    try {
        throw;
    } catch (const std::exception& e) {
        report(e.what());
    } catch (...) {
        report("not a std::exception");
    }
}

inline void acceptor::report(std::string_view why) const noexcept {
    try {
        const auto where = address_.text();
        place_.where->reports().log(
            {.level = log_level::warning, .kind = "accept_failed", .text = why, .where = where});
    } catch (...) {  // There is no memory to say so.
    }
}

}  // namespace futon::detail
