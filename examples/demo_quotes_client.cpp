// SPDX-License-Identifier: Apache-2.0
// The client of scripts/demo.sh's cluster: demo_quotes_client REGISTRY SECONDS. Calls all the time, and says each half
// second who answered.
#include "demo_quotes.hpp"

#include <futon/client.hpp>
#include <futon/registry/file_registry.hpp>
#include <futon/registry/open_registry.hpp>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <map>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

int main(int argc, char** argv) try {
    if (argc != 3) {
        std::cerr << "usage: demo_quotes_client REGISTRY SECONDS\n";
        return 2;
    }
    auto registry = futon::open_registry<futon::file_registry>(argv[1]).value();
    futon::client client{{.registry = registry}};
    const auto quotes = client.stub<Quotes>();
    client.wait_ready(10s).get();

    int failed = 0;
    for (int half = 0; half < 2 * std::atoi(argv[2]); ++half) {
        std::map<std::string, int> answered;
        const auto until = futon::clock::now() + 500ms;
        while (futon::clock::now() < until) {
            std::vector<futon::future<Quote>> calls;
            for (int i = 0; i < 4; ++i) calls.push_back(quotes.quote("EUR"));
            for (auto& each : calls) {
                const auto got = std::move(each).get_result();
                if (got) {
                    ++answered[got->from];
                } else {
                    ++failed;
                    std::cout << "   " << got.error().describe() << "\n";
                }
            }
            std::this_thread::sleep_for(5ms);
        }
        std::cout << "  ";
        for (const auto& [name, times] : answered) std::cout << " " << name << ": " << times;
        std::cout << std::endl;
    }
    std::cout << "   failed calls: " << failed << "\n";
    return failed == 0 ? 0 : 1;
} catch (const std::exception& e) {
    std::cerr << "failed: " << e.what() << "\n";
    return 1;
}
