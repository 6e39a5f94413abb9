// SPDX-License-Identifier: Apache-2.0
// Text that travels beside the arguments and the answer, and what else a handler can learn about its call.
// expected output:
//   anonymous may not
//   ann bought tea, trace 17
//   bob bought tea, trace 17
//   tea: 3 left
//   Shop:2.0 describe_call, from this machine, less than 1 s left
#include <futon/futon.hpp>

#include <chrono>
#include <iostream>
#include <string>

using namespace std::chrono_literals;

struct Shop {
    std::string buy(std::string what);
    double price(std::string what);
    std::string describe_call();
};
FUTON_SERVICE(Shop, buy, price, describe_call)

struct shop_impl {
    // [context]
    // A handler that wants to know about its call takes a call_context& first.
    futon::result<std::string> buy(futon::call_context& call, std::string what) {
        const auto user = call.headers().get("user");
        if (!user) return futon::error{futon::errc::unauthenticated, "anonymous may not"};
        return std::string{*user} + " bought " + what + ", trace " + std::string{call.headers().get("trace").value_or("none")};
    }
    // [/context]
    // [reply]
    double price(futon::call_context& call, std::string what) {
        call.reply_headers().set("stock", what + ": 3 left");  // travels beside the answer
        return 2.5;
    }
    // [/reply]
    std::string describe_call(futon::call_context& call) {
        return std::string{call.service()} + " " + std::string{call.method()} + ", from " +
               (call.peer().starts_with("tcp://127.0.0.1:") ? "this machine" : "elsewhere") + ", " +
               (call.time_left() < 1s ? "less" : "more") + " than 1 s left";
    }
};

int main() {
    futon::server server;
    server.provide<Shop>(shop_impl{}, {.version = "2.0"});
    server.start();
    futon::client client{server.addresses()};

    const auto shop = client.stub<Shop>({.version = "2.0"});
    std::cout << shop.buy("tea").get_result().error().message() << "\n";

    // `with` makes another stub; headers add up, and a later value of the same key wins.
    const auto as_ann = shop.with({.headers = {{"user", "ann"}, {"trace", "17"}}});
    std::cout << as_ann.buy("tea").get() << "\n";
    std::cout << as_ann.with({.headers = {{"user", "bob"}}}).buy("tea").get() << "\n";

    // [with_reply_headers]
    // A call yields its value alone, unless it is asked for what came with it: a futon::replied<double> here.
    const auto tea = shop.price("tea", futon::with_reply_headers()).get();
    if (tea.value < 3) std::cout << tea.headers.get("stock").value_or("out of stock") << "\n";
    // [/with_reply_headers]

    std::cout << shop.with({.timeout = 1s}).describe_call().get() << "\n";
}
