// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Server processes that a test starts, stops, freezes and kills.

#include "faults/support/ledger.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <sys/wait.h>
#include <unistd.h>

namespace futon_tests {

/// What takes longer than this will not come any more.
inline constexpr auto hung = std::chrono::seconds{30};

/// For what other processes bring about, of which nothing here is told. False: it will not come.
template <class Predicate>
[[nodiscard]] bool eventually(Predicate holds) {
    const auto until = std::chrono::steady_clock::now() + hung;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > until) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    return true;
}

/// Up to `most_servers` servers of `Work`, numbered from 0. All
/// that still run are killed with it, also when a test fails.
///
/// Used by the thread that made it, which must not end before it: the processes end with that thread.
class fleet_of_processes {
public:
    /// They publish themselves at `registry`, a URL; empty: nowhere. `test_case`: that which calls `serve_if_told`.
    explicit fleet_of_processes(std::string registry = "", std::string test_case = "faults: child: a server process")
        : registry_{std::move(registry)}, test_case_{std::move(test_case)} {}

    [[nodiscard]] server_page& operator[](std::size_t number) { return book_->servers.at(number); }
    [[nodiscard]] ledger& book() { return *book_.operator->(); }

    /// Returns when it listens. `port`: 0 for any.
    void start(std::size_t number, int port = 0) {
        const auto before = (*this)[number].up.load();
        processes_.at(number) = std::make_unique<child_process>(
            test_case_,
            std::vector<std::string>{"FUTON_TEST_LEDGER=" + book_.path(), "FUTON_TEST_SERVER=" + std::to_string(number),
                                     "FUTON_TEST_REGISTRY=" + registry_,
                                     "FUTON_TEST_LISTEN=tcp://127.0.0.1:" + std::to_string(port),
                                     "FUTON_TEST_PARENT=" + std::to_string(::getpid())});
        REQUIRE(eventually([&] { return (*this)[number].up.load() > before; }));
    }
    void start_first(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) start(i);
    }
    void signal(std::size_t number, int which) { processes_.at(number)->kill(which); }
    /// Kills it, and returns when it is gone.
    void kill(std::size_t number) {
        signal(number, SIGKILL);
        static_cast<void>(processes_.at(number)->wait());
    }
    /// Asks it to stop, and returns when it has drained. Whether it ended well.
    [[nodiscard]] bool stop(std::size_t number) {
        signal(number, SIGTERM);
        const int status = processes_.at(number)->wait();
        return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    [[nodiscard]] std::string address(std::size_t number) {
        return "tcp://127.0.0.1:" + std::to_string((*this)[number].port.load());
    }

    /// The longest time that one of the servers had to wait for a processor; `but` is not asked.
    [[nodiscard]] std::chrono::microseconds stalled(std::size_t but = most_servers) {
        std::int64_t worst = 0;
        for (std::size_t i = 0; i < most_servers; ++i)
            if (i != but) worst = std::max(worst, (*this)[i].stalled_us.load());
        return std::chrono::microseconds{worst};
    }

private:
    std::string registry_;
    std::string test_case_;
    shared_ledger book_;
    std::array<std::unique_ptr<child_process>, most_servers> processes_;
};

}  // namespace futon_tests
