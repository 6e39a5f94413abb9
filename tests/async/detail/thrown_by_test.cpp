// SPDX-License-Identifier: Apache-2.0
#include <futon/async/detail/thrown_by.hpp>

#include <futon/async/make_ready.hpp>
#include <futon/core/runtime.hpp>

#include <doctest/doctest.h>

#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
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
    // Caught by hand: a macro that reads the text would race, for ThreadSanitizer, with the stage that lets go of it
    // (tests/tsan.supp).
    bool thrown = false;
    try {
        static_cast<void>(price().then(too_cheap{}).get());
    } catch (const std::domain_error&) {
        thrown = true;
    }
    CHECK(thrown);

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
