// SPDX-License-Identifier: Apache-2.0
// Servers that are stopped in good order and replaced, under load.

#include "faults/support/town.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdlib>
#include <string>

using namespace futon_tests;

namespace {

// The tests' own run restarts all servers twice; more for who doubts it.
std::size_t rounds_wanted() {
    const auto text = told("FUTON_FAULT_ROUNDS");
    return text.empty() ? 2 : static_cast<std::size_t>(std::stoi(text));
}

TEST_CASE("faults: a rolling restart of all three servers loses no call, idempotent or not (F38)") {
    town t{5ms, {.per_second = 1000}};
    auto& load = *t.load;
    const auto rounds = rounds_wanted();
    for (std::size_t round = 0; round < rounds; ++round) {
        for (std::size_t i = 0; i < 3; ++i) {
            CAPTURE(round);
            CAPTURE(i);
            CHECK(t.servers.stop(i));
            t.servers.start(i);
            wait_for_providers(*t.client, 3);
            load.goes_on(100ms);
        }
    }
    load.finish();
    load.check_truth();
    CHECK_MESSAGE(load.failed() == 0, load.failures());
    MESSAGE("F38: ", rounds * 3, " restarts under ", load.calls().size(), " calls: ", load.failed(), " failed, ",
            load.attempts() - static_cast<std::int64_t>(load.calls().size()), " moved; p99 ", ms(load.quantile(0.99)),
            ", slowest ", ms(load.quantile(1.0)));
}

}  // namespace
