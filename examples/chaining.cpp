// SPDX-License-Identifier: Apache-2.0
// Futures chain: each stage consumes one and yields the next. An error passes the stages by until one of them takes it.
// expected output:
//   then:        two cups of tea cost 7.5
//   nested:      tea and cake cost 6.75
//   recover:     there is no gold, so tea for 3.75
//   timeout:     the kettle is too slow, so water
//   handle:      gold is not there
//   finally:     the till is closed
//   on_complete: cake costs 3
#include <futon/futon.hpp>

#include <chrono>
#include <future>
#include <iostream>
#include <string>
#include <system_error>

using namespace std::chrono_literals;

struct Shop {
    int find(std::string what);
    double price(int item);
    std::string brew(int item);
};
FUTON_SERVICE(Shop, find, price, brew)

struct shop_impl {
    futon::result<int> find(std::string what) {
        if (what == "tea") return 1;
        if (what == "cake") return 2;
        return futon::error{make_error_code(std::errc::invalid_argument), "there is no " + what};
    }
    double price(int item) { return item == 1 ? 3.75 : 3.0; }
    futon::future<std::string> brew(int) {
        return futon::delay(10min).then([] { return std::string{"tea"}; });
    }
};

int main() {
    futon::server server;
    server.provide<Shop>(shop_impl{});
    server.start();
    futon::client client{server.addresses()};
    const auto shop = client.stub<Shop>();

    // A stage that returns a future is flattened: this is a future<double>.
    const auto cost = [=](std::string what) {
        return shop.find(what).then([=](int item) { return shop.price(item); });
    };
    const double two = cost("tea").then([](double price) { return 2 * price; }).get();
    std::cout << "then:        two cups of tea cost " << two << "\n";

    const double both = cost("tea").then([=](double tea) {
        return cost("cake").then([=](double cake) { return tea + cake; });
    }).get();
    std::cout << "nested:      tea and cake cost " << both << "\n";

    const double instead = cost("gold").recover([=](const futon::error& why) {
        std::cout << "recover:     " << why.message();
        return cost("tea");
    }).get();
    std::cout << ", so tea for " << instead << "\n";

    // On expiry the call is cancelled, and the delay that the handler waits for with it.
    const std::string drink = shop.brew(1)
                                  .timeout(20ms)
                                  .recover(futon::errc::deadline_exceeded, [] { return std::string{"water"}; })
                                  .get();
    std::cout << "timeout:     the kettle is too slow, so " << drink << "\n";

    shop.find("gold")
        .handle([](futon::result<int> item) { std::cout << "handle:      gold is " << (item ? "there\n" : "not there\n"); })
        .finally([] { std::cout << "finally:     the till is closed\n"; })
        .get();

    // Ends a chain that nobody waits for.
    std::promise<void> done;
    cost("cake").on_complete([&](futon::result<double> price) {
        std::cout << "on_complete: cake costs " << *price << "\n";
        done.set_value();
    });
    done.get_future().wait();
}
