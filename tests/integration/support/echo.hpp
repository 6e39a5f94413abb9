// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A service to be called, held up and failed at will, and waiting without sleeping.

#include <futon/futon.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace futon_tests {

using namespace std::chrono_literals;

/// Long enough for the slowest machine under the slowest sanitizer; nothing waits that long unless it fails.
inline constexpr auto ceiling = std::chrono::seconds{60};

/// Polls without sleeping: for counters that raise no event.
template <class Predicate>
[[nodiscard]] bool soon(Predicate holds) {
    const auto until = std::chrono::steady_clock::now() + ceiling;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > until) return false;
        std::this_thread::yield();
    }
    return true;
}

/// Counts events and lets threads wait for a count.
class tally {
public:
    void add(std::size_t more = 1) {
        const std::lock_guard lock{mutex_};
        count_ += more;
        changed_.notify_all();
    }
    [[nodiscard]] bool reaches(std::size_t wanted) {
        std::unique_lock lock{mutex_};
        return changed_.wait_for(lock, ceiling, [&] { return count_ >= wanted; });
    }
    [[nodiscard]] std::size_t count() {
        const std::lock_guard lock{mutex_};
        return count_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t count_ = 0;
};

struct Echo {
    std::int64_t echo(std::int64_t n);
    std::string text(std::string s);
    std::int64_t hold(std::int64_t n);
    void note(std::int64_t n);
};
FUTON_SERVICE(Echo, (echo, futon::idempotent), text, hold, note)

/// Answers `echo` and `text` at once; keeps what `hold` got until it is released or dropped.
class echo_service {
public:
    std::int64_t echo(std::int64_t n) { return n; }
    std::string text(std::string s) { return s; }
    void hold(futon::call_context& context, futon::responder<std::int64_t> answer, std::int64_t n) {
        const std::lock_guard lock{mutex_};
        held_.emplace_back(n, std::move(answer), context.stop_token());
        arrived.add();
    }
    void note(std::int64_t) { noted.add(); }

    /// Answers what is held, each with its argument.
    void release() {
        for (auto& each : take()) each.answer(each.number);
    }
    /// Drops what is held without an answer.
    void drop() { take().clear(); }
    [[nodiscard]] std::size_t stopped() {
        const std::lock_guard lock{mutex_};
        std::size_t count = 0;
        for (const auto& each : held_) count += each.stop.stop_requested() ? 1u : 0u;
        return count;
    }

    tally arrived;  ///< Of `hold`.
    tally noted;

private:
    struct held {
        held(std::int64_t n, futon::responder<std::int64_t> a, std::stop_token s)
            : number{n}, answer{std::move(a)}, stop{std::move(s)} {}
        std::int64_t number;
        futon::responder<std::int64_t> answer;
        std::stop_token stop;
    };
    std::vector<held> take() {
        const std::lock_guard lock{mutex_};
        return std::exchange(held_, {});
    }

    std::mutex mutex_;
    std::vector<held> held_;
};

/// A server on a free port of loopback with one `echo_service`.
struct echo_server {
    explicit echo_server(futon::server_options options = {},
                         const futon::provide_options& how = {.run_on = futon::run_on::io})
        : server{std::move(options)} {
        server.provide<Echo>(service, how);
        server.start();
    }
    [[nodiscard]] futon::endpoints address() const { return server.addresses(); }
    /// The same address for a successor.
    [[nodiscard]] std::string address_text() const { return server.addresses().front().text(); }

    std::shared_ptr<echo_service> service = std::make_shared<echo_service>();
    futon::server server;
};

/// Options that keep a test quiet and quick.
[[nodiscard]] inline futon::client_options to(futon::endpoints where) {
    futon::client_options options;
    options.endpoints = std::move(where);
    options.timeout = ceiling;
    options.threads.log = [](const futon::log_record&) {};
    return options;
}
[[nodiscard]] inline futon::server_options quiet_server() {
    futon::server_options options;
    options.threads.log = [](const futon::log_record&) {};
    options.io_threads = 2;
    return options;
}

}  // namespace futon_tests
