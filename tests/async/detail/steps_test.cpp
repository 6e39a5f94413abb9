// SPDX-License-Identifier: Apache-2.0
#include <futon/async/detail/steps.hpp>

#include "support/small_stack.hpp"

#include <futon/async/future.hpp>
#include <futon/async/make_ready.hpp>
#include <futon/async/promise.hpp>
#include <futon/async/task.hpp>
#include <futon/testing/manual_executor.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using futon::cond;
using futon::errc;
using futon::error;
using futon::future;
using futon::make_failed;
using futon::make_ready;
using futon::promise;
using futon::result;
using futon::testing::manual_executor;

TEST_CASE("steps: tap sees value and error, changes neither, and what it throws counts only after a success") {
    manual_executor place;
    std::string seen;
    const auto look = [&](const result<int>& got) { seen += got ? std::to_string(*got) : got.error().message(); };
    auto a = make_ready(place, 1).tap(look);
    auto b = make_failed<int>(place, errc::unavailable).tap(look);
    auto c = make_ready(place, 2).tap([](const auto&) { throw std::logic_error{"tapped"}; });
    auto d = make_failed<int>(place, errc::overloaded).tap([](const auto&) { throw std::logic_error{"tapped"}; });
    auto e =
        make_ready(place, std::make_unique<int>(3)).tap([](const result<std::unique_ptr<int>>& got) { return **got; });
    CHECK(seen.empty());
    place.run_ready();
    CHECK(seen == "1unavailable");
    CHECK(std::move(a).get() == 1);
    CHECK(std::move(b).get_result().error() == errc::unavailable);
    CHECK_THROWS_AS(std::move(c).get(), std::logic_error);
    CHECK(std::move(d).get_result().error() == errc::overloaded);
    CHECK(*std::move(e).get() == 3);
}

TEST_CASE("steps: map_error puts one error in place of another, and values pass it by") {
    manual_executor place;
    auto a = make_ready(place, 1).map_error([](const error&) { return errc::internal; });
    auto b =
        make_failed<int>(place, errc::unavailable).map_error([](const error& why) { return why.with_where("store"); });
    auto c = make_failed<int>(place, errc::unavailable).map_error([](const error&) -> error {
        throw std::logic_error{"mapped"};
    });
    auto d = make_failed<int>(place, errc::unavailable).map_error([](auto&&) { return errc::overloaded; });
    place.run_ready();
    CHECK(std::move(a).get() == 1);
    CHECK(std::move(b).get_result().error().describe() == "store: unavailable");
    CHECK_THROWS_AS(std::move(c).get(), std::logic_error);
    CHECK(std::move(d).get_result().error() == errc::overloaded);
}

TEST_CASE("steps: recover by exception type sees that type and what derives from it, others pass by") {
    manual_executor place;
    const auto thrown = [&] { return make_ready(place).then([]() -> int { throw std::out_of_range{"index"}; }); };
    auto a = thrown().recover<std::out_of_range>(
        [](const std::out_of_range& e) { return std::string{e.what()} == "index" ? 1 : 0; });
    auto b = thrown().recover<std::logic_error>([&](const std::logic_error&) { return make_ready(place, 2); });
    auto c = thrown().recover<std::length_error>([](const std::length_error&) { return 3; });
    auto d = make_failed<int>(place, errc::unavailable).recover<std::out_of_range>([](const auto&) { return 4; });
    auto e = make_failed<int>(place, errc::unavailable).recover<futon::rpc_error>([](const futon::rpc_error& why) {
        return why.detail() == errc::unavailable ? 5 : 0;
    });
    auto f = thrown().recover<std::exception>([](const std::exception&) -> int { throw std::length_error{"worse"}; });
    place.run_ready();
    CHECK(std::move(a).get() == 1);
    CHECK(std::move(b).get() == 2);
    CHECK_THROWS_AS(std::move(c).get(), std::out_of_range);
    CHECK(std::move(d).get_result().error() == errc::unavailable);
    CHECK(std::move(e).get() == 5);
    CHECK_THROWS_AS(std::move(f).get(), std::length_error);
}

