// SPDX-License-Identifier: Apache-2.0
// The filters that come with futon, around real calls in virtual time: what they refuse, and what that is good for.

#include "integration/support/filters.hpp"

#include <futon/filters.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace futon_tests;

namespace {

TEST_CASE("concurrency_limit: so many calls are under way, the others are told when to come back") {
    const auto limit =
        std::make_shared<futon::concurrency_limit>(futon::concurrency_limit_options{.most = 3, .retry_after = 70ms});
    filtered_world at{{}, {}, {.method_filters = {{"hold", {limit}}}}};
    std::vector<futon::future<int>> calls;
    for (int i = 0; i < 5; ++i) calls.push_back(at.stub.with({.timeout = 60ms}).hold());
    at.world.advance(1ms);
    CHECK(limit->under_way() == 3);
    CHECK(at.world.get(at.stub.say("others pass")) == "others pass");
    for (int i = 3; i < 5; ++i) {
        // Its next try would come too late.
        REQUIRE(calls[static_cast<std::size_t>(i)].is_ready());
        const auto why = std::move(calls[static_cast<std::size_t>(i)]).get_result().error();
        CHECK(why == futon::errc::overloaded);
        CHECK(why.ran() == futon::executed::no);
        CHECK(why.retry_after() == 70ms);
    }
    at.serving.held.open();
    at.world.run();
    CHECK(limit->under_way() == 0);
    for (int i = 0; i < 3; ++i) CHECK(at.world.get(std::move(calls[static_cast<std::size_t>(i)])) == 7);
}

TEST_CASE("concurrency_limit: a refused call that has the time is tried again when it was told to") {
    filtered_world at{{}, {futon::concurrency_limit{{.most = 1, .retry_after = 50ms}}}};
    auto first = at.stub.hold();
    at.world.advance(1ms);
    auto second = at.stub.say("x");
    at.world.advance(10ms);
    CHECK(!second.is_ready());
    at.serving.held.open();
    CHECK(at.world.get(std::move(first)) == 7);
    CHECK(at.world.get(std::move(second)) == "x");
    CHECK(at.world.elapsed() >= 50ms);
    CHECK(at.client->stats().retries == 1);
}

TEST_CASE("concurrency_limit: a call whose caller has given up counts until its handler has ended") {
    const auto limit = std::make_shared<futon::concurrency_limit>(futon::concurrency_limit_options{.most = 1});
    filtered_world at{{}, {limit}, {.run_to_end = true}};
    auto call = at.stub.hold();
    at.world.advance(1ms);
    call.cancel();
    at.world.advance(1ms);
    CHECK(call.is_ready());
    CHECK(limit->under_way() == 1);
    at.serving.held.open();
    at.world.run();
    CHECK(limit->under_way() == 0);
}

TEST_CASE("rate_limit: on a client and on a server it lets its rate through and says how long to wait") {
    for (const bool on_client : {true, false}) {
        futon::rate_limit limit{{.per_second = 10, .burst = 2}};
        filtered_world at{on_client ? futon::client_filters{std::ref(limit)} : futon::client_filters{},
                          on_client ? futon::server_filters{} : futon::server_filters{std::ref(limit)}};
        const auto stub = at.stub.with({.timeout = 50ms});
        CHECK(at.world.get(stub.say("x")) == "x");
        CHECK(at.world.get(stub.say("x")) == "x");
        const auto refused = at.world.get_result(stub.say("x"));
        REQUIRE(!refused);
        CHECK(refused.error() == futon::errc::overloaded);
        CHECK(refused.error().ran() == futon::executed::no);
        CHECK(refused.error().retry_after() > 90ms);
        CHECK(refused.error().retry_after() <= 100ms);
        at.world.advance(refused.error().retry_after());
        CHECK(at.world.get(stub.say("x")) == "x");
    }
}

TEST_CASE("per_method: each method has a limit of its own") {
    filtered_world at{{}, {futon::per_method{[] { return futon::concurrency_limit{{.most = 1}}; }}}};
    auto first = at.stub.hold();
    auto second = at.stub.with({.timeout = 20ms}).hold();
    at.world.advance(1ms);
    CHECK(std::move(second).get_result().error() == futon::errc::overloaded);
    CHECK(at.world.get(at.stub.say("x")) == "x");
    at.serving.held.open();
    CHECK(at.world.get(std::move(first)) == 7);
    filtered_world client_side{{futon::per_method{[] { return futon::adaptive_limit{}; }}}};
    CHECK(client_side.world.get(client_side.stub.say("x")) == "x");
}

TEST_CASE("client_throttle: while a server refuses everything, most calls end here; when it is back, so are they") {
    const auto open = std::make_shared<std::atomic<bool>>(false);
    struct door {
        std::shared_ptr<std::atomic<bool>> open;
        futon::decision before(futon::server_call&) {
            if (*open) return {};
            return futon::errc::overloaded;
        }
    };
    struct counted {
        std::atomic<int> came{0};
        void before(futon::server_call&) { ++came; }
    };
    counted at_server;
    filtered_world at{{futon::client_throttle{{.window = 10s}, 7}}, {std::ref(at_server), door{open}}};
    const auto stub = at.stub.with({.timeout = 10ms});
    const auto minute = [&] {
        const int before = at_server.came;
        for (int i = 0; i < 1200; ++i) {
            stub.say("x").ignore();
            at.world.advance(50ms);
        }
        return at_server.came - before;
    };
    const int refused = minute();
    CHECK(refused > 100);
    CHECK(refused < 300);
    *open = true;
    static_cast<void>(minute());
    CHECK(minute() == 1200);
}

// A service whose one handler takes ten milliseconds and is run one at a time: it can do a hundred calls a second.
struct Slow {
    int work();
};
FUTON_SERVICE(Slow, work)

struct slow {
    futon::executor_ref where;
    bool busy = false;
    std::vector<futon::promise<void>> waiting{};

