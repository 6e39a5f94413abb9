// SPDX-License-Identifier: Apache-2.0
// What goes wrong, and what the caller learns: a code, whether the handler may have run, and words.
// expected output:
//   exception   remote_error       ran: yes    std::runtime_error: the disk is full
//   own code    out_of_stock       ran: yes    3 left
//   time        deadline_exceeded  ran: maybe  no answer before the deadline
//   arguments   message_too_big    ran: no     ...
//   service     no_such_method     ran: no     there is no service 'Store:9' here; offered: 'Store'
//   nobody      connect_failed     ran: no     cannot connect to tcp://127.0.0.1:1: Connection refused
//   caught      Store.fail at tcp://127.0.0.1:...: remote_error: the disk is full
//   repeatable  deadline_exceeded: not retryable, connect_failed: retryable
#include <futon/futon.hpp>

#include <chrono>
#include <iomanip>
#include <iostream>
#include <stdexcept>
#include <string>
#include <system_error>

using namespace std::chrono_literals;

struct Store {
    void fail();
    int take(int count);
    void sleep(std::string text);
};
FUTON_SERVICE(Store, fail, take, sleep)

// [category]
// Codes of your own: a std::error_category. A client that lists it gets them back as they are.
struct store_category final : std::error_category {
    const char* name() const noexcept override { return "store"; }
    std::string message(int) const override { return "out_of_stock"; }
};
const store_category store_errors;

struct store_impl {
    void fail() { throw std::runtime_error{"the disk is full"}; }
    futon::result<int> take(int count) {
        if (count > 3) return futon::error{std::error_code{1, store_errors}, "3 left"};
        return count;
    }
    futon::future<void> sleep(std::string) { return futon::delay(10min); }
};
// [/category]

template <class T>
void print(const char* what, const futon::result<T>& got) {
    const futon::error& why = got.error();
    std::cout << std::left << std::setw(12) << what << std::setw(19) << why.code().message() << "ran: " << std::setw(7)
              << name(why.ran()) << why.remote_type() << (why.remote_type().empty() ? "" : ": ") << why.message() << "\n";
}

int main() {
    futon::server server;
    server.provide<Store>(store_impl{});
    server.start();
    // [client]
    futon::client client{{.endpoints = server.addresses(), .error_categories = {&store_errors}}};
    // [/client]
    const auto store = client.stub<Store>();

    print("exception", store.fail().get_result());
    print("own code", store.take(4).get_result());
    const auto late = store.with({.timeout = 500ms}).sleep("").get_result();
    print("time", late);
    print("arguments", store.sleep(std::string(9'000'000, 'x')).get_result());
    print("service", client.stub<Store>({.version = "9"}).fail().get_result());

    futon::client nobody{{.endpoints = "tcp://127.0.0.1:1", .threads = {.least = futon::log_level::error}}};
    const auto unsent = nobody.stub<Store>().fail().get_result();
    print("nobody", unsent);

    // get() throws the same error.
    try {
        store.fail().get();
    } catch (const futon::rpc_error& e) {
        std::cout << "caught      " << e.what() << "\n";
    }

    // Groups say what a caller can do about it.
    const auto repeatable = [](const futon::error& why) {
        return why.code().message() + (why.is(futon::cond::retryable) ? ": retryable" : ": not retryable");
    };
    std::cout << "repeatable  " << repeatable(late.error()) << ", " << repeatable(unsent.error()) << "\n";
}
