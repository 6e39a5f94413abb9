// SPDX-License-Identifier: Apache-2.0
// The code of docs/async.md: what makes futures from futures, values and time.
#include "async_shop.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace async_docs;

namespace {

TEST_CASE("docs: all of several") {
    open_shop at;
    auto& shop = at.shop;
    // [all]
    auto [ann, tea] = futon::when_all(shop.user(7), shop.price("tea")).get();  // a tuple; or the first error

    std::vector<futon::future<double>> asked;
    for (auto item : {"tea", "cake", "pen"}) asked.push_back(shop.price(item));
    std::vector<double> prices = futon::when_all(std::move(asked)).get();      // of a range a vector, in order

    auto [gold, cake] = futon::all_settled(shop.price("gold"), shop.price("cake")).get();  // results: never fails
    double sum = gold.value_or(0) + cake.value_or(0);
    // [/all]
    CHECK(ann.name == "ann");
    CHECK(tea == 3.75);
    CHECK(prices == std::vector<double>{3.75, 3, 3});
    CHECK(sum == 3);

    // The first error cancels the rest.
    auto failing = futon::when_all(shop.slow("x"), shop.price("gold"));
    CHECK(std::move(failing).get_result().error().message() == "there is no gold");
    CHECK((at.impl.begun.count() == 0 || at.impl.stopped.reaches(1)));
}

TEST_CASE("docs: some of several") {
    open_shop at;
    auto& shop = at.shop;
    // [some]
    auto first = futon::when_any(shop.slow("tea"), shop.buy("pen", 1)).get();  // the first to end, well or badly
    bool bought = first.index == 1 && first.outcome.has_value();               // outcome: a result of a variant here

    double tea = futon::first_success(shop.price("gold"), shop.price("tea")).get();  // the first value

    std::vector<futon::future<double>> asked;
    for (auto item : {"gold", "tea", "cake"}) asked.push_back(shop.price(item));
    auto two = futon::quorum(2, std::move(asked)).get();                       // the first two values...
    std::size_t which = two[0].index;                                          // ...with the index of their input
    // [/some]
    CHECK(bought);
    CHECK(tea == 3.75);
    CHECK(two.size() == 2);
    CHECK(which != 0);
    CHECK((at.impl.begun.count() == 0 || at.impl.stopped.reaches(1)));  // the loser was cancelled on the server
}

TEST_CASE("docs: the same for many, so many at once") {
    open_shop at;
    auto& shop = at.shop;
    // [many]
    std::vector<std::string> items{"tea", "cake", "pen", "tea"};
    auto prices = futon::map_concurrent(items, 2, [=](std::string item) { return shop.price(item); });  // at most 2 at once
    double first = std::move(prices).get()[0];  // in the order of the items

    std::atomic<int> seen{0};
    futon::for_each_concurrent(items, 2, [&, shop](std::string item) {
        return shop.price(item).then([&](double) { ++seen; });
    }).get();  // keeps no results

    auto settled = futon::map_settled(items, 2, [=](std::string item) { return shop.price(item); }).get();  // results
    // [/many]
    CHECK(first == 3.75);
    CHECK(seen == 4);
    CHECK(settled.size() == 4);
}

// [group]
futon::task<int> tell_all(std::vector<futon::stub<Shop>> shops) {
    std::atomic<int> told{0};
    futon::call_group calls;
    for (auto& shop : shops) calls.add(shop.price("tea").then([&](double) { ++told; }));
    co_await calls.join();  // when all have ended; the first failure cancels the rest, and is thrown here
    co_return told.load();
}
// [/group]

TEST_CASE("docs: a group of calls") {
    open_shop at;
    CHECK(futon::sync_wait(tell_all({at.shop, at.shop, at.shop})) == 3);
    {
        futon::call_group group;
        group.add(at.shop.slow("x"));
        REQUIRE(at.impl.begun.reaches(1));
    }
    CHECK(at.impl.stopped.reaches(1));
}

TEST_CASE("docs: one result for several, and one for a scope") {
    open_shop at;
    auto& shop = at.shop;
    // [share]
    futon::shared_future<User> user = shop.user(7).share();
    auto name = user.then([](const User& u) { return u.name; });  // as many stages as you like
    auto orders = user.then([=](const User& u) { return shop.orders(u.id); });
    // [/share]
    CHECK(std::move(name).get() == "ann");
    CHECK(std::move(orders).get().size() == 2);
    const auto work = [&] { CHECK(at.impl.begun.reaches(1)); };
    // [scoped]
    {
        auto call = shop.slow("tea").scoped();
        work();  // may throw
    }  // cancelled here
    // [/scoped]
    CHECK(at.impl.stopped.reaches(1));
}

TEST_CASE("docs: again and elsewhere") {
    open_shop at;
    auto& shop = at.shop;
    // [again]
    double tea = futon::retry({.policy = {.max_attempts = 4, .base = 10ms, .ceiling = 200ms}},
                              [=](futon::attempt) { return shop.price("tea"); }).get();

    double hedged = futon::hedge({.delay = 20ms, .max_attempts = 2},
                                 [=](futon::attempt) { return shop.price("tea"); }).get();

    double other = futon::fallback(shop.price("gold"),
                                   [=] { return shop.price("silver"); },
                                   [=](const futon::error&) { return 1.0; }).get();
    // [/again]
    CHECK(tea == 3.75);
    CHECK(hedged == 3.75);
    CHECK(other == 3);
}

TEST_CASE("docs: from values, errors, time and functions") {
    open_shop at;
    futon::runtime threads;
    // [makers]
    futon::executor_ref place = threads.executor();  // where their stages run; not needed inside handlers and stages

    int seven = futon::make_ready(place, 7).then([](int x) { return x; }).get();
    bool failed = !futon::make_failed<int>(place, futon::errc::unavailable).get_result();
    futon::delay(place, 10ms).get();
    int computed = futon::async(threads.pool(), [] { return 6 * 7; }).get();  // on a thread that may block

    futon::promise<int> answer{place};  // for whoever produces a result by other means
    futon::future<int> question = answer.get_future();
    answer.set_value(42);
    // [/makers]
    CHECK(seven == 7);
    CHECK(failed);
    CHECK(computed == 42);
    CHECK(std::move(question).get() == 42);
}

TEST_CASE("docs: outside of futon's threads a future needs to be told where its stages run") {
    const auto homeless = futon::make_ready(1).then([](int x) { return x; }).get_result();
    CHECK(homeless.error() == futon::errc::no_executor);
}

}  // namespace
