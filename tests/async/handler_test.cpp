// SPDX-License-Identifier: Apache-2.0
#include <futon/async/handler.hpp>

#include <futon/async/make_ready.hpp>
#include <futon/async/token.hpp>
#include <futon/core/asio_executor.hpp>
#include <futon/core/runtime.hpp>
#include <futon/testing/manual_executor.hpp>

#include <doctest/doctest.h>

#include <asio/any_io_executor.hpp>
#include <asio/bind_allocator.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/thread_pool.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using futon::errc;
using futon::result;
using futon::detail::intrusive_ptr;
using futon::detail::outcome;
using futon::testing::manual_executor;
using ending = intrusive_ptr<outcome<int>>;

// Starts an operation that completes when the test says so.
template <class Token>
ending start(futon::executor_ref where, Token&& token) {
    ending started;
    futon::detail::initiate<int>(std::move(where), std::forward<Token>(token),
                                 [&](ending made) { started = std::move(made); });
    return started;
}

template <class T>
struct counting_allocator {
    using value_type = T;
    int* balance;
    int* calls;
    counting_allocator(int* alive, int* made) : balance{alive}, calls{made} {}
    template <class U>
    counting_allocator(const counting_allocator<U>& other) : balance{other.balance}, calls{other.calls} {}
    T* allocate(std::size_t count) {
        ++*balance;
        ++*calls;
        return static_cast<T*>(::operator new(count * sizeof(T)));
    }
    void deallocate(T* memory, std::size_t) noexcept {
        --*balance;
        ::operator delete(memory);
    }
    friend bool operator==(const counting_allocator&, const counting_allocator&) { return true; }
};

TEST_CASE("handler: a plain callable runs on the operation's executor, later, and once") {
    manual_executor place;
    int runs = 0;
    futon::executor_ref seen;
    const auto op = start(place, [&, owned = std::make_unique<int>(1)](result<int> got) {
        runs += *got + *owned;
        seen = futon::current_executor();
    });
    CHECK(op->complete(2));
    CHECK_FALSE(op->complete(3));
    CHECK(runs == 0);
    place.run_ready();
    CHECK(runs == 3);
    CHECK(seen == place.ref());
}

TEST_CASE("handler: what concludes it runs it at once where its executor's scope says so, and only there") {
    manual_executor place;
    manual_executor elsewhere;
    int ran = 0;
    const auto begin = [&] { return start(place, [&](result<int> got) { ran += got ? 1 : 0; }); };
    const auto conclude = [](ending op) { op.detach()->conclude(result<int>{1}); };
    {
        futon::detail::running_scope scope{*elsewhere.ref()};
        scope.let_next_run();
        conclude(begin());
    }
    CHECK(ran == 0);
    CHECK(place.run_ready() == 1);
    CHECK(ran == 1);
    futon::detail::running_scope scope{*place.ref()};
    conclude(begin());
    scope.let_next_run();
    conclude(begin());
    CHECK(ran == 1);  // The one before it has not run.
    scope.drain_between();
    CHECK(ran == 3);
    scope.let_next_run();
    conclude(begin());
    CHECK(ran == 4);
    conclude(begin());
    CHECK(ran == 4);
    scope.drain_between();
    CHECK(ran == 5);
    SUBCASE("one that was completed before is not run") {
        const auto op = begin();
        CHECK(op->fail(errc::cancelled));
        scope.let_next_run();
        conclude(op);
        CHECK(ran == 5);
    }
}

TEST_CASE("handler: completing inside the initiating function does not run it there") {
    manual_executor place;
    bool ran = false;
    futon::detail::initiate<int>(place, [&](result<int>) { ran = true; }, [](ending made) { made->complete(1); });
    CHECK_FALSE(ran);
    place.run_ready();
    CHECK(ran);

    asio::io_context io;
    bool ran_bound = false;
    asio::post(io, [&] {
        futon::detail::initiate<int>(nullptr, asio::bind_executor(io, [&](result<int>) { ran_bound = true; }),
                                     [](ending made) { made->complete(1); });
        CHECK_FALSE(ran_bound);
    });
    io.run();
    CHECK(ran_bound);
}

TEST_CASE("handler: an associated executor is where it runs, and counts as its work") {
    manual_executor place;
    asio::io_context io;
    bool on_io = false;
    auto op =
        start(place, asio::bind_executor(io, [&](result<int>) { on_io = io.get_executor().running_in_this_thread(); }));
    CHECK(io.poll() == 0);
    CHECK_FALSE(io.stopped());
    op->complete(1);
    op = nullptr;
    CHECK(place.queued() == 0);
    io.run();
    CHECK(on_io);
    CHECK(io.stopped());
}

TEST_CASE("handler: completed inside the operation's executor, it takes that queue's turn first") {
    manual_executor place;
    asio::io_context io;
    std::string order;
    const auto op = start(place, asio::bind_executor(io, [&](result<int>) { order += "h"; }));
    futon::make_ready(place).on_complete([&](auto) {
        op->complete(1);
        order += "c";
        CHECK(io.poll() == 0);
    });
    place.run_ready();
    io.run();
    CHECK(order == "ch");
}

TEST_CASE("handler: its associated allocator gives its memory, which is free before it runs") {
    manual_executor place;
    int alive = 0;
    int calls = 0;
    int alive_inside = -1;
    auto op = start(place, asio::bind_allocator(counting_allocator<int>{&alive, &calls},
                                                [&](result<int>) { alive_inside = alive; }));
    CHECK(calls == 1);
    CHECK(alive == 1);
    op->complete(1);
    op = nullptr;
    place.run_ready();
    CHECK(alive_inside == 0);
    CHECK(calls == 1);
}

