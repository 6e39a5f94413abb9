// SPDX-License-Identifier: Apache-2.0
// A call that is made once more beside itself, where it is slow: in virtual time, over a network in memory.

#include <futon/cluster/round_robin.hpp>
#include <futon/futon.hpp>
#include <futon/testing.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

struct Desk {
    std::string look();
    std::string ask(int ms);
    std::string buy();
    std::string check();
};
FUTON_SERVICE(Desk, (look, futon::idempotent), (ask, futon::idempotent), buy,
              (check, futon::idempotent, futon::failfast))

// A call that a server has and does not answer by itself.
struct held {
    std::string at;
    futon::responder<std::string> answer;
    futon::duration left;  // Of its time, when it came.
};

struct desk {
    std::string name;
    std::vector<held>* calls;
    void hold(futon::call_context& c, futon::responder<std::string> answer) const {
        calls->push_back({name, std::move(answer), c.time_left()});
    }
    void look(futon::call_context& c, futon::responder<std::string> answer) const { hold(c, std::move(answer)); }
    futon::future<std::string> ask(int ms) const {
        return futon::delay(std::chrono::milliseconds{ms}).then([its = name] { return its; });
    }
    void buy(futon::call_context& c, futon::responder<std::string> answer) const { hold(c, std::move(answer)); }
    void check(futon::call_context& c, futon::responder<std::string> answer) const { hold(c, std::move(answer)); }
};

// Turns calls away while it is told to.
struct busy_filter {
    const futon::duration* for_how_long;
    int* turned_away;
    futon::result<void> before(futon::server_call&) const {
        if (*for_how_long == futon::duration{}) return {};
        ++*turned_away;
        return futon::error{futon::errc::overloaded, "busy", futon::executed::no}.with_retry_after(*for_how_long);
    }
};

struct office {
    explicit office(futon::client_options calling = {.hedge = {.max_attempts = 2, .delay = 20ms}},
                    std::vector<std::string> names = {"a", "b", "c"}) {
        std::vector<std::string> addresses;
        for (const auto& name : names) {
            const auto& address = addresses.emplace_back("memory://" + name);
            servers.push_back(std::make_unique<futon::server>(futon::server_options{
                .listen = address, .filters = {busy_filter{&busy_for, &turned_away}}, .runtime = world.runtime()}));
            servers.back()->provide<Desk>(desk{name, &calls});
            servers.back()->start();
        }
        calling.endpoints = futon::endpoints{addresses};
        calling.balancer = futon::round_robin{};
        calling.runtime = world.runtime();
        client.emplace(std::move(calling));
        world.get(client->wait_ready(1s));
        world.advance(10ms);  // All are connected.
        REQUIRE(client->stats().connections == names.size());
    }
    ~office() {
        calls.clear();
        client.reset();
        servers.clear();
        world.run();
    }
    [[nodiscard]] futon::stub<Desk> stub() { return client->stub<Desk>(); }

    futon::testing::simulation world{{.log = [this](const futon::log_record& report) {
        if (report.kind == "hedge_without_effect") warnings.push_back(std::string{report.text});
    }}};
    std::vector<std::string> warnings;
    std::vector<held> calls;
    futon::duration busy_for{};
    int turned_away = 0;
    std::vector<std::unique_ptr<futon::server>> servers;
    std::optional<futon::client> client;
};

TEST_CASE("hedging: the first answer counts, and what is slower is cancelled at its server") {
    office o;
    auto slow = o.stub().look();
    o.world.advance(19ms);
    REQUIRE(o.calls.size() == 1);
    o.world.advance(1ms);
    REQUIRE(o.calls.size() == 2);
    CHECK(o.calls[0].at != o.calls[1].at);
    CHECK_FALSE(slow.is_ready());
    o.calls[1].answer("second");
    o.world.run();
    REQUIRE(slow.is_ready());
    CHECK(std::move(slow).get() == "second");
    CHECK(o.calls[0].answer.stop_requested());
    // No third one, and nothing of the call is left.
    o.world.advance(1s);
    CHECK(o.calls.size() == 2);
    const auto stats = o.client->stats();
    CHECK(stats.calls == 1);
    CHECK(stats.succeeded == 1);
    CHECK(stats.failed == 0);
    CHECK(stats.retries == 0);
    CHECK(stats.hedges == 1);
    CHECK(stats.hedges_won == 1);
    CHECK(stats.wire.cancels_sent == 1);
    CHECK(stats.wire.in_flight_sent == 0);
    CHECK(o.world.get(o.client->pending_calls()).empty());
}

