// SPDX-License-Identifier: Apache-2.0
#include <futon/async/detail/unfinished.hpp>

#include <futon/async/all_settled.hpp>
#include <futon/async/call_group.hpp>
#include <futon/async/first_success.hpp>
#include <futon/async/hedge.hpp>
#include <futon/async/make_ready.hpp>
#include <futon/async/map_concurrent.hpp>
#include <futon/async/promise.hpp>
#include <futon/async/quorum.hpp>
#include <futon/async/retry.hpp>
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

TEST_CASE("timeout: names what is under way in map_concurrent by its index in the range, of very many the oldest") {
    manual_executor place;
    std::vector<promise<int>> silent;
    const auto two_of = [&](int item) {
        if (item == 1) return make_ready(place, 1);
        if (item != 3) return call(place);
        silent.emplace_back(place);
        return silent.back().get_future();
    };
    auto some = futon::map_concurrent(place, std::vector{0, 1, 2, 3, 4, 5}, 3, two_of);
    place.run_ready();
    CHECK(timed_out(place, std::move(some)) == ", waiting for 3 items under way (#0 Rates.rate, #2 Rates.rate, #3)");
    end_calls(place);
    silent.clear();
    place.run_ready();

    auto many = futon::map_concurrent(place, std::vector<int>(10'000), 5'000, [&](int) { return call(place); });
    const auto text = timed_out(place, std::move(many));
    CHECK(text.starts_with(", waiting for 5000 items under way (#0 Rates.rate, #1 Rates.rate, "));
    CHECK(text.ends_with("#15 Rates.rate, and 4984 more)"));
    end_calls(place);
}

TEST_CASE("timeout: what has come is not under way in map_concurrent, though its executor had no turn for it") {
    manual_executor place;
    auto some = futon::map_concurrent(place, std::vector{0, 1}, 2, [&](int) { return call(place); }).timeout(5ms);
    calls[0]->complete(1);
    place.advance(5ms);
    auto text = std::move(some).get_result();
    REQUIRE_FALSE(text.has_value());
    CHECK(text.error().message().find("1 item under way (#1 Rates.rate)") != std::string::npos);
    end_calls(place);
}

TEST_CASE("timeout: names what a group is waited for") {
    manual_executor place;
    futon::call_group calls_of{{.where = place.ref()}};
    promise<int> silent{place};
    calls_of.add(call(place));
    CHECK(timed_out(place, calls_of.join()) == ", waiting for 1 future under way (Rates.rate)");
    end_calls(place);

    futon::call_group more{{.where = place.ref()}};
    more.add(call(place));
    more.add(silent.get_future());
    more.add(make_ready(place, 1));
    more.add(call(place));
    auto joined = more.join();
    CHECK(timed_out(place, std::move(joined)) ==
          ", waiting for 3 futures under way (Rates.rate, Rates.rate, and 1 more)");
    silent.set_value(1);
    end_calls(place);
}

TEST_CASE("timeout: names the attempts of hedge that are under way, and the one of retry, or its pause and why") {
    manual_executor place;
    auto hedged = futon::hedge(place, {.delay = 2ms, .max_attempts = 3, .idempotent = true}, [&](futon::attempt) {
                      return call(place);
                  }).timeout(5ms);
    place.advance(1ms);
    calls[0]->complete(futon::unexpected{futon::error{futon::errc::unavailable, futon::executed::no}});
    place.run_ready();
    place.advance(4ms);
    CHECK(std::move(hedged).get_result().error().message().find("waiting for 2 of 3 attempts (#2 Rates.rate, #3 "
                                                                "Rates.rate)") != std::string::npos);
    end_calls(place);

    const futon::retry_options<> calmly{.policy = {.base = 10ms}, .jitter = 0};
    auto again = [&] { return futon::retry(place, calmly, [&](futon::attempt) { return call(place); }); };
    CHECK(timed_out(place, again()) == ", waiting for attempt 1 (Rates.rate)");
    end_calls(place);

    auto pausing = again();
    calls[0]->complete(
        futon::unexpected{futon::error{futon::errc::unavailable, "the peer is restarting", futon::executed::no}});
    place.run_ready();
    CHECK(timed_out(place, std::move(pausing)) ==
          ", waiting for the pause before attempt 2, the last one failed: the peer is restarting");
    end_calls(place);

    auto second = again();
    calls[0]->complete(futon::unexpected{futon::error{futon::errc::unavailable, futon::executed::no}});
    place.advance(10ms);
    CHECK(timed_out(place, std::move(second)) == ", waiting for attempt 2 (Rates.rate)");
    end_calls(place);
}

}  // namespace
