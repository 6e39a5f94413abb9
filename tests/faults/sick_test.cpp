// SPDX-License-Identifier: Apache-2.0
// Servers that are up, and slow, or fail: who is avoided, who is not, and how much is tried again.

#include "faults/support/town.hpp"

#include <futon/cluster/least_request.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

using namespace futon_tests;

namespace {

double part(std::size_t of, std::size_t all) {
    return all == 0 ? 0 : static_cast<double>(of) / static_cast<double>(all);
}

TEST_CASE("faults: a server that becomes twenty times slower gets few calls (F25)") {
    town t{2ms};
    const auto begun = futon::clock::now();
    t.load->goes_on(1s);
    const auto slow = futon::clock::now();
    t.slow_down(0, 40ms);
    t.load->goes_on(5s);
    const auto settled = futon::clock::now();
    t.load->goes_on(1500ms);
    t.load->finish();
    t.load->check_truth();
    // Stalls as long as its calls make all servers alike.
    if (!t.load->may_be_judged(t.servers.stalled(), 40ms)) return;

    const auto& load = *t.load;
    const auto share = part(load.answered_by(0, settled), load.due_from(settled));
    CHECK_MESSAGE(load.failed() == 0, load.failures());
    CHECK(share <= 0.1);
    MESSAGE("F25: its share was ", 100 * part(load.answered_by(0), load.due_from({})), " % in all, ", 100 * share,
            " % after 5 s (goal 10 %); p99 ", ms(load.quantile(0.99, begun, slow)), " before, ",
            ms(load.quantile(0.99, settled)), " then (goal 3 times)");
}

TEST_CASE("faults: a server that refuses all calls at once draws no load, no call fails for it, and it is used again") {
    auto options = quiet_client();
    std::string policy;
    SUBCASE("by the default policy") { policy = "peak_ewma"; }
    SUBCASE("by the fewest calls in flight, of which it never has any") {
        policy = "least_request";
        options.balancer = futon::least_request{};
    }
    town t{5ms, {}, options};
    const auto before = t.servers[0].came.load();
    t.servers[0].behaves = conduct::refuses;
    bool ejected = false;
    for (int i = 0; i < 20; ++i) {
        t.load->goes_on(100ms);
        ejected = ejected || t.client->stats().ejected_providers == 1;
    }
    const auto refused = t.servers[0].came.load() - before;
    t.servers[0].behaves = conduct::works;
    const auto well = futon::clock::now();
    const auto ran = t.servers[0].ran.load();
    REQUIRE(t.load->goes_on_until(
        [&] { return t.client->stats().usable_providers == 3 && t.servers[0].ran.load() > ran + 20; }));
    const auto back = futon::clock::now();
    t.load->finish();
    t.load->check_truth();
    if (!t.load->may_be_judged(t.servers.stalled())) return;

    CHECK_MESSAGE(t.load->failed() == 0, t.load->failures());
    CHECK(refused > 0);
    // Five in a row, what was on its way then, and one in each trial. A fair share were 330.
    CHECK(refused <= 60);
    if (policy == "least_request") CHECK(ejected);
    MESSAGE("fails fast, ", policy, ": ", t.load->calls().size(), " calls, ", refused,
            " were refused and went elsewhere, ", std::string{ejected ? "ejected" : "not ejected"}, "; in use again ",
            ms(back - well), " after it was well");
}

TEST_CASE(
    "faults: errors of handlers are passed on, and eject no server; one that has them at once draws no calls (F28)") {
    town t{2ms};
    const auto ran_before = t.servers[0].ran.load();
    t.servers[0].behaves = conduct::fails;
    bool was_ejected = false;
    const auto look = [&] {
        t.load->goes_on(100ms);
        was_ejected = was_ejected || t.client->stats().ejected_providers != 0;
    };
    for (int i = 0; i < 15; ++i) look();
    const auto settled = futon::clock::now();
    for (int i = 0; i < 15; ++i) look();
    t.load->finish();
    t.load->check_truth();
    if (!t.load->may_be_judged(t.servers.stalled())) return;

    const auto& load = *t.load;
    const auto address = t.servers.address(0);
    const auto is_passed_on = [&](const call_note& each) {
        return was_at(each, address) && *each.why == futon::errc::remote_error &&
               each.why->ran() == futon::executed::yes && each.why->message() == "this server fails" &&
               each.attempts == 1;
    };
    const auto passed_on = load.count(is_passed_on);
    const auto later = load.count([&](const call_note& each) { return each.due >= settled && is_passed_on(each); });
    CHECK_FALSE(was_ejected);
    CHECK_MESSAGE(load.failed() == passed_on, load.failures());
    // Each call that began there since, but for what began while it was told.
    const auto ran = static_cast<std::size_t>(t.servers[0].ran.load() - ran_before);
    CHECK(passed_on <= ran);
    CHECK(passed_on + 50 >= ran);
    CHECK(passed_on > 0);
    // The fair share is a third; looking quick, it would get nearly all.
    CHECK(part(later, load.due_from(settled)) <= 0.15);
    MESSAGE("F28: ", passed_on, " of ", load.calls().size(), " calls failed at the server that fails, ",
            load.failed() - passed_on, " elsewhere; its share is ", 100 * part(later, load.due_from(settled)), " %");
}

struct storm {
    std::size_t calls = 0;
    double amplification = 0;  // Requests that came to servers, for each call.
    double seconds = 0;
    bool within_budget = false;
    bool may_be_judged = false;
};

// All servers turn all calls away, for a while.
storm rage(conduct how, futon::duration length, const futon::client_options& options) {
    const auto seconds_since = [](futon::time_point when) {
        return std::chrono::duration<double>(futon::clock::now() - when).count();
    };
    const auto client_made = futon::clock::now();
    town t{2ms, {}, options};
    const auto made = t.load->made();
    const auto came = t.came();
    const auto begun = futon::clock::now();
    t.behave(how);
    t.load->goes_on(length);
    t.behave(conduct::works);
    storm seen;
    seen.calls = t.load->made() - made;
    seen.amplification = part(static_cast<std::size_t>(t.came() - came), seen.calls);
    seen.seconds = seconds_since(begun);
    const auto over = futon::clock::now();
    t.load->goes_on(1100ms);
    t.load->finish();
    t.load->check_truth();
    // Or attempts that belong to the storm come after it.
    seen.may_be_judged = t.load->may_be_judged(t.servers.stalled(), 60ms);
    if (seen.may_be_judged) CHECK(t.load->recovers_after(over) < 3s);
    const auto& budget = options.retry_budget;
    seen.within_budget = static_cast<double>(t.client->stats().retries) <=
                         budget.share * static_cast<double>(t.load->calls().size()) +
                             budget.per_second * seconds_since(client_made) + budget.reserve;
    return seen;
}

TEST_CASE(
    "faults: where all servers turn calls away the retries stay within their budget, and without one they do not (F23)") {
    auto options = quiet_client();
    options.retry.max_attempts = 4;
    auto how = conduct::works;
    std::string error;
    SUBCASE("overloaded") {
        how = conduct::refuses;
        error = "overloaded";
    }
    SUBCASE("unavailable, though they stay") {
        how = conduct::departs;
        error = "unavailable";
    }
    const auto limited = rage(how, 3s, options);
    CHECK(limited.within_budget);
    if (!limited.may_be_judged) return;
    CHECK(limited.amplification > 1.05);
    CHECK(limited.amplification < 1.13);
    options.retry_budget.reserve = 1e9;
    const auto unlimited = rage(how, 1s, options);
    if (!unlimited.may_be_judged) return;
    CHECK(unlimited.amplification >= 3.5);
    CHECK(unlimited.amplification < 4.1);
    MESSAGE("F23, ", error, ": ", limited.calls, " calls in a storm of ", limited.seconds, " s were ",
            limited.amplification, " attempts each (goal 1.11), without the budget ", unlimited.amplification,
            " (goal 3.5 or more, or the first would mean nothing)");
}

}  // namespace