TEST_CASE("hedging: where the first attempt answers after all, the hedge is cancelled") {
    office o;
    auto slow = o.stub().look();
    o.world.advance(20ms);
    REQUIRE(o.calls.size() == 2);
    o.calls[0].answer("first");
    o.world.run();
    REQUIRE(slow.is_ready());
    CHECK(std::move(slow).get() == "first");
    CHECK(o.calls[1].answer.stop_requested());
    CHECK(o.client->stats().hedges == 1);
    CHECK(o.client->stats().hedges_won == 0);
}

TEST_CASE("hedging: both answers in one moment complete the call once") {
    office o;
    int completed = 0;
    o.stub().look([&](const futon::result<std::string>& got) { completed += got ? 1 : 0; });
    o.world.advance(20ms);
    REQUIRE(o.calls.size() == 2);
    o.calls[1].answer("second");
    o.calls[0].answer("first");
    o.world.run();
    CHECK(completed == 1);
    CHECK(o.client->stats().succeeded == 1);
    CHECK(o.client->stats().failed == 0);
}

TEST_CASE("hedging: a call that is answered in time is made once") {
    office o;
    CHECK(o.world.get(o.stub().ask(19)).size() == 1);
    o.world.advance(100ms);
    CHECK(o.client->stats().hedges == 0);
    CHECK(o.client->stats().wire.requests_sent == 1);
}

TEST_CASE("hedging: as many attempts as were allowed, each beside the others") {
    office o{{.hedge = {.max_attempts = 3, .delay = 20ms}}, {"a", "b", "c", "d"}};
    auto slow = o.stub().look();
    o.world.advance(40ms);
    REQUIRE(o.calls.size() == 3);
    o.world.advance(500ms);
    REQUIRE(o.calls.size() == 3);
    CHECK(o.calls[0].at != o.calls[1].at);
    CHECK(o.calls[0].at != o.calls[2].at);
    CHECK(o.calls[1].at != o.calls[2].at);
    o.calls[1].answer("second");
    CHECK(o.world.get(std::move(slow)) == "second");
    o.world.run();
    CHECK(o.calls[0].answer.stop_requested());
    CHECK(o.calls[2].answer.stop_requested());
}

TEST_CASE("hedging: never of a method that is not idempotent, or is to fail fast, or of a call that says so") {
    office o;
    std::vector<futon::future<std::string>> calls;
    const auto stub = o.stub();
    calls.push_back(stub.buy());
    calls.push_back(stub.check());
    calls.push_back(stub.with({.retry = futon::failfast}).look());
    calls.push_back(stub.with({.hedge = futon::hedging{}}).look());
    o.world.advance(1s);
    CHECK(o.calls.size() == calls.size());
    CHECK(o.client->stats().hedges == 0);
    // What a call says comes before its method.
    auto hedged = stub.with({.retry = futon::exponential_backoff{}}).check();
    o.world.advance(20ms);
    CHECK(o.calls.size() == calls.size() + 2);
}

TEST_CASE("hedging: is off unless it is asked for, by the client, by an update, or by a call") {
    office o{futon::client_options{}};
    const auto stub = o.stub();
    auto plain = stub.look();
    o.world.advance(1s);
    CHECK(o.calls.size() == 1);
    auto one = stub.with({.hedge = futon::hedging{.max_attempts = 2, .delay = 5ms}}).look();
    o.world.advance(5ms);
    CHECK(o.calls.size() == 3);
    o.client->update({.hedge = futon::hedging{.max_attempts = 2, .delay = 7ms}});
    auto two = stub.look();
    o.world.advance(6ms);
    CHECK(o.calls.size() == 4);
    o.world.advance(1ms);
    CHECK(o.calls.size() == 5);
    o.client->update({});
    auto three = stub.look();
    o.world.advance(1s);
    CHECK(o.calls.size() == 6);
}

