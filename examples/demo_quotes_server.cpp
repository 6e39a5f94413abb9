// SPDX-License-Identifier: Apache-2.0
// One of the servers of scripts/demo.sh's cluster: demo_quotes_server REGISTRY NAME [DELAY_MS]. Ends on SIGTERM.
#include "demo_quotes.hpp"

#include <futon/registry/file_registry.hpp>
#include <futon/registry/open_registry.hpp>
#include <futon/server.hpp>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>

struct quotes_impl {
    std::string name;
    std::chrono::milliseconds delay;

    futon::task<Quote> quote(std::string currency) {
        if (delay.count() > 0) co_await futon::delay(delay);
        co_return Quote{currency == "EUR" ? 1.0 : 0.9, name};
    }
};

int main(int argc, char** argv) try {
    if (argc < 3) {
        std::cerr << "usage: demo_quotes_server REGISTRY NAME [DELAY_MS]\n";
        return 2;
    }
    auto registry = futon::open_registry<futon::file_registry>(argv[1]).value();
    futon::server server{{.listen = "tcp://127.0.0.1:0", .registry = registry}};
    server.provide<Quotes>(quotes_impl{argv[2], std::chrono::milliseconds{argc > 3 ? std::atoi(argv[3]) : 0}});
    server.run();  // registered while it runs; SIGTERM takes it out of the registry first
} catch (const futon::rpc_error& e) {
    std::cerr << e.what() << "\n";
    return 1;
}
