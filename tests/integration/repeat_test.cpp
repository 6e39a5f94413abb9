// SPDX-License-Identifier: Apache-2.0
// What retry and hedge know of the calls that they repeat: a contract says once which methods may run twice.

#include <futon/futon.hpp>
#include <futon/testing.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using futon::testing::fake;
using futon::testing::simulation;

namespace repeat_test {

struct Store {
    std::string get(std::string key);
    void put(std::string key);
};
FUTON_SERVICE(Store, (get, futon::idempotent), put)

}  // namespace repeat_test

namespace {

using repeat_test::Store;

// A store that answers nothing.
struct silent_store {
    simulation world;
    futon::executor_ref place = world.runtime().executor();
    fake<Store> store;
    std::vector<futon::responder<std::string>> gets;
    std::vector<futon::responder<void>> puts;
    futon::stub<Store> stub = [this] {
        store.on<&Store::get>(
            [this](futon::responder<std::string> answer, const std::string&) { gets.push_back(std::move(answer)); });
        store.on<&Store::put>(
            [this](futon::responder<void> answer, const std::string&) { puts.push_back(std::move(answer)); });
        return store.stub(world).with({.timeout = 50ms});
    }();
};

// Whatever the error, three times.
struct thrice {
    std::optional<futon::duration> next_delay(const futon::failed_attempt& failed) const noexcept {
        return failed.number < 3 ? std::optional{futon::duration{}} : std::nullopt;
    }
};

TEST_CASE("retry: the call of an idempotent method is repeated without saying so again, any other is not") {
    silent_store at;
    const auto attempts = [&](auto call, bool idempotent = false) {
        at.store.forget_calls();
        auto outcome = at.world.get_result(
            futon::retry(at.place, futon::retry_options<thrice>{.idempotent = idempotent}, std::move(call)));
        REQUIRE(!outcome);
        CHECK(outcome.error() == futon::errc::deadline_exceeded);
        CHECK(outcome.error().ran() == futon::executed::maybe);
        return at.store.calls<&Store::get>() + at.store.calls<&Store::put>();
    };
    CHECK(attempts([&] { return at.stub.get("x"); }) == 3);
    CHECK(attempts([&] { return at.stub.put("x"); }) == 1);
    CHECK(attempts([&] { return at.stub.put("x"); }, true) == 3);
    // The same call, seen through what only passes it on.
    CHECK(attempts([&] { return at.stub.get("x").timeout(10ms).via(at.place).cancel_with({}); }) == 3);
    CHECK(attempts([&] { return at.stub.put("x").timeout(10ms).via(at.place).cancel_with({}); }) == 1);
    // More than the call: what the stage would do is not known.
    CHECK(attempts([&] { return at.stub.get("x").then([](const std::string& text) { return text; }); }) == 1);
    CHECK(attempts([&]() -> futon::task<std::string> { co_return co_await at.stub.get("x"); }) == 1);
    CHECK(attempts([&] { return futon::when_all(at.stub.get("x"), at.stub.put("x")); }) == 2);
}

TEST_CASE("retry: an error that the handler answered is repeated where the policy says so and the method may run twice") {
    simulation world;
    const auto place = world.runtime().executor();
    fake<Store> store;
    const futon::error gone{futon::errc::unavailable, "the backend is away"};
    store.on<&Store::get>([&](const std::string&) -> futon::result<std::string> { return gone; });
    store.on<&Store::put>([&](const std::string&) -> futon::result<void> { return gone; });
    const auto stub = store.stub(world);
    const auto calls = [&](auto&& made) {
        store.forget_calls();
        const auto outcome = world.get_result(std::move(made));
        REQUIRE(!outcome);
        CHECK(outcome.error() == futon::errc::unavailable);
        CHECK(outcome.error().ran() == futon::executed::yes);
        return store.calls<&Store::get>() + store.calls<&Store::put>();
    };
    const auto answers = stub.with({.retry = futon::exponential_backoff{.answers = true}});
    CHECK(calls(stub.get("x")) == 1);
    CHECK(calls(answers.get("x")) == 3);
    CHECK(calls(answers.put("x")) == 1);
    const futon::retry_options<> once_more{.policy = {.max_attempts = 2, .answers = true}};
    CHECK(calls(futon::retry(place, once_more, [&] { return stub.get("x"); })) == 2);
    CHECK(calls(futon::retry(place, once_more, [&] { return stub.put("x"); })) == 1);
}

TEST_CASE("hedge: the call of an idempotent method is hedged without saying so again, any other runs once") {
    silent_store at;
    const auto attempts = [&](auto call, bool idempotent = false) {
        at.store.forget_calls();
        auto hedged =
            futon::hedge(at.place, {.delay = 10ms, .max_attempts = 3, .idempotent = idempotent}, std::move(call));
        static_cast<void>(at.world.get_result(std::move(hedged)));
        return at.store.calls<&Store::get>() + at.store.calls<&Store::put>();
    };
    CHECK(attempts([&] { return at.stub.get("x"); }) == 3);
    CHECK(attempts([&] { return at.stub.put("x"); }) == 1);
    CHECK(attempts([&] { return at.stub.put("x"); }, true) == 3);
    CHECK(attempts([&] { return at.stub.get("x").timeout(40ms); }) == 3);
    CHECK(attempts([&] { return at.stub.get("x").then([](const std::string& text) { return text; }); }) == 1);
    CHECK(attempts([&]() -> futon::task<std::string> { co_return co_await at.stub.get("x"); }) == 1);
    // Once an attempt does what may not run twice, there is no other.
    CHECK(attempts([&, n = 0]() mutable {
              return ++n == 1 ? at.stub.get("x").then([](const std::string&) {}) : at.stub.put("x");
          }) == 1);
    CHECK(attempts([&, n = 0]() mutable {
              return ++n == 1 ? at.stub.get("x") : at.stub.get("x").then([](const std::string& t) { return t; });
          }) == 2);
}

}  // namespace
