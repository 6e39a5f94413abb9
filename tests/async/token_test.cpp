// SPDX-License-Identifier: Apache-2.0
#include <futon/async/token.hpp>

#include <futon/async/make_ready.hpp>
#include <futon/async/promise.hpp>
#include <futon/core/runtime.hpp>

#include <doctest/doctest.h>

#include <asio/bind_executor.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/io_context.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_future.hpp>
#include <asio/version.hpp>
// Both moved out of asio::experimental in 1.23.
#if ASIO_VERSION < 102300
#include <asio/experimental/as_tuple.hpp>
#include <asio/experimental/deferred.hpp>
namespace moved = asio::experimental;
#else
#include <asio/as_tuple.hpp>
#include <asio/deferred.hpp>
namespace moved = asio;
#endif

#include <exception>
#include <future>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>

namespace {

using futon::errc;
using futon::result;
using futon::detail::intrusive_ptr;
using futon::detail::outcome;

struct no_default {
    explicit no_default(int number) : value{number} {}
    int value;
};

// An operation: yields `value` on another thread, or fails where it is negative.
template <class T, class Token>
auto compute(const futon::executor_ref& where, int value, Token&& token) {
    return futon::detail::initiate<T>(
        where, std::forward<Token>(token), [where, value](intrusive_ptr<outcome<T>> ending) {
            futon::make_ready(where, value).on_complete([ending](result<int> number) {
                if (*number < 0) {
                    ending->fail(futon::error{errc::unavailable, "negative", futon::executed::no});
                } else {
                    ending->complete(result<T>{std::in_place, static_cast<T>(*number)});
                }
            });
        });
}
template <class Token>
auto check(const futon::executor_ref& where, bool good, Token&& token) {
    return futon::detail::initiate<void>(where, std::forward<Token>(token),
                                         [good](intrusive_ptr<outcome<void>> ending) {
                                             ending->complete(good ? result<void>{} : result<void>{errc::overloaded});
                                         });
}

// Runs an asio::awaitable to its end on a context of its own.
template <class Body>
void run(Body body) {
    asio::io_context io;
    asio::co_spawn(io, body(), [](std::exception_ptr thrown) {
        if (thrown) std::rethrow_exception(thrown);
    });
    io.run();
}

TEST_CASE("token: use_future gives futon's future, asio::use_future the standard one") {
    futon::runtime threads;
    const auto place = threads.executor();
    auto own = compute<int>(place, 1, futon::use_future);
    static_assert(std::is_same_v<decltype(own), futon::future<int>>);
    CHECK(std::move(own).get() == 1);
    std::future<result<int>> standard = compute<int>(place, 2, asio::use_future);
    CHECK(standard.get() == result<int>{2});
    std::future<int> throwing = compute<int>(place, -2, futon::throwing(asio::use_future));
    CHECK_THROWS_AS(throwing.get(), futon::rpc_error);
}

TEST_CASE("token: a callable is called, on the operation's executor or on the one it is bound to") {
    futon::runtime threads;
    const auto place = threads.executor();
    std::promise<int> got;
    compute<int>(place, 3,
                 [&, owned = std::make_unique<int>(1)](result<int> value) { got.set_value(*value + *owned); });
    CHECK(got.get_future().get() == 4);
    asio::io_context io;
    std::thread::id seen;
    compute<int>(place, 3, asio::bind_executor(io, [&](result<int>) { seen = std::this_thread::get_id(); }));
    io.run();
    CHECK(seen == std::this_thread::get_id());
    compute<int>(place, 3, asio::detached);
}

TEST_CASE("token: in an asio::awaitable, asio's use_awaitable yields the result and futon's the value or throws") {
    futon::runtime threads;
    const auto place = threads.executor();
    run([&]() -> asio::awaitable<void> {
        const auto good = co_await compute<int>(place, 5, asio::use_awaitable);
        CHECK(good == result<int>{5});
        const auto bad = co_await compute<int>(place, -5, asio::use_awaitable);
        CHECK(bad.error() == errc::unavailable);
        CHECK(co_await compute<int>(place, 6, futon::use_awaitable) == 6);
        const auto odd = co_await compute<no_default>(place, 7, futon::use_awaitable);
        CHECK(odd.value == 7);
        co_await check(place, true, futon::use_awaitable);
        int failures = 0;
        try {
            co_await compute<no_default>(place, -7, futon::use_awaitable);
        } catch (const futon::rpc_error& e) {
            failures += e.detail().message() == "negative" && e.detail().ran() == futon::executed::no;
        }
        try {
            co_await check(place, false, futon::use_awaitable);
        } catch (const futon::rpc_error& e) {
            failures += e.detail() == errc::overloaded;
        }
        CHECK(failures == 2);
    });
}

TEST_CASE("token: as_tuple, deferred, throwing and ec_first keep to Asio's conventions") {
    futon::runtime threads;
    const auto place = threads.executor();
    run([&]() -> asio::awaitable<void> {
        const auto tuple = co_await compute<int>(place, 1, moved::as_tuple(asio::use_awaitable));
        CHECK(std::get<0>(tuple) == result<int>{1});
        auto lazy = compute<int>(place, 2, moved::deferred);
        const auto later = co_await std::move(lazy)(asio::use_awaitable);
        CHECK(later == result<int>{2});
        CHECK(co_await compute<int>(place, 3, futon::throwing(asio::use_awaitable)) == 3);
        co_await check(place, true, futon::throwing(asio::use_awaitable));
        std::error_code code;
        auto redirected = futon::ec_first(asio::redirect_error(asio::use_awaitable, code));
        CHECK(co_await compute<int>(place, 4, redirected) == 4);
        CHECK_FALSE(code);
        co_await compute<int>(place, -4, redirected);
        CHECK(code == futon::cond::unavailable);
        const auto pair = co_await check(place, false, futon::ec_first(moved::as_tuple(asio::use_awaitable)));
        CHECK(std::get<0>(pair) == errc::overloaded);
    });
}

TEST_CASE("token: a lazy operation that is never run is never started") {
    bool started = false;
    {
        [[maybe_unused]] auto lazy = futon::detail::initiate<int>(nullptr, moved::deferred,
                                                                  [&](intrusive_ptr<outcome<int>>) { started = true; });
    }
    CHECK_FALSE(started);
}

TEST_CASE("token: with || the first to succeed wins over throwing(), and the loser is cancelled") {
    using namespace asio::experimental::awaitable_operators;
    futon::runtime threads;
    const auto place = threads.executor();
    futon::promise<int> slow{place};
    auto pending = slow.get_future();
    run([&]() -> asio::awaitable<void> {
        auto first = std::move(pending)(futon::throwing(asio::use_awaitable));
        auto second = compute<int>(place, 8, futon::throwing(asio::use_awaitable));
        const auto won = co_await (std::move(first) || std::move(second));
        CHECK(won.index() == 1);
        CHECK(slow.cancel_requested());
    });
}

TEST_CASE("token: a future is itself an operation for any of them") {
    futon::runtime threads;
    const auto place = threads.executor();
    std::promise<int> got;
    futon::make_ready(place, 1)([&](result<int> value) { got.set_value(*value); });
    CHECK(got.get_future().get() == 1);
    CHECK(futon::make_ready(place, 2)(asio::use_future).get() == result<int>{2});
    CHECK(futon::future<int>{}(asio::use_future).get().error() == errc::no_state);
    run([&]() -> asio::awaitable<void> {
        auto f = futon::make_ready(place, 3).then([](int value) { return value + 1; });
        CHECK(co_await std::move(f)(futon::use_awaitable) == 4);
        auto g = futon::make_failed<int>(place, errc::overloaded);
        const auto failed = co_await std::move(g).async_wait(asio::use_awaitable);
        CHECK(failed.error() == errc::overloaded);
    });
}

}  // namespace
