// SPDX-License-Identifier: Apache-2.0
#include <futon/cluster/provider_set.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

futon::endpoint numbered_address(int number) { return {.host = "10.0.0." + std::to_string(number), .port = 1}; }
futon::provider numbered(int number) { return {.address = numbered_address(number)}; }
std::vector<futon::provider> numbered_from_to(int first, int last) {
    std::vector<futon::provider> made;
    for (int i = first; i <= last; ++i) made.push_back(numbered(i));
    return made;
}
std::vector<std::string> hosts(const std::vector<futon::endpoint>& from) {
    std::vector<std::string> made;
    for (const auto& each : from) made.push_back(each.host);
    std::ranges::sort(made);
    return made;
}

// A set and the time that passes for it.
struct watched_set {
    explicit watched_set(futon::provider_protection rules = {}) : set{rules} {}

    futon::provider_changes list(std::vector<futon::provider> providers, bool authoritative = false) {
        return set.apply({.version = ++version, .providers = std::move(providers), .authoritative = authoritative},
                         now);
    }
    futon::provider_changes step(std::vector<futon::provider> providers, std::vector<futon::endpoint> removed,
                                 bool authoritative = false) {
        const auto from = version++;
        return set.apply({.version = version,
                          .from = from,
                          .providers = std::move(providers),
                          .removed = std::move(removed),
                          .authoritative = authoritative},
                         now);
    }

    futon::provider_set set;
    futon::time_point now{1h};
    std::uint64_t version = 0;
};

TEST_CASE("provider set: lists say what was added, changed and removed") {
    watched_set it;
    CHECK_FALSE(it.set.is_told());
    CHECK(it.list(numbered_from_to(1, 4)).added.size() == 4);
    CHECK(it.set.is_told());
    CHECK(it.list(numbered_from_to(1, 4)).empty());
    auto next = numbered_from_to(2, 5);
    next[0].weight = 7;
    const auto made = it.list(next);
    REQUIRE(made.added.size() == 1);
    CHECK(made.added[0]->address == numbered_address(5));
    REQUIRE(made.changed.size() == 1);
    CHECK(made.changed[0]->weight == 7);
    CHECK(it.set.find(numbered_address(2)) == made.changed[0]);
    CHECK(made.removed == std::vector{numbered_address(1)});
    CHECK(it.set.size() == 4);
    CHECK(it.set.find(numbered_address(1)) == nullptr);
    CHECK(it.set.list().size() == 4);
}

TEST_CASE("provider set: a first list may be empty, and that is known then") {
    watched_set it;
    CHECK(it.list({}).empty());
    CHECK(it.set.is_told());
    CHECK(it.set.stats().held_back == 0);
}

TEST_CASE("provider set: steps apply to the version that they start from, and to no other") {
    watched_set it;
    CHECK(it.step({}, {}).wants_full);  // There is no list yet.
    it.list(numbered_from_to(1, 5));
    auto heavier = numbered(1);
    heavier.weight = 200;
    const auto made = it.step({heavier, numbered(6)}, {numbered_address(2), numbered_address(99)});
    CHECK(made.changed.size() == 1);
    CHECK(made.added.size() == 1);
    CHECK(made.removed == std::vector{numbered_address(2)});

    const auto before = it.set.version();
    const auto missed = it.set.apply({.version = before + 2, .from = before + 1, .providers = {numbered(9)}}, it.now);
    CHECK(missed.wants_full);
    CHECK(missed.empty());
    CHECK(it.set.version() == before);
    CHECK(it.set.find(numbered_address(9)) == nullptr);
    CHECK(it.set.stats().gaps == 2);

    // A registry that was started anew counts from the beginning.
    CHECK(it.set.apply({.version = 1, .providers = numbered_from_to(1, 5)}, it.now).added.size() == 1);
    CHECK(it.set.apply({.version = 2, .from = 1, .providers = {numbered(9)}}, it.now).added.size() == 1);
}

TEST_CASE("provider set: an empty list makes suspects, and patience ends") {
    watched_set it;
    it.list({numbered(1)});
    const auto made = it.list({});
    CHECK(made.removed.empty());
    CHECK(hosts(made.suspected) == std::vector<std::string>{"10.0.0.1"});
    CHECK(it.set.is_suspect(numbered_address(1)));
    CHECK(it.set.next_wakeup() == it.now + 5min);
    CHECK(it.list({}).empty());  // Said again, it is no news.
    it.now += 5min - 1ns;
    CHECK(it.set.advance(it.now).empty());
    it.now += 1ns;
    CHECK(it.set.advance(it.now).removed == std::vector{numbered_address(1)});
    CHECK(it.set.size() == 0);
    CHECK_FALSE(it.set.next_wakeup().has_value());
    CHECK(it.set.stats().held_back == 1);
}

