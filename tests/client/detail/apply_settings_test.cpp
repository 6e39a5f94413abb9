// SPDX-License-Identifier: Apache-2.0
#include <futon/client/detail/apply_settings.hpp>

#include <futon/service/call_options.hpp>
#include <futon/service/method.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

struct laid {
    futon::call_rules rules;
    std::vector<std::string> faults;
};

laid lay(const futon::metadata& set, const futon::client_options& options = {}, const futon::call_rules& own = {}) {
    laid made;
    made.rules = futon::detail::apply_settings(own, set, options, made.faults);
    return made;
}

TEST_CASE("settings: cluster says whether calls are repeated, by SOFARPC's names") {
    const auto fast = lay({{"cluster", "failfast"}, {"retries", "4"}});
    CHECK(fast.rules.retry->max_attempts == 1);
    CHECK(fast.faults.empty());
    // Over what the client says, but for the number of attempts where it has one.
    CHECK(lay({{"cluster", "failover"}}, {.retry = {.max_attempts = 1}}).rules.retry->max_attempts == 3);
    CHECK(lay({{"cluster", "failover"}}, {.retry = {.max_attempts = 5}}).rules.retry->max_attempts == 5);
    CHECK(lay({{"cluster", "failover"}, {"retries", "1"}}).rules.retry->max_attempts == 2);
    const auto unknown = lay({{"cluster", "failback"}});
    CHECK_FALSE(unknown.rules.retry.has_value());
    REQUIRE(unknown.faults.size() == 1);
    CHECK(unknown.faults.front() == "'cluster=failback': expected failover or failfast");
}

TEST_CASE("settings: a key that is not known changes nothing, and is named with the nearest one that is") {
    const auto got = lay({{"timeuot", "5ms"}, {"retries", "1"}, {"colour", "blue"}});
    CHECK_FALSE(got.rules.timeout.has_value());
    CHECK(got.rules.retry->max_attempts == 2);
    REQUIRE(got.faults.size() == 2);
    CHECK(got.faults.front() ==
          "'timeuot=5ms': there is no such setting; did you mean 'timeout'? "
          "Known: timeout, retries, cluster, hedge, balancer");
    CHECK(got.faults.back() ==
          "'colour=blue': there is no such setting; known: timeout, retries, cluster, hedge, balancer");
}

TEST_CASE("settings: what is said of one that cannot be meant is one line, however long and whatever is in it") {
    const auto got = lay({{"timeout", "1s\nfuton error: all is lost\x1b[0m"}, {std::string(120, 'k'), "v"}});
    REQUIRE(got.faults.size() == 2);
    CHECK(got.faults.front().starts_with("'" + std::string(100, 'k') + "...=v': there is no such setting"));
    CHECK(got.faults.back().starts_with("'timeout=1s?futon error: all is lost?[0m': expected"));
}

TEST_CASE("settings: hedge is off, the 95th percentile, or a delay") {
    CHECK(lay({{"hedge", "off"}}, {}, {.hedge = futon::hedging{.max_attempts = 3}}).rules.hedge == futon::hedging{});
    CHECK(lay({{"hedge", "p95"}}).rules.hedge == futon::hedging{.max_attempts = 2});
    CHECK(lay({{"hedge", "20ms"}}).rules.hedge == futon::hedging{.max_attempts = 2, .delay = 20ms});
    CHECK_FALSE(lay({}).rules.hedge.has_value());
    for (const auto* bad : {"p99", "", "0ms", "-5ms", "20"}) {
        CAPTURE(bad);
        const auto got = lay({{"hedge", bad}});
        CHECK_FALSE(got.rules.hedge.has_value());
        CHECK(got.faults.size() == 1);
    }
}

TEST_CASE("settings: failfast is a retry policy, and an attribute of a method") {
    const futon::exponential_backoff policy = futon::failfast;
    CHECK(policy.max_attempts == 1);
    const futon::client_options options{.retry = futon::failfast};
    CHECK(options.retry.max_attempts == 1);
    const futon::call_rules rules{.retry = futon::failfast};
    CHECK(rules.retry->max_attempts == 1);
    const futon::call_options call{.retry = futon::failfast};
    CHECK(call.retry->max_attempts == 1);
}

}  // namespace
