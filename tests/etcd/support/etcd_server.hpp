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
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// Where certificates are that one command of openssl made: an authority's, one for "localhost" and no other name, one
/// for a client.
class test_certificates {
public:
    test_certificates() {
        const auto make = [&](const std::string& what) {
            REQUIRE_MESSAGE(std::system(("cd " + directory_.path() + " && (" + what + ") >> log 2>&1").c_str()) == 0,
                            what);
        };
        make("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem");
        for (const std::string who : {"server", "client"}) {
            make("openssl req -newkey rsa:2048 -nodes -subj /CN=" + who + " -keyout " + who + ".key -out " + who +
                 ".csr");
            make(
                "printf 'subjectAltName=DNS:localhost\\nextendedKeyUsage=serverAuth,clientAuth\\n' > names && openssl x509 -req -in " +
                who + ".csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out " + who + ".pem");
        }
        make(
            "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=stranger -keyout stranger.key -out stranger.pem");
    }
    [[nodiscard]] std::string file(const std::string& name) const { return directory_.path() + "/" + name; }

private:
    temporary_directory directory_;
};

class etcd_server {
public:
    /// With `certificates` it takes requests by TLS only, and of clients that have one of these.
    explicit etcd_server(std::shared_ptr<const test_certificates> certificates = nullptr)
        : certificates_{std::move(certificates)} {
        start();
    }

    [[nodiscard]] static bool is_installed() { return server_is_installed("/usr/bin/etcd", "etcd-server"); }
    [[nodiscard]] std::string url() const { return url_of("127.0.0.1"); }
    [[nodiscard]] std::string url_of(const std::string& host) const {
        return (certificates_ ? "https://" : "http://") + host + ":" + std::to_string(port_);
    }
    void signal(int which) const { process_.signal(which); }
    void kill() { process_.end(SIGKILL); }
    /// As an operator would: all that it knows is on disk, and it need not do any of it again.
    void end() { process_.end(SIGTERM); }
    void start() {
        const auto peer = "http://127.0.0.1:" + std::to_string(peer_port_);
        std::vector<std::string> command{"/usr/bin/etcd",
                                         "--name",
                                         "n1",
                                         "--data-dir",
                                         directory_->path() + "/data",
                                         "--log-level",
                                         "error",
                                         "--listen-client-urls",
                                         url(),
                                         "--advertise-client-urls",
                                         url(),
                                         "--listen-peer-urls",
                                         peer,
                                         "--initial-advertise-peer-urls",
                                         peer,
                                         "--initial-cluster",
                                         "n1=" + peer};
        if (certificates_) {
            command.emplace_back("--client-cert-auth=true");
            for (const auto& [option, name] : {std::pair{"--trusted-ca-file", "ca.pem"},
                                               {"--cert-file", "server.pem"},
                                               {"--key-file", "server.key"}}) {
                command.emplace_back(option);
                command.push_back(certificates_->file(name));
            }
        }
        process_ = child_process{command, directory_->path() + "/log"};
        if (certificates_) return;  // Who asks it waits.
        REQUIRE_MESSAGE(wait_for_answer(port_, "GET /health HTTP/1.0\r\n\r\n", "true"),
                        "etcd does not start; see " << directory_->path() << "/log");
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
    std::shared_ptr<const test_certificates> certificates_;
    std::shared_ptr<temporary_directory> directory_ = std::make_shared<temporary_directory>();
    int port_ = free_port();
    int peer_port_ = free_port();
    child_process process_;
};