TEST_CASE("hedging: where there is one provider, or the call names one, there is nobody to ask") {
    office one{{.hedge = {.max_attempts = 2, .delay = 20ms}}, {"a"}};
    auto slow = one.stub().look();
    one.world.advance(1s);
    CHECK(one.calls.size() == 1);
    one.calls[0].answer("only");
    CHECK(one.world.get(std::move(slow)) == "only");

    office three;
    auto pinned = three.stub().with({.route = {.address = "memory://b"}}).look();
    three.world.advance(1s);
    CHECK(three.calls.size() == 1);
    // And no budget is spent on looking for one.
    std::vector<futon::future<std::string>> others;
    for (int i = 0; i < 5; ++i) others.push_back(three.stub().look());
    three.world.advance(20ms);
    CHECK(three.client->stats().hedges == 5);
}

TEST_CASE("hedging: when the budget is spent, slow calls are waited for") {
    office o;
    std::vector<futon::future<std::string>> slow;
    for (int i = 0; i < 12; ++i) slow.push_back(o.stub().look());
    o.world.advance(100ms);
    // Half of what the budget of all extra attempts begins with, and 5 % of the calls: not a whole one yet.
    CHECK(o.client->stats().hedges == 5);
    CHECK(o.calls.size() == 17);
    for (auto& each : o.calls) each.answer("late");
    for (auto& each : slow) CHECK(o.world.get(std::move(each)) == "late");
}

TEST_CASE("hedging: a call for which the budget had no hedge is hedged when it has one again") {
    office o;
    std::vector<futon::future<std::string>> slow;
    for (int i = 0; i < 7; ++i) slow.push_back(o.stub().look());
    o.world.advance(25ms);
    CHECK(o.client->stats().hedges == 5);
    // 5 % of these calls: one hedge, for one of the two.
    for (int i = 0; i < 25; ++i) static_cast<void>(o.world.get(o.stub().ask(0)));
    o.world.advance(1ms);
    CHECK(o.client->stats().hedges == 5);
    o.world.advance(20ms);
    CHECK(o.client->stats().hedges == 6);
    o.world.advance(400ms);
    CHECK(o.client->stats().hedges == 6);
    for (auto& each : o.calls) each.answer("late");
    for (auto& each : slow) CHECK(o.world.get(std::move(each)) == "late");
}

TEST_CASE("hedging: without a delay of its own it waits as long as 95 of 100 calls of the method took") {
    office o{{.hedge = {.max_attempts = 2}}};
    const auto stub = o.stub();
    // Too little is known.
    auto early = stub.look();
    o.world.advance(1s);
    CHECK(o.calls.size() == 1);
    o.calls[0].answer("early");
    o.calls.clear();
    CHECK(o.world.get(std::move(early)) == "early");
    // Sampled as all others, but not hedged: the budget is for what is measured.
    const auto patient = stub.with({.hedge = futon::hedging{.max_attempts = 2, .delay = 10s}});
    const auto calls_take = [&](int ms, int times) {
        for (int i = 0; i < times; ++i) static_cast<void>(o.world.get(patient.ask(ms)));
    };
    const auto hedged_after = [&](futon::stub<Desk> by) {
        const auto before = o.client->stats().hedges;
        const auto since = o.world.now();
        auto slow = by.ask(1000);
        o.world.run_until([&] { return o.client->stats().hedges > before || slow.is_ready(); });
        const auto took = o.world.now() - since;
        slow.cancel();
        o.world.run();
        return took;
    };
    calls_take(10, 70);
    // The samples of another method say nothing of this one.
    auto other = stub.look();
    o.world.advance(1s);
    CHECK(o.calls.size() == 1);
    CHECK(hedged_after(stub) >= 10ms);
    CHECK(hedged_after(stub) <= 11ms);
    // One in ten is slower: then so is the hedge.
    for (int i = 0; i < 10; ++i) {
        calls_take(10, 9);
        calls_take(40, 1);
    }
    CHECK(hedged_after(stub) >= 40ms);
    CHECK(hedged_after(stub) <= 43ms);
    // At most half of the time that the call has.
    CHECK(hedged_after(stub.with({.timeout = 50ms})) == 25ms);
}

