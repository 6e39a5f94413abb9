// SPDX-License-Identifier: Apache-2.0
#include <futon/async/detail/thrown_by.hpp>

#include <futon/async/make_ready.hpp>
#include <futon/core/runtime.hpp>

#include <doctest/doctest.h>

#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace thrown_by_test {

struct too_cheap {
    double operator()(double) const { throw std::domain_error{"too cheap"}; }
};

inline futon::future<double> twice(futon::future<double> price) {
    return std::move(price).then([](double) -> double { throw std::domain_error{"in a lambda"}; });
}

}  // namespace thrown_by_test

namespace {

using thrown_by_test::too_cheap;

TEST_CASE("thrown_by: the error of a stage that threw names its callable, and get() throws what it threw") {
    const futon::runtime threads;
    const auto place = threads.executor();
    const auto price = [&] { return futon::make_ready(place, 3.75); };

    const auto why = price().then(too_cheap{}).get_result().error();
    CHECK(why.where() == "in thrown_by_test::too_cheap");
    CHECK(why.describe() == "in thrown_by_test::too_cheap: remote_error: too cheap");
    CHECK_THROWS_WITH_AS(price().then(too_cheap{}).get(), "too cheap", std::domain_error);

    // A lambda has no name; g++ says in which function it stands, clang in which file and line.
    const auto lambda = thrown_by_test::twice(price()).get_result().error();
    const bool found = lambda.where().find("twice") != lambda.where().npos ||
                       lambda.where().find("thrown_by_test.cpp:") != lambda.where().npos;
    CHECK_MESSAGE(found, lambda.where());

    // Whatever the stage.
    CHECK(price().finally([] { throw too_cheap{}; }).get_result().error().where().starts_with("in "));
    CHECK(price().tap([](const auto&) { throw too_cheap{}; }).get_result().error().where().starts_with("in "));
    CHECK(price().handle([](const auto&) { throw too_cheap{}; }).get_result().error().where().starts_with("in "));

    // One that comes from further up keeps its place.
    CHECK(price().then(too_cheap{}).then([](double x) { return x; }).get_result().error().where() ==
          "in thrown_by_test::too_cheap");
    const futon::error told{futon::errc::unavailable, "closed"};
    CHECK(price()
              .then([&](double) -> double { throw futon::rpc_error{told.with_where("Shop.price")}; })
              .get_result()
              .error()
              .where() == "Shop.price");
}

// What destroys itself in the thread of its last owner.
struct told_where_it_dies {
    explicit told_where_it_dies(std::thread::id& died_in) : died_in_{&died_in} {}
    told_where_it_dies(const told_where_it_dies&) = default;
    ~told_where_it_dies() { *died_in_ = std::this_thread::get_id(); }
    std::thread::id* died_in_;
};

TEST_CASE("thrown_by: whoever takes what a stage threw is its last owner") {
    const futon::runtime threads;
    // Which thread would be the last was a matter of chance.
    for (int i = 0; i < 100; ++i) {
        std::thread::id died_in;
        auto thrown = futon::make_ready(threads.executor(), 3.75).then([&](double) -> double {
            throw told_where_it_dies{died_in};
        });
        bool caught = false;
        try {
            static_cast<void>(std::move(thrown).get());
        } catch (const told_where_it_dies&) {
            caught = true;
        }
        CHECK(caught);
        CHECK(died_in == std::this_thread::get_id());
    }
}

TEST_CASE("thrown_by: the unhandled-error hook gets the place of what it reports") {
    std::mutex mutex;
    std::string seen;
    {
        const futon::runtime threads{{.on_unhandled_error = [&](const futon::error& why) {
            const std::lock_guard lock{mutex};
            seen += why.describe() + "\n";
        }}};
        futon::make_ready(threads.executor(), 3.75).then(too_cheap{}).detach();
        futon::make_ready(threads.executor(), 3.75).on_complete([](const auto&) { too_cheap{}(1); });
    }
    CHECK(seen.find("in thrown_by_test::too_cheap: remote_error: too cheap\n") != seen.npos);
    CHECK(seen.find("lambda") != seen.npos);
}

}  // namespace
