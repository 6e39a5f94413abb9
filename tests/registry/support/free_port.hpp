// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Ports for servers that cannot choose one themselves, and whether servers are there.

#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/// A port of 127.0.0.1 that was free a moment ago.
[[nodiscard]] inline int free_port() {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    REQUIRE(::bind(socket, reinterpret_cast<sockaddr*>(&at), size) == 0);
    REQUIRE(::getsockname(socket, reinterpret_cast<sockaddr*>(&at), &size) == 0);
    ::close(socket);
    return ntohs(at.sin_port);
}

/// Sends a line to a port of 127.0.0.1 and returns what comes back until the other side ends; empty if nobody is there.
[[nodiscard]] inline std::string ask_port(int port, const std::string& line) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(static_cast<in_port_t>(port));
    std::string answer;
    if (::connect(socket, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0 &&
        ::send(socket, line.data(), line.size(), MSG_NOSIGNAL) > 0) {
        char buffer[1024];
        pollfd waited{socket, POLLIN, 0};
        for (;;) {
            if (::poll(&waited, 1, 2000) <= 0) break;
            const auto count = ::recv(socket, buffer, sizeof buffer, 0);
            if (count <= 0) break;
            answer.append(buffer, static_cast<std::size_t>(count));
        }
    }
    ::close(socket);
    return answer;
}

/// Asks until the answer holds `wanted`; false if it takes so long that it will not come.
[[nodiscard]] inline bool wait_for_answer(int port, const std::string& line, std::string_view wanted) {
    const auto ceiling = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    while (std::chrono::steady_clock::now() < ceiling) {
        if (ask_port(port, line).find(wanted) != std::string::npos) return true;
        ::poll(nullptr, 0, 20);
    }
    return false;
}

/// Whether a test that needs `file` can run. Where FUTON_REQUIRE_SERVERS is set, as in continuous integration, it must.
[[nodiscard]] inline bool server_is_installed(const std::string& file, const char* package) {
    if (std::filesystem::exists(file)) return true;
    if (std::getenv("FUTON_REQUIRE_SERVERS")) FAIL(file, " is missing (Debian: ", package, ")");
    MESSAGE("SKIPPED: ", file, " is missing (Debian: ", package, ")");
    return false;
}
