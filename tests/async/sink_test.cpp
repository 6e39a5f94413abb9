// SPDX-License-Identifier: Apache-2.0
#include <futon/async/sink.hpp>

#include <futon/async.hpp>
#include <futon/testing/manual_executor.hpp>

#include <doctest/doctest.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>

#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

namespace {

using futon::errc;
using futon::make_stream;
using futon::testing::manual_executor;

TEST_CASE("sink: dropped without an end, the consumer gets the items and then broken_promise") {
    manual_executor place;
    auto [out, in] = make_stream<int>(place, 1);
    CHECK(out.try_send(1).has_value());
    auto waiting = out.send(2);
    out = {};
    CHECK(*in.next().get() == 1);
    CHECK(*in.next().get() == 2);
    CHECK(in.next().get_result().error() == errc::broken_promise);
    CHECK(std::move(waiting).get_result().has_value());
}

TEST_CASE("sink: after its end and when empty it says so") {
    manual_executor place;
    auto [out, in] = make_stream<int>(place, 4);
    CHECK(out.is_open());
    out.close();
    out.fail({errc::unavailable});
    CHECK_FALSE(out.is_open());
    CHECK(out.send(1).get_result().error() == errc::already_satisfied);
    CHECK(out.try_send(1).error() == errc::already_satisfied);
    CHECK_FALSE(in.next().get().has_value());

    futon::sink<int> none;
    CHECK(none.send(1).get_result().error() == errc::no_state);
    CHECK(none.try_send(1).error() == errc::no_state);
    CHECK_FALSE(none.is_cancelled());
    none.close();
}

TEST_CASE("sink: an item that finds no room stays with the caller of try_send") {
    manual_executor place;
    auto [out, in] = make_stream<std::unique_ptr<int>>(place, 0);
    auto item = std::make_unique<int>(1);
    CHECK(out.try_send(std::move(item)).error() == errc::overloaded);
    CHECK(item != nullptr);
    in.cancel();
    CHECK(out.try_send(std::move(item)).error() == errc::cancelled);
    CHECK(item != nullptr);
}

TEST_CASE("sink: a cancelled send withdraws its item, and a place in line stays fair") {
    manual_executor place;
    auto [out, in] = make_stream<std::shared_ptr<int>>(place, 0);
    const auto item = std::make_shared<int>(1);
    auto first = out.send(item);
    auto second = out.send(std::make_shared<int>(2));
    first.cancel();
    CHECK(item.use_count() == 1);
    const auto why = std::move(first).get_result().error();
    CHECK(why == errc::cancelled);
    CHECK(why.ran() == futon::executed::no);
    CHECK(**in.next().get() == 2);
    CHECK(std::move(second).get_result().has_value());
}

TEST_CASE("sink: a producer that waits is woken on its executor, never inside next") {
    manual_executor place;
    auto [out, in] = make_stream<int>(place, 0);
    bool woken = false;
    auto stage = out.send(1).then([&] { woken = true; });
    CHECK(*in.next().get() == 1);
    CHECK_FALSE(woken);
    place.run_ready();
    CHECK(woken);
}

TEST_CASE("sink: its stop token fires when the consumer leaves") {
    manual_executor place;
    auto [out, in] = make_stream<int>(place, 0);
    bool told = false;
    const std::stop_callback callback{out.stop_token(), [&told] { told = true; }};
    in = {};
    CHECK(told);
}

TEST_CASE("sink: both ends work in coroutines of Asio") {
    asio::io_context io;
    auto [out, in] = make_stream<int>(nullptr, 1);
    int sum = 0;
    asio::co_spawn(
        io,
        [](futon::sink<int> to) -> asio::awaitable<void> {
            for (int i = 1; i <= 10; ++i) {
                auto sent = to.send(i);
                co_await std::move(sent)(futon::use_awaitable);
            }
            to.close();
        }(std::move(out)),
        asio::detached);
    asio::co_spawn(
        io,
        [](futon::stream<int> from, int& total) -> asio::awaitable<void> {
            while (auto item = co_await from.next(futon::use_awaitable)) total += *item;
            total *= 10;
        }(std::move(in), sum),
        asio::detached);
    io.run();
    CHECK(sum == 550);
}

}  // namespace
