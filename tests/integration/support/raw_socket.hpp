// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A blocking TCP socket that says what a test wants, for peers that are not futon.

#include <futon/message/endpoint.hpp>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace futon_tests {

class raw_socket {
public:
    /// Connects to an IPv4 address of loopback.
    explicit raw_socket(const futon::endpoint& to) : socket_{::socket(AF_INET, SOCK_STREAM, 0)} {
        const ::timeval limit{.tv_sec = 60, .tv_usec = 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        auto address = loopback(to.port);
        if (::connect(socket_, reinterpret_cast<::sockaddr*>(&address), sizeof address) != 0)
            throw std::runtime_error{"cannot connect"};
    }
    raw_socket(raw_socket&& other) noexcept : socket_{std::exchange(other.socket_, -1)} {}
    raw_socket& operator=(raw_socket&&) = delete;
    ~raw_socket() {
        if (socket_ >= 0) ::close(socket_);
    }

    /// Sends all of it, or as much as the peer takes before it closes.
    void send(std::string_view bytes) noexcept {
        while (!bytes.empty()) {
            const auto count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (count <= 0) return;
            bytes.remove_prefix(static_cast<std::size_t>(count));
        }
    }
    /// What comes until the peer closes; also what a reset leaves of it.
    [[nodiscard]] std::string read_all() {
        std::string all;
        char part[4096];
        for (;;) {
            const auto count = ::recv(socket_, part, sizeof part, 0);
            if (count <= 0) return all;
            all.append(part, static_cast<std::size_t>(count));
        }
    }
    /// At least `count` bytes, unless the peer closes.
    [[nodiscard]] std::string read(std::size_t count) {
        std::string all(count, '\0');
        const auto got = ::recv(socket_, all.data(), count, MSG_WAITALL);
        all.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
        return all;
    }

private:
    friend class raw_listener;
    struct accepted {};
    raw_socket(accepted, int socket) noexcept : socket_{socket} {}
    static ::sockaddr_in loopback(std::uint16_t port) {
        ::sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(port);
        return address;
    }

    int socket_;
};

/// Accepts on a free port of loopback.
class raw_listener {
public:
    raw_listener() : socket_{::socket(AF_INET, SOCK_STREAM, 0)} {
        auto address = raw_socket::loopback(0);
        ::socklen_t size = sizeof address;
        auto* const any = reinterpret_cast<::sockaddr*>(&address);
        if (::bind(socket_, any, size) != 0 || ::listen(socket_, 16) != 0 || ::getsockname(socket_, any, &size) != 0)
            throw std::runtime_error{"cannot listen"};
        port_ = ntohs(address.sin_port);
    }
    raw_listener(const raw_listener&) = delete;
    raw_listener& operator=(const raw_listener&) = delete;
    ~raw_listener() { ::close(socket_); }

    [[nodiscard]] futon::endpoint address() const { return {.host = "127.0.0.1", .port = port_}; }
    [[nodiscard]] raw_socket accept() {
        return raw_socket{raw_socket::accepted{}, ::accept(socket_, nullptr, nullptr)};
    }

private:
    int socket_;
    std::uint16_t port_ = 0;
};

}  // namespace futon_tests
