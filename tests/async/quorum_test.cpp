// SPDX-License-Identifier: Apache-2.0
#include <futon/async/quorum.hpp>

#include "support/small_stack.hpp"

#include <futon/async/make_ready.hpp>
#include <futon/async/promise.hpp>
#include <futon/core/runtime.hpp>
#include <futon/testing/manual_executor.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace {

using futon::errc;
using futon::executed;
using futon::future;
using futon::make_ready;
using futon::promise;
using futon::quorum;
using futon::testing::manual_executor;

struct five_replicas {
    manual_executor place;
    std::vector<promise<int>> promises;
    std::vector<future<int>> futures;
    five_replicas() {
        for (int i = 0; i < 5; ++i) futures.push_back(promises.emplace_back(place).get_future());
    }
};

TEST_CASE("quorum: gives the first values in the order of their arrival and cancels the rest") {
    five_replicas replicas;
    auto three = quorum(3, std::move(replicas.futures));
    replicas.promises[4].set_value(40);
    replicas.promises[0].set_error(errc::unavailable);
    replicas.promises[2].set_value(20);
    CHECK_FALSE(three.is_ready());
    CHECK_FALSE(replicas.promises[1].cancel_requested());
    replicas.promises[3].set_value(30);
    const auto got = std::move(three).get();
    REQUIRE(got.size() == 3);
    CHECK(got[0].index == 4);
    CHECK(got[0].value == 40);
    CHECK(got[1].index == 2);
    CHECK(got[2].index == 3);
    CHECK(replicas.promises[1].cancel_requested());
    CHECK(replicas.place.unseen_failures() == 0);
}

TEST_CASE("quorum: fails as soon as it cannot be reached, lists the failures, and cancels the rest") {
    five_replicas replicas;
    auto three = quorum(3, std::move(replicas.futures));
    replicas.promises[4].set_error({errc::unavailable, executed::no});
    replicas.promises[1].set_error({errc::overloaded, executed::no});
    CHECK_FALSE(three.is_ready());
    replicas.promises[0].set_error({errc::connect_failed, executed::no});
    const auto why = std::move(three).get_result().error();
    CHECK(why == errc::all_failed);
    // Two more were under way.
    CHECK(why.ran() == executed::maybe);
    CHECK(why.message() == "3 of 5 cannot succeed any more: #4 unavailable; #1 overloaded; #0 connect_failed");
    CHECK(replicas.promises[2].cancel_requested());
    CHECK(replicas.promises[3].cancel_requested());
}

TEST_CASE("quorum: of one is not executed if none was") {
    manual_executor place;
    std::vector<future<int>> two;
    for (int i = 0; i < 2; ++i) two.push_back(futon::make_failed<int>(place, {errc::unavailable, executed::no}));
    const auto why = quorum(1, std::move(two)).get_result().error();
    CHECK(why == errc::all_failed);
    CHECK(why.ran() == executed::no);
}

TEST_CASE("quorum: of none is there at once, of too many never was possible; both cancel what they were given") {
    five_replicas replicas;
    CHECK(quorum(0, std::move(replicas.futures)).get().empty());
    CHECK(replicas.promises[0].cancel_requested());
    five_replicas others;
    const auto why = quorum(6, std::move(others.futures)).get_result().error();
    CHECK(why.message() == "6 of 5 cannot succeed");
    CHECK(others.promises[0].cancel_requested());
    CHECK(quorum(0, std::vector<future<void>>{}).get().empty());
    CHECK(quorum(1, std::vector<future<void>>{}).get_result().error() == errc::all_failed);
}

TEST_CASE("quorum: counts what has no value, moves what can only be moved, and is cancelled with its inputs") {
    manual_executor place;
    std::vector<future<void>> nothing;
    nothing.push_back(make_ready(place));
    CHECK(quorum(1, std::move(nothing)).get()[0].index == 0);
    std::vector<future<std::unique_ptr<int>>> owners;
    owners.push_back(make_ready(place, std::make_unique<int>(3)));
    CHECK(*quorum(1, std::move(owners)).get()[0].value == 3);
    five_replicas replicas;
    auto three = quorum(3, std::move(replicas.futures));
    three.cancel();
    for (auto& each : replicas.promises) CHECK(each.cancel_requested());
    CHECK(std::move(three).get_result().error() == errc::cancelled);
}

TEST_CASE("quorum: answers that race on several threads are counted right") {
    futon::runtime threads{{.io_threads = 2}};
    const auto first = threads.executor();
    const auto second = threads.executor();
    for (int round = 0; round < (tests::is_instrumented ? 500 : 5000); ++round) {
        const auto answer = [round](int i) -> futon::result<int> {
            if (i < round % 4) return errc::unavailable;
            return i;
        };
        std::vector<future<int>> some;
        for (int i = 0; i < 5; ++i) some.push_back(futon::async(i % 2 ? first : second, [=] { return answer(i); }));
        const auto got = quorum(3, std::move(some)).get_result();
        // With three of five failed there are two left.
        REQUIRE(got.has_value() == (round % 4 < 3));
        if (!got) continue;
        for (const auto& each : *got) REQUIRE(each.value == static_cast<int>(each.index));
    }
}

}  // namespace