TEST_CASE("hedging: a call that a hedge won counts with all of its time, or hedges would hide what calls for them") {
    office o{{.hedge = {.max_attempts = 2}}};
    const auto stub = o.stub();
    const auto fixed = stub.with({.hedge = futon::hedging{.max_attempts = 2, .delay = 20ms}});
    // Its last attempt is answered a millisecond after it began.
    const auto call_takes = [&](futon::duration before) {
        auto call = fixed.look();
        o.world.advance(before + 1ms);
        o.calls.back().answer("answer");
        CHECK(o.world.get(std::move(call)) == "answer");
        o.calls.clear();
    };
    for (int i = 0; i < 70; ++i) call_takes(0ms);
    for (int i = 0; i < 5; ++i) call_takes(20ms);
    for (int i = 0; i < 20; ++i) call_takes(0ms);  // And the budget has one more.
    REQUIRE(o.client->stats().hedges_won == 5);
    // Of 95 calls 5 took 21 ms, though no attempt that was answered took more than one.
    auto slow = stub.look();
    o.world.advance(20ms);
    CHECK(o.calls.size() == 1);
    o.world.advance(3ms);
    CHECK(o.calls.size() == 2);
}

TEST_CASE("hedging: the caller's cancel reaches all attempts") {
    office o;
    auto slow = o.stub().look();
    o.world.advance(20ms);
    REQUIRE(o.calls.size() == 2);
    slow.cancel();
    o.world.run();
    REQUIRE(slow.is_ready());
    const auto why = std::move(slow).get_result().error();
    CHECK(why == futon::errc::cancelled);
    CHECK(why.ran() == futon::executed::maybe);
    CHECK(o.calls[0].answer.stop_requested());
    CHECK(o.calls[1].answer.stop_requested());
    CHECK(o.client->stats().failed == 1);
    CHECK(o.client->stats().wire.cancels_sent == 2);
    CHECK(o.client->stats().wire.in_flight_sent == 0);
}

TEST_CASE("hedging: a cancel before the hedge leaves none behind") {
    office o;
    auto slow = o.stub().look();
    o.world.advance(10ms);
    slow.cancel();
    o.world.advance(1s);
    CHECK(o.calls.size() == 1);
    CHECK(std::move(slow).get_result().error() == futon::errc::cancelled);
    CHECK(o.client->stats().hedges == 0);
}

TEST_CASE("hedging: a call that is cancelled where it is made is cancelled, hedged or not") {
    office o;
    std::stop_source gone;
    gone.request_stop();
    auto late = o.stub().look().cancel_with(gone.get_token());
    o.world.advance(1s);
    CHECK(o.world.get_result(std::move(late)).error() == futon::errc::cancelled);
    CHECK(o.client->stats().hedges == 0);
}

TEST_CASE("hedging: all attempts share one deadline") {
    office o;
    const auto since = o.world.now();
    auto slow = o.stub().with({.timeout = 100ms}).look();
    o.world.advance(20ms);
    REQUIRE(o.calls.size() == 2);
    CHECK(o.calls[0].left <= 100ms);
    CHECK(o.calls[1].left <= 80ms);
    CHECK(o.calls[1].left > 70ms);
    const auto got = o.world.get_result(std::move(slow));
    CHECK(o.world.now() - since == 100ms);
    CHECK(got.error() == futon::errc::deadline_exceeded);
    CHECK(got.error().ran() == futon::executed::maybe);
    o.world.run();
    CHECK(o.client->stats().failed == 1);
    CHECK(o.client->stats().wire.in_flight_sent == 0);
}

