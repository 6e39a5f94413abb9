// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The shop of docs/async.md: its contract, a service that answers, fails and waits at will, and a client of it.

#include <futon/futon.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace async_docs {

using namespace std::chrono_literals;

// [contract]
using Items = std::vector<std::string>;
struct User {
    int id = 0;
    std::string name;
};

struct Shop {
    User user(int id);
    Items orders(int user);
    double price(std::string item);
    int buy(std::string item, int count);  // how many are left
    std::string slow(std::string what);    // takes ten minutes
};
FUTON_SERVICE(Shop, (user, futon::idempotent), orders, (price, futon::idempotent), buy, slow)
// [/contract]

struct out_of_stock {
    std::string item;
    int left = 0;
};

/// Counts events and lets threads wait for a count, without sleeping.
class tally {
public:
    void add() {
        const std::lock_guard lock{mutex_};
        ++count_;
        changed_.notify_all();
    }
    [[nodiscard]] bool reaches(int wanted) {
        std::unique_lock lock{mutex_};
        return changed_.wait_for(lock, std::chrono::seconds{60}, [&] { return count_ >= wanted; });
    }
    [[nodiscard]] int count() {
        const std::lock_guard lock{mutex_};
        return count_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int count_ = 0;
};

struct shop_impl {
    futon::result<User> user(int id) {
        if (id < 1) return futon::error{make_error_code(std::errc::invalid_argument), "there is no user " + std::to_string(id)};
        return User{id, "ann"};
    }
    Items orders(int user) { return {"tea for user " + std::to_string(user), "cake"}; }
    futon::result<double> price(std::string item) {
        if (item == "gold") return futon::error{make_error_code(std::errc::invalid_argument), "there is no gold"};
        return item == "tea" ? 3.75 : 3.0;
    }
    futon::result<int> buy(std::string item, int count) {
        if (count > 3) return futon::failure(out_of_stock{item, 3}, "only 3 left");
        return 3 - count;
    }
    futon::task<std::string> slow(futon::call_context& call, std::string what) {
        const std::stop_callback told{call.stop_token(), [this] { stopped.add(); }};
        begun.add();
        co_await futon::delay(10min);
        co_return what;
    }

    tally begun;    // slow() has begun.
    tally stopped;  // slow() was told that its caller gave up.
};

/// A shop, and a client of it.
struct open_shop {
    explicit open_shop(futon::client_options calling = {}) {
        server.provide<Shop>(std::ref(impl));
        server.start();
        calling.endpoints = server.addresses();
        client.emplace(std::move(calling));
        shop = client->stub<Shop>();
    }

    shop_impl impl;
    futon::server server;
    std::optional<futon::client> client;
    futon::stub<Shop> shop;
};

/// What the code under test printed, from whatever thread.
class printed_lines {
public:
    void add(std::string line) {
        const std::lock_guard lock{mutex_};
        lines_.push_back(std::move(line));
        changed_.notify_all();
    }
    [[nodiscard]] bool wait_for(const std::string& line) {
        std::unique_lock lock{mutex_};
        return changed_.wait_for(lock, std::chrono::seconds{60},
                                 [&] { return std::find(lines_.begin(), lines_.end(), line) != lines_.end(); });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> lines_;
};

}  // namespace async_docs
