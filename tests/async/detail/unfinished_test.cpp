// SPDX-License-Identifier: Apache-2.0
#include <futon/async/detail/unfinished.hpp>

#include <futon/async/all_settled.hpp>
#include <futon/async/first_success.hpp>
#include <futon/async/make_ready.hpp>
#include <futon/async/promise.hpp>
#include <futon/async/quorum.hpp>
#include <futon/async/shared_future.hpp>
#include <futon/async/when_all.hpp>
#include <futon/async/when_any.hpp>
#include <futon/testing/manual_executor.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

using futon::future;
using futon::make_ready;
using futon::promise;
using futon::testing::manual_executor;

// Stands for a call.
struct named_work final : futon::detail::cancellable {
    void cancel() noexcept override {}
    std::string unfinished(int) override { return "Rates.rate"; }
};
std::vector<futon::detail::intrusive_ptr<futon::detail::future_state<int>>> calls;
future<int> call(manual_executor& place) {
    calls.push_back(futon::detail::make_intrusive<futon::detail::future_state<int>>(place.ref()));
    calls.back()->attach_source(futon::detail::make_intrusive<named_work>());
    return future<int>{calls.back()};
}
// As all calls do in the end, and what waits for them goes.
void end_calls(manual_executor& place) {
    for (auto& each : std::exchange(calls, {})) each->complete(futon::unexpected{futon::errc::cancelled});
    place.run_ready();
}

// What a timeout of it says behind the time.
template <class T>
std::string timed_out(manual_executor& place, future<T> what) {
    auto late = std::move(what).timeout(5ms);
    place.advance(5ms);
    auto text = std::move(late).get_result().error().message();
    const std::string before = "not ready within .timeout(5 ms)";
    REQUIRE(text.starts_with(before));
    return text.substr(before.size());
}

TEST_CASE("timeout: names the inputs of a combinator that had not completed, by index and by the call they wait for") {
    manual_executor place;
    promise<int> a{place};
    promise<int> b{place};
    promise<int> c{place};
    CHECK(timed_out(place, futon::when_all(make_ready(place, 1), call(place), a.get_future())) ==
          ", waiting for 2 of 3 inputs (#1 Rates.rate, #2)");
    CHECK(timed_out(place, futon::all_settled(make_ready(place, 1), b.get_future(), call(place))) ==
          ", waiting for 2 of 3 inputs (#1, #2 Rates.rate)");
    CHECK(timed_out(place, futon::when_any(call(place), c.get_future())) ==
          ", waiting for 2 of 2 inputs (#0 Rates.rate, #1)");
    CHECK(timed_out(place, futon::first_success(futon::make_failed<int>(place, futon::errc::internal), call(place))) ==
          ", waiting for 1 of 2 inputs (#1 Rates.rate)");
    std::vector<future<int>> replicas;
    replicas.push_back(make_ready(place, 1));
    for (int i = 0; i < 2; ++i) replicas.push_back(call(place));
    CHECK(timed_out(place, futon::quorum(2, std::move(replicas))) ==
          ", waiting for 2 of 3 inputs (#1 Rates.rate, #2 Rates.rate)");
    end_calls(place);
}

TEST_CASE("timeout: names the call that its chain waits for, through stages and what they returned; else nothing") {
    manual_executor place;
    CHECK(timed_out(place, call(place)) == ", waiting for Rates.rate");
    CHECK(timed_out(place, call(place).then([](int x) { return x; }).share().to_future()) ==
          ", waiting for Rates.rate");
    CHECK(timed_out(place, make_ready(place, 1).then([&](int) { return call(place); })) == ", waiting for Rates.rate");
    auto all = futon::when_all(call(place), make_ready(place, 1)).then([](auto) { return 1; });
    CHECK(timed_out(place, std::move(all)) == ", waiting for 1 of 2 inputs (#0 Rates.rate)");
    promise<int> p{place};
    CHECK(timed_out(place, p.get_future().then([](int x) { return x; })) == "");
    end_calls(place);
}

TEST_CASE("timeout: of combinators in combinators three levels are told, and of very many inputs the first ones") {
    manual_executor place;
    CHECK(timed_out(place, futon::when_all(call(place), futon::when_all(call(place), make_ready(place, 1)))) ==
          ", waiting for 2 of 2 inputs (#0 Rates.rate, #1 1 of 2 inputs (#0 Rates.rate))");

    std::vector<future<int>> deepest;
    deepest.push_back(call(place));
    auto deep = futon::when_all(std::move(deepest)).then([](auto) { return 1; });
    for (int i = 0; i < 5; ++i) deep = futon::when_all(std::move(deep)).then([](auto) { return 1; });
    CHECK(timed_out(place, std::move(deep)) ==
          ", waiting for 1 of 1 inputs (#0 1 of 1 inputs (#0 1 of 1 inputs (#0 1 of 1 inputs)))");

    std::vector<future<int>> many;
    for (int i = 0; i < 10'000; ++i) many.push_back(call(place));
    const auto text = timed_out(place, futon::when_all(std::move(many)));
    CHECK(text.starts_with(", waiting for 10000 of 10000 inputs (#0 Rates.rate, #1 Rates.rate, "));
    CHECK(text.ends_with(" more)"));
    CHECK(text.size() < 700);
    end_calls(place);
}

}  // namespace
