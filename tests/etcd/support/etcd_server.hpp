// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A real etcd on free ports of the loopback, with a directory of its own.

#include <futon/registry/detail/etcd_http.hpp>

#include "registry/support/child_process.hpp"
#include "registry/support/free_port.hpp"
#include "registry/support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <memory>
#include <string>

class etcd_server {
public:
    etcd_server() { start(); }

    [[nodiscard]] static bool is_installed() { return server_is_installed("/usr/bin/etcd", "etcd-server"); }
    [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    void signal(int which) const { process_.signal(which); }
    void kill() { process_.end(SIGKILL); }
    /// As an operator would: all that it knows is on disk, and it need not do any of it again.
    void end() { process_.end(SIGTERM); }
    void start() {
        const auto peer = "http://127.0.0.1:" + std::to_string(peer_port_);
        process_ = child_process{{"/usr/bin/etcd", "--name", "n1", "--data-dir", directory_->path() + "/data", "--log-level", "error", "--listen-client-urls", url(),
                                  "--advertise-client-urls", url(), "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "n1=" + peer},
                                 directory_->path() + "/log"};
        REQUIRE_MESSAGE(wait_for_answer(port_, "GET /health HTTP/1.0\r\n\r\n", "true"), "etcd does not start; see " << directory_->path() << "/log");
    }
    void wipe() const { std::filesystem::remove_all(directory_->path() + "/data"); }
    /// One request, as an operator would make it.
    nlohmann::json ask(const std::string& path, const nlohmann::json& body) const {
        futon::detail::etcd_http http{{url()}, "", "", std::chrono::seconds{10}};
        futon::result<nlohmann::json> answer = futon::errc::unavailable;
        bool over = false;
        http.post(path, body, [&](futon::detail::etcd_outcome how) {
            over = true;
            answer = std::move(how.answer);
        });
        while (!over) http.step(futon::clock::now() + std::chrono::seconds{1});
        REQUIRE_MESSAGE(answer.has_value(), (answer ? "" : answer.error().message()));
        return *answer;
    }

private:
    std::shared_ptr<temporary_directory> directory_ = std::make_shared<temporary_directory>();
    int port_ = free_port();
    int peer_port_ = free_port();
    child_process process_;
};