TEST_CASE("hedging: a provider that is lost leaves the call to the other attempt") {
    for (const std::size_t lost : {0u, 1u}) {
        CAPTURE(lost);
        office o;
        auto slow = o.stub().look();
        o.world.advance(20ms);
        REQUIRE(o.calls.size() == 2);
        o.world.network().cut("memory://" + o.calls[lost].at);
        o.world.advance(1ms);
        CHECK_FALSE(slow.is_ready());
        CHECK(o.client->stats().retries == 0);
        // Its place is free: the third provider gets the call when the other is still slow.
        o.world.advance(20ms);
        REQUIRE(o.calls.size() == 3);
        CHECK(o.calls[2].at != o.calls[0].at);
        CHECK(o.calls[2].at != o.calls[1].at);
        o.calls[1 - lost].answer("other");
        CHECK(o.world.get(std::move(slow)) == "other");
        CHECK(o.client->stats().failed == 0);
    }
}

TEST_CASE(
    "hedging: when all attempts are lost, the last is repeated as any call is, within the number of all attempts") {
    office o{{.retry = {.max_attempts = 3}, .hedge = {.max_attempts = 2, .delay = 20ms}}};
    auto slow = o.stub().look();
    o.world.advance(20ms);
    REQUIRE(o.calls.size() == 2);
    for (int i = 0; i < 2; ++i) o.world.network().cut("memory://" + o.calls[static_cast<std::size_t>(i)].at);
    o.world.advance(100ms);
    REQUIRE(o.calls.size() == 3);
    CHECK(o.calls[2].at != o.calls[0].at);
    CHECK(o.calls[2].at != o.calls[1].at);
    CHECK(o.client->stats().retries == 1);
    o.world.network().cut("memory://" + o.calls[2].at);
    const auto got = o.world.get_result(std::move(slow));
    CHECK(got.error() == futon::errc::connection_lost);
    CHECK(got.error().where().find("Desk.look at memory://" + o.calls[2].at) != std::string::npos);
    CHECK(o.client->stats().failed == 1);
    o.world.advance(1s);
    CHECK(o.calls.size() == 3);
}

TEST_CASE("hedging: an answer that is an error of the application's ends the call") {
    office o;
    auto slow = o.stub().look();
    o.world.advance(20ms);
    REQUIRE(o.calls.size() == 2);
    o.calls[1].answer(futon::error{futon::errc::permission_denied, "not you", futon::executed::yes});
    o.world.run();
    REQUIRE(slow.is_ready());
    CHECK(std::move(slow).get_result().error() == futon::errc::permission_denied);
    CHECK(o.calls[0].answer.stop_requested());
    CHECK(o.client->stats().failed == 1);
}

TEST_CASE("hedging: who asks callers to wait is given no more of their attempts") {
    office o{{.hedge = {.max_attempts = 3, .delay = 20ms}}, {"a", "b", "c", "d"}};
    auto slow = o.stub().look();
    o.world.advance(19ms);
    REQUIRE(o.calls.size() == 1);
    o.busy_for = 500ms;
    o.world.advance(1ms);
    CHECK(o.client->stats().hedges == 1);
    CHECK(o.turned_away == 1);
    o.world.advance(200ms);
    CHECK(o.turned_away == 1);
    CHECK(o.calls.size() == 1);
    o.calls[0].answer("first");
    CHECK(o.world.get(std::move(slow)) == "first");
}

