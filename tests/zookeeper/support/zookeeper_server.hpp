// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A real ZooKeeper on a free port of the loopback, with a directory of its own.

#include "registry/support/child_process.hpp"
#include "registry/support/free_port.hpp"
#include "registry/support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

class zookeeper_server {
public:
    zookeeper_server() { start(); }

    [[nodiscard]] static bool is_installed() {
        return server_is_installed("/usr/share/java/zookeeper.jar", "zookeeper") &&
               server_is_installed("/usr/bin/java", "default-jre-headless");
    }
    [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
    void signal(int which) const { process_.signal(which); }
    void kill() { process_.end(SIGKILL); }
    void start() {
        const auto configuration = directory_->path() + "/zoo.cfg";
        std::ofstream{configuration}
            << "tickTime=200\ndataDir=" << directory_->path() << "/data\nclientPort=" << port_
            << "\nclientPortAddress=127.0.0.1\nminSessionTimeout=1000\nmaxSessionTimeout=60000\nmaxClientCnxns=0\n"
               "admin.enableServer=false\n4lw.commands.whitelist=srvr\n";
        std::filesystem::create_directories(directory_->path() + "/data");
        process_ =
            child_process{{"/usr/bin/java", "-Xmx128m", "-XX:+UseSerialGC", "-cp", "/usr/share/java/zookeeper.jar",
                           "org.apache.zookeeper.server.quorum.QuorumPeerMain", configuration},
                          directory_->path() + "/log"};
        REQUIRE_MESSAGE(wait_for_answer(port_, "srvr", "Mode:"),
                        "ZooKeeper does not start; see " << directory_->path() << "/log");
    }
    void wipe() const { std::filesystem::remove_all(directory_->path() + "/data"); }

private:
    std::shared_ptr<temporary_directory> directory_ = std::make_shared<temporary_directory>();
    int port_ = free_port();
    child_process process_;
};
