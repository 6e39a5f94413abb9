// SPDX-License-Identifier: Apache-2.0
#include <futon/cluster/node_table.hpp>

#include "support/nodes.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <set>
#include <string>

using namespace std::chrono_literals;
using tests::numbered_provider;

namespace {

TEST_CASE("node_table: nodes keep their address and counters while they are listed") {
    futon::node_table table;
    const futon::time_point now{10s};
    auto& first = table.put(numbered_provider(1), now);
    first.in_flight = 3;
    for (std::size_t i = 2; i < 500; ++i) table.put(numbered_provider(i), now);
    auto told = numbered_provider(1, 50);
    CHECK(&table.put(told, now + 1s) == &first);
    CHECK(first.in_flight == 3);
    CHECK(first.weight == 50);
    CHECK(first.first_seen == now);
    CHECK(table.find(told.address) == &first);
    CHECK(table.size() == 499);

    const auto version = table.version();
    table.put(told, now + 2s);
    CHECK(table.version() == version);  // Nothing new.
    told.weight = 0;
    table.put(told, now + 2s);
    CHECK(table.version() == version + 1);
    CHECK(first.is_held(futon::hold::drained));
}

TEST_CASE("node_table: a removed node gets no calls at once, and is freed when nothing uses it") {
    futon::node_table table;
    const futon::time_point now{10s};
    for (std::size_t i = 0; i < 5; ++i) table.put(numbered_provider(i), now).set_connected(true);
    futon::node_set set{table.listed(), table.version()};
    auto* const gone = table.find(numbered_provider(2).address);
    gone->in_flight = 1;
    CHECK(table.remove(numbered_provider(2).address, now) == gone);
    CHECK(table.remove(numbered_provider(2).address, now) == nullptr);
    CHECK(table.find(numbered_provider(2).address) == nullptr);
    CHECK(table.size() == 4);
    CHECK_FALSE(set.usable(*gone));
    CHECK_FALSE(gone->listed);

    CHECK(table.collect(set.version()) == 1);  // A set lists it.
    set.assign(table.listed(), table.version());
    CHECK(table.collect(set.version()) == 1);  // A call is on it.
    gone->in_flight = 0;
    int looked = 0;
    CHECK(table.collect(set.version(), [&](futon::node& n) { looked += &n == gone; }) == 0);
    CHECK(looked == 1);
}

TEST_CASE("node_table: slots are small, distinct, and used again") {
    futon::node_table table;
    futon::time_point now{10s};
    for (int round = 0; round < 50; ++round) {
        for (std::size_t i = 0; i < 20; ++i)
            table.put(numbered_provider(static_cast<std::size_t>(round) * 20 + i), now);
        std::set<std::uint32_t> slots;
        for (const auto* n : table.listed()) slots.insert(n->slot);
        CHECK(slots.size() == 20);
        CHECK(table.slots() == 20);
        while (table.size() > 0) table.remove(table.listed()[table.size() / 2]->told.address, now);
        CHECK(table.collect(table.version()) == 0);
    }
}

TEST_CASE("node_table: a provider that comes back within a minute keeps its ejections, and nothing else") {
    futon::node_table table;
    futon::time_point now{10s};
    auto& before = table.put(numbered_provider(1), now);
    before.ejections = 4;
    before.latency = 3;
    table.remove(numbered_provider(1).address, now);
    auto& after = table.put(numbered_provider(1), now + 59s);
    CHECK(after.ejections == 4);
    CHECK(after.latency == 0);
    CHECK(after.listed);
    CHECK_FALSE(after.connected());
    table.remove(numbered_provider(1).address, now + 59s);
    CHECK(table.put(numbered_provider(1), now + 2min).ejections == 0);
}

TEST_CASE("stable_hash: the hash of an address is that of its text, on every path") {
    for (const auto* text : {"tcp://10.0.0.1:80", "tcp://[::1]:12200", "unix:///run/x.sock", "memory://a", "bolt://h:1",
                             "tcp://a.name.that.is.as.long.as.names.may.be.in.some.clusters.with.many.parts."
                             "and.then.some.more.of.them.until.it.is.enough.example:65535"}) {
        const auto address = *futon::endpoint::parse(text);
        CHECK(futon::stable_hash(address) == futon::stable_hash(address.text()));
    }
}

TEST_CASE("stable_hash: the same number in every version") {
    CHECK(futon::stable_hash("") == 16294208416658607535u);
    CHECK(futon::stable_hash("user-7") == 13901799820181197843u);
    CHECK(futon::stable_hash("tcp://10.0.0.1:12200") == 1597043171156477731u);
    CHECK(futon::stable_hash("a") != futon::stable_hash(std::string_view{"a\0", 2}));
}

}  // namespace
