// SPDX-License-Identifier: Apache-2.0
// One call, and then another with its result: as a chain, and as a coroutine. Errors of either call come out at the end.
// expected output:
//   chain:     ann bought tea and cake
//   error:     there is no user 0
//   coroutine: ann bought tea and cake
#include <futon/futon.hpp>

#include <future>
#include <iostream>
#include <string>
#include <system_error>
#include <vector>

struct User {
    int id = 0;
    std::string name;
};
struct Accounts {
    User user(int id);
};
FUTON_SERVICE(Accounts, user)

struct Sales {
    std::vector<std::string> orders(int user);
};
FUTON_SERVICE(Sales, orders)

struct accounts_impl {
    futon::result<User> user(int id) {
        if (id < 1) return futon::error{make_error_code(std::errc::invalid_argument), "there is no user " + std::to_string(id)};
        return User{id, "ann"};
    }
};
struct sales_impl {
    std::vector<std::string> orders(int) { return {"tea", "cake"}; }
};

std::string shown(const User& user, const std::vector<std::string>& orders) {
    std::string text = user.name + " bought";
    for (const auto& item : orders) text += (item == orders.front() ? " " : " and ") + item;
    return text;
}

// [chain]
futon::future<std::string> summary(futon::stub<Accounts> accounts, futon::stub<Sales> sales, int id) {
    return accounts.user(id).then([=](User user) {
        return sales.orders(user.id).then([=](std::vector<std::string> orders) { return shown(user, orders); });
    });
}
// [/chain]

// [coroutine]
futon::task<std::string> summary_task(futon::stub<Accounts> accounts, futon::stub<Sales> sales, int id) {
    User user = co_await accounts.user(id);
    std::vector<std::string> orders = co_await sales.orders(user.id);
    co_return shown(user, orders);
}
// [/coroutine]

int main() {
    futon::server server;
    server.provide<Accounts>(accounts_impl{});
    server.provide<Sales>(sales_impl{});
    server.start();
    futon::client client{server.addresses()};
    const auto accounts = client.stub<Accounts>();
    const auto sales = client.stub<Sales>();

    for (const int id : {7, 0}) {
        std::promise<void> done;
        // [use]
        summary(accounts, sales, id).on_complete([&](futon::result<std::string> text) {
            std::cout << (text ? "chain:     " + *text : "error:     " + text.error().message()) << "\n";
            done.set_value();
        });
        // [/use]
        done.get_future().wait();
    }
    std::cout << "coroutine: " << futon::sync_wait(summary_task(accounts, sales, 7)) << "\n";
}