TEST_CASE(
    "hedging: a call that pauses before its next attempt is not hedged meanwhile, and that attempt is in its turn") {
    office o;
    o.busy_for = 50ms;
    auto slow = o.stub().look();
    o.world.advance(0ms);
    CHECK(o.turned_away == 1);
    o.busy_for = {};
    o.world.advance(49ms);
    CHECK(o.client->stats().hedges == 0);
    CHECK(o.calls.empty());
    o.world.advance(1ms);
    REQUIRE(o.calls.size() == 1);
    o.world.advance(19ms);
    CHECK(o.calls.size() == 1);
    o.world.advance(1ms);
    CHECK(o.calls.size() == 2);
    CHECK(o.client->stats().retries == 1);
    CHECK(o.client->stats().hedges == 1);
}

TEST_CASE("hedging: a client that ends with two attempts under way completes the call once") {
    office o;
    int completed = 0;
    std::optional<futon::error> why;
    o.stub().look([&](const futon::result<std::string>& got) {
        ++completed;
        if (!got) why = got.error();
    });
    auto before_its_hedge = o.stub().look();
    o.world.advance(10ms);
    auto with_its_hedge = o.stub().look();
    o.world.advance(10ms);
    REQUIRE(o.calls.size() == 5);
    o.client.reset();
    o.world.advance(1s);
    CHECK(completed == 1);
    REQUIRE(why);
    CHECK(*why == futon::errc::client_closed);
    CHECK(why->ran() == futon::executed::maybe);
    CHECK(std::move(before_its_hedge).get_result().error() == futon::errc::client_closed);
    CHECK(std::move(with_its_hedge).get_result().error() == futon::errc::client_closed);
    for (auto& each : o.calls) CHECK(each.answer.stop_requested());
}

// Counts what it sees, and how often the call was tried.
struct counting_filter {
    std::shared_ptr<std::vector<int>> attempts;
    void before(futon::client_call&) const {}
    void after(futon::client_call& call, futon::call_outcome&) const { attempts->push_back(call.attempts()); }
};

TEST_CASE("hedging: filters and the hook see one call, and how many attempts it took") {
    const auto seen = std::make_shared<std::vector<int>>();
    std::vector<std::string> records;
    office o{{.hedge = {.max_attempts = 2, .delay = 20ms},
              .filters = {counting_filter{seen}},
              .on_call = [&](const futon::call_record& r) {
                  records.push_back(std::string{r.peer} + " " + std::to_string(r.attempts) +
                                    (r.failure ? " failed" : ""));
                  CHECK(r.total == 25ms);
              }}};
    auto slow = o.stub().look();
    o.world.advance(25ms);
    REQUIRE(o.calls.size() == 2);
    o.calls[1].answer("second");
    CHECK(o.world.get(std::move(slow)) == "second");
    o.world.advance(100ms);
    CHECK(*seen == std::vector<int>{2});
    CHECK(records == std::vector<std::string>{"memory://" + o.calls[1].at + " 2"});
}

TEST_CASE("hedging: the attempts of a call are shown while they are under way") {
    office o;
    auto slow = o.stub().look();
    o.world.advance(20ms);
    REQUIRE(o.calls.size() == 2);
    const auto all = o.world.get(o.client->pending_calls());
    REQUIRE(all.size() == 2);
    for (const auto& each : all) {
        CHECK(each.method == "Desk.look");
        CHECK(each.age == 20ms);
        CHECK(each.where == futon::pending_call::state::sent);
    }
    CHECK(all[0].peer != all[1].peer);
}

TEST_CASE("hedging: asked for with a call that may not run twice it is a warning, once for each method") {
    office o;
    CHECK(o.warnings.empty());
    // What holds for all calls of a client is no mistake of one method.
    std::vector<futon::future<std::string>> pending;
    pending.push_back(o.stub().buy());
    const auto eager = o.stub().with({.hedge = futon::hedging{.max_attempts = 2, .delay = 5ms}});
    pending.push_back(eager.look());
    pending.push_back(o.stub().with({.hedge = futon::hedging{}}).buy());
    pending.push_back(o.stub().with({.retry = futon::failfast}).buy());
    CHECK(o.warnings.empty());
    pending.push_back(eager.buy());
    pending.push_back(eager.buy());
    REQUIRE(o.warnings.size() == 1);
    CHECK(o.warnings.front().starts_with("'Desk.buy' is not hedged, though .hedge asks for it"));
    o.world.advance(1s);
    CHECK(o.calls.size() == 7);  // The one of look, twice.
}