    futon::task<int> work() {
        // A queue of its own, in order.
        if (busy) {
            futon::promise<void> turn{where};
            auto mine = turn.get_future();
            waiting.push_back(std::move(turn));
            co_await std::move(mine);
        }
        busy = true;
        co_await futon::delay(10ms);
        busy = false;
        if (!waiting.empty()) {
            auto next = std::move(waiting.front());
            waiting.erase(waiting.begin());
            busy = true;
            next.try_set({});
        }
        co_return 1;
    }
};

struct load_result {
    int good = 0;      // Answered within their time.
    int refused = 0;   // Overloaded.
    int late = 0;      // Anything else.
    futon::duration p99{};
};

// Two hundred calls a second for ten seconds, each with a second, to what can do a hundred.
load_result twice_the_load(futon::server_filters filters) {
    futon::testing::simulation world;
    slow serving{.where = world.executor()};
    futon::server server{{.listen = "memory://slow", .filters = std::move(filters), .runtime = world.runtime()}};
    server.provide<Slow>(std::ref(serving));
    server.start();
    futon::client client{
        {.endpoints = "memory://slow", .timeout = 1s, .retry = {.max_attempts = 1}, .runtime = world.runtime()}};
    const auto stub = client.stub<Slow>();
    load_result sum;
    std::vector<futon::duration> times;
    for (int i = 0; i < 2000; ++i) {
        stub.work().on_complete([&, begun = world.now()](futon::result<int> got) {
            if (got) {
                ++sum.good;
                times.push_back(world.now() - begun);
            } else {
                ++(got.error() == futon::errc::overloaded ? sum.refused : sum.late);
            }
        });
        world.advance(5ms);
    }
    world.advance(5s);
    if (!times.empty()) {
        std::sort(times.begin(), times.end());
        sum.p99 = times[times.size() * 99 / 100];
    }
    return sum;
}

TEST_CASE(
    "overload: at twice the load a limit keeps what is accepted quick, where without one hardly anything is in time") {
    const auto report = [](const std::string& name, const load_result& got) {
        MESSAGE(name, ": ", got.good, " in time, ", got.refused, " refused at once, ", got.late,
                " late, p99 of the good ", std::chrono::duration_cast<std::chrono::milliseconds>(got.p99).count(),
                " ms");
    };
    const auto none = twice_the_load({});
    report("no limit", none);
    CHECK(none.late > 900);
    CHECK(none.p99 > 500ms);

    const auto fixed = twice_the_load({futon::concurrency_limit{{.most = 5}}});
    report("concurrency_limit", fixed);
    CHECK(fixed.good >= 990);
    CHECK(fixed.late == 0);
    CHECK(fixed.p99 <= 50ms);

    const auto rate = twice_the_load({futon::rate_limit{{.per_second = 99, .burst = 5}}});
    report("rate_limit", rate);
    CHECK(rate.good >= 980);
    CHECK(rate.late == 0);
    CHECK(rate.p99 <= 100ms);

    const auto adaptive = twice_the_load({futon::adaptive_limit{{.initial = 2, .least = 1, .most = 100}}});
    report("adaptive_limit", adaptive);
    CHECK(adaptive.good >= 980);
    CHECK(adaptive.late == 0);
    CHECK(adaptive.p99 <= 300ms);
}

// Runs what is posted one at a time, each for ten milliseconds of virtual time.
class one_worker final : public futon::executor {
public:
    explicit one_worker(futon::executor_ref on) : executor{on->shared_reports()}, on_{std::move(on)} {}
    bool post(futon::detail::work& item) noexcept override {
        queue_.push(item);
        if (!busy_) next();
        return true;
    }
    bool blocked_by_this_thread() const noexcept override { return false; }
    futon::time_point now() const noexcept override { return on_->now(); }
    bool try_arm(futon::detail::timer& t, futon::time_point due) override { return on_->try_arm(t, due); }
    bool disarm(futon::detail::timer& t) noexcept override { return on_->disarm(t); }

private:
    void next() noexcept {
        auto* const item = queue_.pop();
        busy_ = item != nullptr;
        if (!busy_) return;
        futon::delay(on_, 10ms).on_complete([this, item](futon::result<void> passed) {
            futon::detail::running_scope scope{*this};
            item->run(passed.has_value());
            next();
        });
    }
    const futon::executor_ref on_;
    futon::detail::work_queue queue_;
    bool busy_ = false;
};

TEST_CASE("queue_limit: calls in a queue that does not empty are dropped early, so that the others are in time") {
    for (const bool limited : {false, true}) {
        futon::testing::simulation world;
        const auto worker = futon::detail::make_intrusive<one_worker>(world.executor());
        parrot serving;
        std::optional<futon::server> server;
        server.emplace(futon::server_options{
            .listen = "memory://queue",
            .filters = limited ? futon::server_filters{futon::queue_limit{}} : futon::server_filters{},
            .runtime = world.runtime()});
        server->provide<Parrot>(std::ref(serving), {.run_on = futon::executor_ref{worker}});
        server->start();
        futon::client client{
            {.endpoints = "memory://queue", .timeout = 10s, .retry = {.max_attempts = 1}, .runtime = world.runtime()}};
        const auto stub = client.stub<Parrot>();
        int good = 0;
        int refused = 0;
        futon::duration longest{};
        // A burst that is over soon: all of it is answered.
        for (int i = 0; i < 8; ++i)
            stub.say("x").on_complete([&](futon::result<std::string> got) { good += got ? 1 : 0; });
        world.advance(1s);
        CHECK(good == 8);
        good = 0;
        // The handler itself takes no time, so a dropped call costs as
        // much here as one that runs: what counts is who is dropped.
        for (int i = 0; i < 400; ++i) {
            stub.say("x").on_complete([&, begun = world.now()](futon::result<std::string> got) {
                if (got) {
                    ++good;
                    longest = std::max(longest, world.now() - begun);
                } else {
                    refused +=
                        got.error() == futon::errc::overloaded && got.error().ran() == futon::executed::no ? 1 : 0;
                    CHECK(got.error().retry_after() == 100ms);
                }
            });
            world.advance(5ms);
        }
        world.advance(10s);
        CHECK(good + refused == 400);
        if (limited) {
            CHECK(refused > 300);
            CHECK(longest < 150ms);
        } else {
            CHECK(refused == 0);
            CHECK(longest > 1s);
        }
        server.reset();
        world.run();
    }
}

}  // namespace
