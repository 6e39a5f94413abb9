// SPDX-License-Identifier: Apache-2.0
#include <futon/cluster/load_balancer.hpp>

#include <futon/cluster/least_request.hpp>
#include <futon/cluster/random.hpp>

#include "support/nodes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <type_traits>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

// What a user writes: only `pick`.
struct first_usable {
    futon::node* pick(const futon::node_set& nodes, futon::pick_context& call) noexcept {
        return nodes.next_usable(0, call);
    }
};
static_assert(futon::load_balancer<first_usable>);
static_assert(std::is_nothrow_move_constructible_v<futon::any_load_balancer>);
static_assert(!std::is_constructible_v<futon::any_load_balancer, int>);

// Counts its hooks.
struct hooked : first_usable {
    int rebuilt = 0, began = 0, finished = 0, reports = 0;
    void rebuild(const futon::node_set&) { ++rebuilt; }
    void started(futon::node& n, futon::time_point) noexcept {
        ++began;
        CHECK(n.in_flight == 1);
    }
    void ended(futon::node& n, const futon::attempt_outcome&) noexcept {
        ++finished;
        CHECK(n.in_flight == 0);
    }
    std::size_t next_probes(const futon::node_set& nodes, futon::pick_context&, std::span<futon::node*> into) noexcept {
        into[0] = &nodes[0];
        return 1;
    }
    void probed(futon::node&, const futon::load_report& report, futon::time_point) noexcept {
        reports += static_cast<int>(report.in_flight);
    }
};

TEST_CASE("load_balancer: a policy with nothing but pick works in the handle") {
    tests::nodes three{3};
    futon::any_load_balancer policy = first_usable{};
    policy.rebuild(three.set);
    auto call = three.call();
    CHECK(policy.pick(three.set, call) == &three[0]);
    CHECK_FALSE(policy.probes());
    futon::begin_attempt(policy, three[0], call.now);
    CHECK(three[0].in_flight == 1);
    futon::end_attempt(policy, three[0], futon::attempt_outcome::success(call.now, call.now + 1ms));
    CHECK(three[0].in_flight == 0);
}

TEST_CASE("load_balancer: hooks are called where a policy has them") {
    tests::nodes three{3};
    hooked policy;
    auto call = three.call();
    futon::begin_attempt(policy, three[1], call.now);
    auto outcome = futon::attempt_outcome::success(call.now, call.now + 1ms);
    outcome.report = futon::load_report{.in_flight = 7};
    futon::end_attempt(policy, three[1], outcome);
    futon::take_report(policy, three[2], {.in_flight = 5}, call.now);
    CHECK(policy.began == 1);
    CHECK(policy.finished == 1);
    CHECK(policy.reports == 5);
    CHECK(three[1].report.in_flight == 7);
    CHECK(three[1].reported_at == outcome.now);
    CHECK(three[2].report.in_flight == 5);

    futon::any_load_balancer held = policy;
    CHECK(held.probes());
    std::vector<futon::node*> into(2);
    CHECK(held.next_probes(three.set, call, into) == 1);
    CHECK(into[0] == &three[0]);
}

TEST_CASE("load_balancer: copies of the handle choose independently, moved ones take over") {
    tests::nodes three{3};
    futon::any_load_balancer one = futon::random{};
    three[0].weight = 1000;
    three.set.reweigh();
    one.rebuild(three.set);
    auto other = one;
    auto call = three.call();
    CHECK(other.pick(three.set, call) != nullptr);
    auto moved = std::move(one);
    CHECK(static_cast<bool>(moved));
    CHECK_FALSE(static_cast<bool>(one));  // NOLINT: what is documented
    CHECK(moved.pick(three.set, call) != nullptr);
}

TEST_CASE("load_balancer: what errors say of a provider") {
    using futon::errc;
    using futon::verdict;
    for (const auto code : {errc::deadline_exceeded, errc::connect_failed, errc::connection_lost, errc::overloaded,
                            errc::unavailable, errc::protocol_error})
        CHECK(futon::judge(code) == verdict::failed);
    for (const auto code : {errc::remote_error, errc::internal, errc::broken_promise, errc::bad_reply})
        CHECK(futon::judge(code) == verdict::erred);
    for (const auto code : {errc::no_such_method, errc::bad_arguments, errc::version_mismatch, errc::unauthenticated,
                            errc::permission_denied})
        CHECK(futon::judge(code) == verdict::answered);
    for (const auto code : {errc::cancelled, errc::client_closed, errc::message_too_big, errc{12345}})
        CHECK(futon::judge(code) == verdict::abandoned);
}

TEST_CASE("node_set: a node is usable if nothing holds it and the call has not tried it") {
    tests::nodes two{2};
    auto call = two.call();
    CHECK(two.set.usable(two[0], call));
    for (const auto why : {futon::hold::disconnected, futon::hold::ejected, futon::hold::on_trial,
                           futon::hold::draining, futon::hold::drained}) {
        two[0].set(why, true);
        CHECK_FALSE(two.set.usable(two[0], call));
        two[0].set(why, false);
    }
    futon::node* tried[] = {&two[0]};
    call.tried = tried;
    CHECK_FALSE(two.set.usable(two[0], call));
    for (int i = 0; i < 20; ++i) CHECK(two.set.draw(call) == &two[1]);
    two[1].set(futon::hold::ejected, true);
    CHECK(two.set.draw(call) == nullptr);
}

TEST_CASE("node_set: a panic overlooks ejection and nothing else") {
    tests::nodes two{2};
    two.set.set_panic(true);
    CHECK(two.set.panic());
    two[0].set(futon::hold::ejected, true);
    CHECK(two.set.usable(two[0]));
    two[0].set(futon::hold::draining, true);
    CHECK_FALSE(two.set.usable(two[0]));
    two.set.set_panic(false);
    CHECK_FALSE(two.set.panic());
}

TEST_CASE("node_set: weight 0 is a hold, unless all weigh 0") {
    tests::nodes two{2, 0};
    two.set.reweigh();
    CHECK(two.set.usable(two[0]));
    two[1].told.weight = 5;
    two[1].refresh();
    two.set.reweigh();
    CHECK_FALSE(two.set.usable(two[0]));
    CHECK(two.set.usable(two[1]));
}

TEST_CASE("node_set: an empty set gives none") {
    tests::nodes none{0};
    auto call = none.call();
    CHECK(none.set.draw(call) == nullptr);
    CHECK(none.set.next_usable(0, call) == nullptr);
    for (auto policy : {futon::any_load_balancer{futon::random{}}, futon::any_load_balancer{futon::least_request{}}}) {
        policy.rebuild(none.set);
        CHECK(policy.pick(none.set, call) == nullptr);
    }
}

TEST_CASE("node: a new connection forgets what was measured before") {
    tests::nodes one{1};
    one[0].samples = 9;
    one[0].latency = 2.5f;
    one[0].set_connected(true);  // It was.
    CHECK(one[0].samples == 9);
    one[0].set_connected(false);
    CHECK_FALSE(one[0].connected());
    one[0].set_connected(true);
    CHECK(one[0].samples == 0);
    CHECK(one[0].latency == 0);
}

}  // namespace