TEST_CASE("steps: recover by a predicate sees the errors that it is true of") {
    manual_executor place;
    const auto is_full = [](const error& why) { return why.message() == "full"; };
    auto a = make_failed<int>(place, error{errc::overloaded, "full"}).recover(is_full, [](const error&) { return 1; });
    auto b = make_failed<int>(place, error{errc::overloaded, "tired"}).recover(is_full, [] { return 1; });
    place.run_ready();
    CHECK(std::move(a).get() == 1);
    CHECK(std::move(b).get_result().error().message() == "tired");
}

TEST_CASE("steps: a million of each kind take no stack, whatever comes in") {
    enum class ending { value, failure, broken, cancel };
    const std::vector<future<int> (*)(future<int>)> kinds{
        [](future<int> f) { return std::move(f).tap([](const result<int>&) {}); },
        [](future<int> f) { return std::move(f).map_error([](const error& why) { return why; }); },
        [](future<int> f) { return std::move(f).recover<std::out_of_range>([](const auto&) { return 0; }); },
        [](future<int> f) {
            return std::move(f).recover([](const error& why) { return why.is(cond::timeout); }, [] { return 0; });
        },
    };
    for (const auto kind : kinds) {
        for (const auto how : {ending::value, ending::failure, ending::broken, ending::cancel}) {
            tests::on_small_stack([&] {
                manual_executor place;
                auto p = std::make_unique<promise<int>>(place);
                auto f = p->get_future();
                for (int i = 0; i < tests::deep / 4; ++i) f = kind(std::move(f));
                if (how == ending::value) p->set_value(1);
                if (how == ending::failure) p->set_error(errc::unavailable);
                if (how == ending::broken) p = nullptr;
                if (how == ending::cancel) f.cancel();
                place.run_ready();
                CHECK(std::move(f).get_result().has_value() == (how == ending::value));
            });
        }
    }
}

TEST_CASE("steps: what a coroutine uses outlives it where its stage was itself returned by a stage") {
    manual_executor place;
    promise<int> gate{place};
    const auto outlived = std::make_shared<int>(3);
    auto f = make_ready(place).then([&] {
        return make_ready(place, std::make_unique<int>(2))
            .then([&gate, outlived](const std::unique_ptr<int>& given) -> futon::task<int> {
                const int got = co_await gate.get_future();
                co_return got + *given + *outlived;
            });
    });
    auto g = make_ready(place).then([&] {
        return make_ready(place, 1).finally([outlived]() -> futon::task<void> {
            co_await futon::make_ready(futon::current_executor());
            *outlived += 4;
        });
    });
    place.run_ready();
    gate.set_value(1);
    place.run_ready();
    CHECK(std::move(f).get() == 10);
    CHECK(std::move(g).get() == 1);
    CHECK(outlived.use_count() == 1);
}

TEST_CASE("steps: a filter that throws fails its stage") {
    manual_executor place;
    const auto filter = [](const error&) -> bool { throw std::logic_error{"filtered"}; };
    auto f = make_failed<int>(place, errc::unavailable).recover(filter, [] { return 1; });
    auto g = make_ready(place, 2).recover(filter, [] { return 1; });
    place.run_ready();
    CHECK_THROWS_AS(std::move(f).get(), std::logic_error);
    CHECK(std::move(g).get() == 2);
}

TEST_CASE("steps: what finally throws counts only after a success, whatever it would have returned") {
    manual_executor place;
    const auto cleaned = [&](auto returned) {
        using type = decltype(returned);
        const auto throws = []() -> type { throw std::logic_error{"cleaned"}; };
        auto failed = make_failed<int>(place, errc::unavailable).finally(throws);
        auto fine = make_ready(place, 1).finally(throws);
        place.run_ready();
        CHECK(std::move(failed).get_result().error() == errc::unavailable);
        CHECK_THROWS_AS(std::move(fine).get(), std::logic_error);
    };
    cleaned(1);
    cleaned(result<void>{});
    cleaned(future<int>{});
    cleaned(futon::task<int>{});
}

}  // namespace
