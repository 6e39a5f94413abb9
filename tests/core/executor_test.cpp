// SPDX-License-Identifier: Apache-2.0
#include <futon/core/executor.hpp>

#include "support/small_stack.hpp"

#include <futon/testing/manual_executor.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

using futon::detail::inside;
using futon::detail::refuse;
using futon::detail::running_scope;
using futon::detail::schedule;
using futon::testing::manual_executor;

// Deletes itself when it has run.
struct job final : futon::detail::work {
    std::function<void(bool)> body;
    explicit job(std::function<void(bool)> f) : body{std::move(f)} {}
    void run(bool accepted) noexcept override {
        const std::unique_ptr<job> self{this};
        body(accepted);
    }
};
futon::detail::work& make(std::function<void(bool)> f) { return *new job{std::move(f)}; }

TEST_CASE("executor: work that is scheduled inside its executor runs when the scope ends, in order") {
    manual_executor place;
    std::string order;
    {
        running_scope scope{*place.ref()};
        CHECK(inside(*place.ref()));
        schedule(*place.ref(), make([&](bool accepted) {
                     order += accepted ? "a" : "?";
                     schedule(*place.ref(), make([&](bool) { order += "d"; }));
                     order += "b";
                 }));
        schedule(*place.ref(), make([&](bool) { order += "c"; }));
        CHECK(order.empty());
    }
    CHECK(order == "abcd");
    CHECK(place.queued() == 0);
    CHECK_FALSE(inside(*place.ref()));
}

TEST_CASE("executor: from elsewhere, also from inside another executor, work is posted") {
    manual_executor home;
    manual_executor away;
    {
        running_scope scope{*home.ref()};
        schedule(*away.ref(), make([](bool) {}));
    }
    CHECK(away.queued() == 1);
    CHECK(away.run_ready() == 1);
}

TEST_CASE("executor: what is pushed last runs once there is nothing else") {
    manual_executor place;
    std::string order;
    {
        running_scope scope{*place.ref()};
        scope.push_last(make([&](bool) { order += "z"; }));
        scope.push(make([&](bool) {
            order += "a";
            futon::detail::this_thread().scope->push(make([&](bool) { order += "b"; }));
        }));
    }
    CHECK(order == "abz");
}

TEST_CASE("executor: what completes next may run at once, unless something was queued before it") {
    manual_executor place;
    std::string order;
    running_scope scope{*place.ref()};
    CHECK_FALSE(scope.may_run_now());
    scope.let_next_run();
    CHECK(scope.may_run_now());
    CHECK_FALSE(scope.may_run_now());
    scope.let_next_run();
    scope.push(make([&](bool) {
        order += "a";
        CHECK_FALSE(scope.may_run_now());
    }));
    CHECK_FALSE(scope.may_run_now());
    scope.drain_between();
    CHECK(order == "a");
    CHECK_FALSE(scope.may_run_now());
    // What runs so is part of the much that a batch may do.
    int runs = 0;
    for (; runs <= running_scope::most_between; ++runs) {
        scope.let_next_run();
        if (!scope.may_run_now()) break;
    }
    CHECK(runs == running_scope::most_between - 2);
}

TEST_CASE("executor: a long row of work gives others a turn: the rest goes through the executor's queue") {
    manual_executor place;
    int runs = 0;
    {
        running_scope scope{*place.ref()};
        for (int i = 0; i < running_scope::most_in_a_row + 10; ++i)
            scope.push(make([&](bool accepted) { runs += accepted; }));
    }
    CHECK(runs == running_scope::most_in_a_row);
    CHECK(place.queued() == 10);
    place.run_ready();
    CHECK(runs == running_scope::most_in_a_row + 10);
}

TEST_CASE("executor: refused work is told so, counted, and does not grow the stack") {
    tests::on_small_stack([] {
        manual_executor place;
        place.limit_queue(0);
        int left = tests::deep;
        std::function<void(bool)> again = [&](bool accepted) {
            CHECK_FALSE(accepted);
            if (--left > 0) schedule(*place.ref(), make(again));
        };
        schedule(*place.ref(), make(again));
        CHECK(left == 0);
        CHECK(place.refused() == static_cast<std::uint64_t>(tests::deep));
    });
}

TEST_CASE("executor: refused work runs in the order in which it was refused") {
    std::string order;
    refuse(make([&](bool) {
        refuse(make([&](bool) { order += "c"; }));
        order += "a";
        refuse(make([&](bool) { order += "d"; }));
        order += "b";
    }));
    CHECK(order == "abcd");
}

TEST_CASE("executor: scopes and contexts nest, and end as they began") {
    manual_executor outer;
    manual_executor inner;
    const auto request = futon::detail::make_intrusive<futon::context>();
    CHECK(futon::current_executor() == nullptr);
    CHECK(futon::current_context() == nullptr);
    {
        running_scope first{*outer.ref()};
        const futon::detail::context_scope in{request.get()};
        {
            running_scope second{*inner.ref()};
            const futon::detail::context_scope none{nullptr};
            CHECK(futon::current_executor() == inner.ref());
            CHECK(futon::current_context() == nullptr);
            CHECK(futon::detail::blocking_holds_up_work());
        }
        CHECK(futon::current_executor() == outer.ref());
        CHECK(futon::current_context() == request);
    }
    CHECK(futon::current_executor() == nullptr);
    CHECK_FALSE(futon::detail::blocking_holds_up_work());
}

TEST_CASE("executor: blocking_allowed holds until its scope ends, nested too") {
    CHECK_FALSE(futon::detail::this_thread().may_block);
    {
        const futon::blocking_allowed outer;
        { const futon::blocking_allowed inner; }
        CHECK(futon::detail::this_thread().may_block);
    }
    CHECK_FALSE(futon::detail::this_thread().may_block);
}

}  // namespace
