// SPDX-License-Identifier: Apache-2.0
#include <futon/async/outcome.hpp>

#include <futon/testing/manual_executor.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

using futon::detail::future_state;
using futon::detail::intrusive_ptr;
using futon::detail::make_intrusive;
using futon::testing::manual_executor;

// Something under way that notices when it is cancelled.
struct source final : futon::detail::cancellable {
    int cancels = 0;
    void cancel() noexcept override { ++cancels; }
};

template <class T>
intrusive_ptr<future_state<T>> state_on(futon::executor_ref where = {}) {
    return make_intrusive<future_state<T>>(std::move(where));
}

TEST_CASE("outcome: the first completion wins and every later one is told so") {
    const auto state = state_on<int>();
    CHECK_FALSE(state->is_ready());
    CHECK(state->complete(1));
    CHECK_FALSE(state->complete(2));
    CHECK_FALSE(state->fail(futon::errc::unavailable));
    CHECK(state->is_ready());
    CHECK(state->take() == futon::result<int>{1});
}

TEST_CASE("outcome: an error can be the value, and is not taken for a failure") {
    const auto state = state_on<futon::error>();
    state->complete(futon::result<futon::error>{std::in_place, futon::errc::overloaded});
    CHECK(state->take().has_value());
    const auto failed = state_on<futon::error>();
    failed->fail(futon::errc::overloaded);
    CHECK_FALSE(failed->take().has_value());
}

TEST_CASE("outcome: cancel goes to the source, and completes with cancelled where there is none") {
    const auto with = state_on<int>();
    const auto under_way = make_intrusive<source>();
    with->attach_source(under_way);
    with->cancel();
    CHECK(under_way->cancels == 1);
    CHECK(with->cancel_requested());
    CHECK_FALSE(with->is_ready());

    const auto without = state_on<int>();
    without->cancel();
    CHECK(without->take().error() == futon::errc::cancelled);
}

TEST_CASE("outcome: a cancel after completion reaches nobody") {
    const auto state = state_on<int>();
    const auto under_way = make_intrusive<source>();
    state->attach_source(under_way);
    state->complete(1);
    state->cancel();
    CHECK(under_way->cancels == 0);
    CHECK(state->take() == futon::result<int>{1});
}

TEST_CASE("outcome: what follows another completes as that does, before or after, and cancels it") {
    for (const bool before : {true, false}) {
        CAPTURE(before);
        const auto inner = state_on<std::string>();
        const auto outer = state_on<std::string>();
        if (before) inner->complete(std::string{"x"});
        outer->follow(inner);
        if (!before) inner->complete(std::string{"x"});
        CHECK(outer->take() == futon::result<std::string>{"x"});
    }
    const auto inner = state_on<int>();
    const auto outer = state_on<int>();
    outer->follow(inner);
    outer->cancel();
    CHECK(outer->take().error() == futon::errc::cancelled);
}

TEST_CASE("outcome: following a chain of followers leaves no chain behind") {
    const auto outer = state_on<int>();
    auto level = state_on<int>();
    outer->follow(level);
    for (int i = 0; i < 3; ++i) {
        const auto next = state_on<int>();
        level->follow(next);
        CHECK(outer->upstream().get() == next.get());
        level = next;
    }
    level->complete(7);
    CHECK(outer->take() == futon::result<int>{7});
}

TEST_CASE("outcome: a failure that nobody takes is reported once, unless it is a cancellation") {
    std::vector<futon::error> seen;
    manual_executor place{[&](const futon::error& why) { seen.push_back(why); }};
    { state_on<int>(place)->fail(futon::errc::unavailable); }
    REQUIRE(seen.size() == 1);
    CHECK(seen[0] == futon::errc::unavailable);
    { state_on<int>(place)->fail(futon::errc::cancelled); }
    { state_on<int>(place)->complete(1); }
    {
        const auto taken = state_on<int>(place);
        taken->fail(futon::errc::unavailable);
        static_cast<void>(taken->take());
    }
    CHECK(seen.size() == 1);
    CHECK(place.unseen_failures() == 1);
}

TEST_CASE("outcome: a thread that stops waiting in time leaves the state as it was") {
    const auto state = state_on<int>();
    CHECK_FALSE(state->wait(futon::clock::now()));
    CHECK_FALSE(state->wait(futon::clock::now()));
    state->complete(3);
    CHECK(state->wait(futon::no_deadline));
    CHECK(state->take() == futon::result<int>{3});
}

TEST_CASE("outcome: values with a large alignment keep it") {
    struct alignas(64) wide {
        char bytes[64];
    };
    for (int i = 0; i < 8; ++i) {
        const auto state = state_on<wide>();
        state->complete(wide{});
        CHECK(reinterpret_cast<std::uintptr_t>(state.get()) % 64 == 0);
    }
}

}  // namespace
