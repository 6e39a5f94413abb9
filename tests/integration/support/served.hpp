// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// One contract served to one client, over loopback or in virtual time, and gates for handlers to wait at.

#include "integration/support/echo.hpp"

#include <futon/testing/simulation.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace futon_tests {

/// Of a server and a client in a simulated world, which ends after them: there a call is at its server when its time is
/// over, however busy the machine is.
[[nodiscard]] inline futon::server_options server_in(const futon::testing::simulation& world,
                                                     const std::string& name = "server") {
    return {.listen = "memory://" + name, .runtime = world.runtime()};
}
[[nodiscard]] inline futon::client_options client_in(const futon::testing::simulation& world) {
    futon::client_options options;
    options.timeout = ceiling;
    options.runtime = world.runtime();
    return options;
}

/// A server with one implementation, a client of it, and a stub.
template <class Contract>
struct served {
    template <class Implementation>
    explicit served(Implementation&& implementation, const futon::provide_options& how = {},
                    futon::server_options serving = quiet_server(), futon::client_options calling = to({}))
        : server{std::move(serving)} {
        server.provide<Contract>(std::forward<Implementation>(implementation), how);
        server.start();
        calling.endpoints = server.addresses();
        client.emplace(std::move(calling));
        stub = client->template stub<Contract>(futon::stub_options{how.version, how.unique_id, {}});
    }

    futon::server server;
    std::optional<futon::client> client;
    futon::stub<Contract> stub;
};

/// Handlers wait here, each for a future of its own, until the test opens it. Thread-safety: safe.
class gate {
public:
    /// Ready once the gate is open. Its executor is where the caller runs.
    [[nodiscard]] futon::future<void> wait() {
        auto made = std::make_shared<futon::promise<void>>();
        auto opened = made->get_future();
        {
            const std::lock_guard lock{mutex_};
            waiting_.push_back(std::move(made));
        }
        arrived.add();
        return opened;
    }
    void open() {
        std::vector<std::shared_ptr<futon::promise<void>>> all;
        {
            const std::lock_guard lock{mutex_};
            all.swap(waiting_);
        }
        for (const auto& each : all) each->try_set({});
    }

    tally arrived;

private:
    std::mutex mutex_;
    std::vector<std::shared_ptr<futon::promise<void>>> waiting_;
};

/// The error of a call that must fail.
template <class T>
[[nodiscard]] futon::error error_of(futon::future<T> call) {
    auto outcome = std::move(call).get_result();
    if (outcome) return futon::error{futon::errc::internal, "it succeeded"};
    return std::move(outcome).error();
}

}  // namespace futon_tests