TEST_CASE("handler: its cancellation slot cancels the operation, and is free again when it runs") {
    manual_executor place;
    for (const auto kind :
         {asio::cancellation_type::terminal, asio::cancellation_type::partial, asio::cancellation_type::total}) {
        asio::cancellation_signal signal;
        errc code{};
        bool connected_inside = true;
        static_cast<void>(start(place, asio::bind_cancellation_slot(signal.slot(), [&](result<int> got) {
                                    code = static_cast<errc>(got.error().code().value());
                                    connected_inside = signal.slot().has_handler();
                                })));
        signal.emit(kind);
        CHECK(code == errc{});
        place.run_ready();
        CHECK(code == errc::cancelled);
        CHECK_FALSE(connected_inside);
        signal.emit(kind);
    }
}

TEST_CASE("handler: only one with a connected slot can be cancelled") {
    manual_executor place;
    asio::cancellation_signal signal;
    const auto slotted = start(place, asio::bind_cancellation_slot(signal.slot(), [](result<int>) {}));
    const auto plain = start(place, [](result<int>) {});
    CHECK(slotted->can_be_cancelled());
    CHECK_FALSE(plain->can_be_cancelled());
    for (const auto& each : {slotted, plain}) each->complete(1);
    place.run_ready();
}

TEST_CASE("handler: a plain callable whose executor refuses it is dropped, and that is reported") {
    std::vector<futon::error> seen;
    manual_executor place{[&](const futon::error& why) { seen.push_back(why); }};
    auto owned = std::make_shared<int>(1);
    const std::weak_ptr<int> watched = owned;
    const auto op = start(place, [owned = std::move(owned)](result<int>) { FAIL("ran"); });
    place.limit_queue(0);
    op->complete(1);
    CHECK(watched.expired());
    REQUIRE(seen.size() == 1);
    CHECK(seen[0] == errc::executor_rejected);

    // One with an executor of its own does not need the operation's.
    asio::io_context io;
    int got = 0;
    start(place, asio::bind_executor(io, [&](result<int> value) { got = *value; }))->complete(4);
    io.run();
    CHECK(got == 4);
}

TEST_CASE("handler: what a plain callable throws goes to the hook, with an own executor out of its run()") {
    std::vector<std::string> seen;
    manual_executor place{[&](const futon::error& why) { seen.push_back(why.message()); }};
    start(place, [](result<int>) { throw std::runtime_error{"plain"}; })->complete(1);
    place.run_ready();
    CHECK(seen == std::vector<std::string>{"plain"});

    asio::io_context io;
    start(place, asio::bind_executor(io, [](result<int>) { throw std::runtime_error{"bound"}; }))->complete(1);
    CHECK_THROWS_WITH_AS(io.run(), "bound", std::runtime_error);
    CHECK(seen.size() == 1);
}

TEST_CASE("handler: one with its context behind an any_io_executor runs in the turn that completes it") {
    asio::io_context io;
    const auto place = futon::make_executor(io.get_executor());
    const asio::any_io_executor same{io.get_executor()};
    std::vector<int> order;
    const auto op = start(place, asio::bind_executor(same, [&](result<int> value) {
                              order.push_back(*value);
                              throw std::runtime_error{"bound"};
                          }));
    op->complete(1);
    asio::post(io, [&order] { order.push_back(2); });
    CHECK(order.empty());
    // What it throws still does not come through futon's code.
    CHECK_THROWS_WITH_AS(io.run(), "bound", std::runtime_error);
    CHECK(order == std::vector{1, 2});

    // From elsewhere it goes there.
    asio::thread_pool pool{1};
    start(futon::make_executor(pool.get_executor()), asio::bind_executor(same, [&](result<int> value) {
              order.push_back(*value);
          }))->complete(3);
    pool.join();
    CHECK(order.size() == 2);
    io.restart();
    io.run();
    CHECK(order == std::vector{1, 2, 3});
}

TEST_CASE("handler: one whose context ends before it runs is destroyed, with what its slot holds") {
    manual_executor place;
    asio::cancellation_signal signal;
    auto owned = std::make_shared<int>(1);
    const std::weak_ptr<int> watched = owned;
    {
        asio::io_context io;
        start(place, asio::bind_cancellation_slot(signal.slot(),
                                                  asio::bind_executor(io, [owned = std::move(owned)](result<int>) {})))
            ->complete(1);
        CHECK_FALSE(watched.expired());
    }
    CHECK(watched.expired());
}

TEST_CASE("handler: a start that throws leaves nothing behind and runs nothing") {
    asio::cancellation_signal signal;
    auto owned = std::make_shared<int>(1);
    const std::weak_ptr<int> watched = owned;
    CHECK_THROWS_AS(
        futon::detail::initiate<int>(
            nullptr, asio::bind_cancellation_slot(signal.slot(), [owned = std::move(owned)](result<int>) {}),
            [](ending) { throw std::runtime_error{"no"}; }),
        std::runtime_error);
    CHECK(watched.expired());
    CHECK_FALSE(signal.slot().has_handler());
}

TEST_CASE("handler: sees the context of whoever started the operation") {
    manual_executor place;
    const auto request = futon::detail::make_intrusive<futon::context>();
    futon::context_ptr seen;
    ending op;
    {
        const futon::detail::context_scope scope{request.get()};
        op = start(place, [&](result<int>) { seen = futon::current_context(); });
    }
    op->complete(1);
    place.run_ready();
    CHECK(seen == request);
    CHECK(futon::current_context() == nullptr);
}

}  // namespace