TEST_CASE("provider set: a suspect goes when it does not answer, and is cleared when it is listed again") {
    watched_set it;
    it.list(numbered_from_to(1, 3));
    it.list({});
    CHECK(it.set.lost(numbered_address(1)).removed == std::vector{numbered_address(1)});
    CHECK(it.set.lost(numbered_address(1)).empty());
    const auto made = it.list({numbered(2)});
    CHECK(made.cleared == std::vector{numbered_address(2)});
    CHECK(made.added.empty());
    CHECK(it.set.lost(numbered_address(2)).empty());  // It is listed: what to do with it is decided elsewhere.
    CHECK(it.set.suspects() == 1);
    CHECK(it.set.size() == 2);
}

TEST_CASE("provider set: a great loss is not believed, unless it is surely meant") {
    struct row {
        int before;
        int left;
        bool authoritative;
        std::size_t removed;
        std::size_t suspected;
    };
    const row rows[] = {
        {100, 1, false, 0, 99},  {100, 1, true, 99, 0}, {100, 0, false, 0, 100}, {100, 0, true, 100, 0},
        {100, 50, false, 50, 0}, {100, 49, false, 0, 51}, {2, 1, false, 1, 0},   {2, 0, false, 0, 2},
        {3, 2, false, 1, 0},     {3, 1, false, 0, 2},
    };
    for (const auto& each : rows) {
        CAPTURE(each.before);
        CAPTURE(each.left);
        for (const bool by_step : {false, true}) {
            watched_set it;
            it.list(numbered_from_to(1, each.before));
            std::vector<futon::endpoint> gone;
            for (int i = each.left + 1; i <= each.before; ++i) gone.push_back(numbered_address(i));
            const auto made = by_step ? it.step({}, gone, each.authoritative)
                                      : it.list(numbered_from_to(1, each.left), each.authoritative);
            CHECK(made.removed.size() == each.removed);
            CHECK(made.suspected.size() == each.suspected);
        }
    }
}

TEST_CASE("provider set: many small losses within the window count as one") {
    watched_set it;
    it.list(numbered_from_to(1, 20));
    std::size_t removed = 0;
    std::size_t suspected = 0;
    for (int i = 1; i <= 20; ++i) {
        it.now += 100ms;
        const auto made = it.step({}, {numbered_address(i)});
        removed += made.removed.size();
        suspected += made.suspected.size();
    }
    CHECK(removed == 10);
    CHECK(suspected == 10);

    // As an operator scales down: nothing is held back.
    watched_set slow;
    slow.list(numbered_from_to(1, 20));
    for (int i = 1; i <= 19; ++i) {
        slow.now += 11s;
        CHECK(slow.step({}, {numbered_address(i)}).removed.size() == 1);
    }
    CHECK(slow.set.stats().held_back == 0);
}

TEST_CASE("provider set: an authoritative update ends suspicion") {
    watched_set it;
    it.list(numbered_from_to(1, 10));
    it.list({});
    CHECK(it.step({}, {numbered_address(3)}, true).removed == std::vector{numbered_address(3)});
    CHECK(it.list({numbered(1)}, true).removed.size() == 8);
    CHECK(it.set.suspects() == 0);
    CHECK(it.set.size() == 1);
}

TEST_CASE("provider set: without patience every loss is believed") {
    watched_set it{{.patience = 0s}};
    it.list(numbered_from_to(1, 10));
    CHECK(it.list({}).removed.size() == 10);
}

TEST_CASE("provider set: refuses what is no use, and keeps what it knew of the same address") {
    watched_set it{{.most = 3}};
    auto nameless = numbered(1);
    nameless.address.host.clear();
    CHECK(it.list({numbered(1), nameless, numbered(1), numbered(2)}).added.size() == 2);
    CHECK(it.set.stats().refused == 2);
    auto absurd = numbered(1);
    absurd.weight = 4'000'000'000u;
    CHECK(it.list({absurd, numbered(2)}).empty());
    CHECK(it.set.find(numbered_address(1))->weight == 100);
    CHECK(it.list(numbered_from_to(1, 5)).added.size() == 1);
    CHECK(it.set.stats().refused == 5);
    CHECK(it.set.apply({.version = 9, .providers = numbered_from_to(1, 3), .refused = 4}, it.now).empty());
    CHECK(it.set.stats().refused == 9);
}

TEST_CASE("provider set: a hundred thousand providers, and steps that cost what they change") {
    watched_set it;
    std::vector<futon::provider> many;
    for (int i = 0; i < 100'000; ++i)
        many.push_back({.address = {.host = "10." + std::to_string(i / 65536) + "." + std::to_string(i / 256 % 256) +
                                            "." + std::to_string(i % 256),
                                    .port = 1}});
    CHECK(it.list(many).added.size() == 100'000);
    for (std::size_t i = 0; i < many.size(); i += 100) many[i].weight = 50;
    CHECK(it.list(many).changed.size() == 1'000);
    CHECK(it.step({many[1]}, {many[2].address}).removed.size() == 1);
    CHECK(it.set.size() == 99'999);
}

}  // namespace