struct Till {
    std::string buy();
};
FUTON_SERVICE(Till, buy)

TEST_CASE("hedging: asked for of a client it is a warning where a service has no method that may run twice") {
    office o;
    static_cast<void>(o.client->stub<Till>());
    static_cast<void>(o.client->stub<Till>());
    REQUIRE(o.warnings.size() == 1);
    CHECK(o.warnings.front().starts_with("'Till' is not hedged"));
    office without{{}};
    static_cast<void>(without.client->stub<Till>());
    CHECK(without.warnings.empty());
}

TEST_CASE("hedging: hedge() of work that may not run twice is a warning, once for each place") {
    office o{{}};
    const auto stub = o.stub();
    std::vector<futon::future<std::string>> pending;
    const futon::hedge_options rules{.delay = 20ms};
    const auto home = o.world.executor();
    pending.push_back(futon::hedge(home, rules, [=] { return stub.look(); }));
    pending.push_back(futon::hedge(home, {.max_attempts = 1}, [=] { return stub.buy(); }));
    pending.push_back(futon::hedge(home, {.idempotent = true}, [=] { return stub.buy(); }));
    // Over before there is anything to be late: that says nothing of the work.
    pending.push_back(futon::hedge(home, rules, [=] { return stub.with({.deadline = futon::time_point{}}).look(); }));
    CHECK(o.warnings.empty());
    for (int i = 0; i < 3; ++i) pending.push_back(futon::hedge(home, rules, [=] { return stub.buy(); }));
    REQUIRE(o.warnings.size() == 1);
    CHECK(o.warnings.front().find("hedge_options.idempotent") != std::string::npos);
    pending.push_back(futon::hedge(home, rules, [=] { return stub.look().then([](std::string s) { return s; }); }));
    CHECK(o.warnings.size() == 2);
}

// On threads, where answers, hedges and cancels really meet.
TEST_CASE("hedging: however attempts race on threads, each call completes once") {
    struct quick_desk {
        std::string name;
        std::atomic<int>* turn;
        futon::future<std::string> ask(int) const {
            return futon::delay(std::chrono::microseconds{500 + 100 * (turn->fetch_add(1) % 20)}).then([its = name] {
                return its;
            });
        }
        std::string look() const { return name; }
        std::string buy() const { return name; }
        std::string check() const { return name; }
    };
    std::atomic<int> turn{0};
    futon::server one{"tcp://127.0.0.1:0"};
    futon::server two{"tcp://127.0.0.1:0"};
    for (auto* each : {&one, &two}) {
        each->provide<Desk>(quick_desk{"x", &turn});
        each->start();
    }
    futon::client client{{.endpoints = {one.addresses().front().text(), two.addresses().front().text()},
                          .timeout = 30s,
                          .hedge = {.max_attempts = 2, .delay = 1ms},
                          .threads = {.io_threads = 2}}};
    const auto stub = client.stub<Desk>();
    std::atomic<int> completed{0};
    std::atomic<int> cancelled{0};
    constexpr int calls = 600;
    std::vector<futon::future<std::string>> pending;
    for (int i = 0; i < calls; ++i) {
        pending.push_back(stub.ask(i));
        if (i % 7 == 0) pending.back().cancel();
        if (i % 5 == 0) static_cast<void>(stub.look().get());
    }
    for (auto& each : pending) {
        const auto got = std::move(each).get_result();
        ++(got ? completed : cancelled);
        if (!got) CHECK(got.error() == futon::errc::cancelled);
    }
    CHECK(completed + cancelled == calls);
    CHECK(completed > 0);
    const auto stats = client.stats();
    CHECK(stats.succeeded + stats.failed == stats.calls);
    CHECK(stats.failed == static_cast<unsigned>(cancelled.load()));
    CHECK(stats.hedges > 0);
}

}  // namespace
