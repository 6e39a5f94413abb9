// SPDX-License-Identifier: Apache-2.0
#include <futon/async/forward_stream.hpp>

#include "support/small_stack.hpp"

#include <futon/async/make_stream.hpp>
#include <futon/testing/manual_executor.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <thread>
#include <utility>

namespace {

using futon::errc;
using futon::make_stream;
using futon::testing::manual_executor;

// Two streams, of which the first goes into the second.
template <class T, class R = void>
struct relay {
    futon::sink<T, R> out;
    futon::stream<T, R> in;

    relay(const futon::executor_ref& where, std::size_t capacity) {
        auto first = make_stream<T, R>(where, capacity);
        auto second = futon::detail::make_intrusive<futon::detail::stream_state<T, R>>(capacity);
        auto target = futon::detail::make_intrusive<futon::detail::local_target<T, R>>(
            second, futon::detail::make_intrusive<futon::context>());
        out = std::move(first.out);
        in = futon::stream<T, R>{std::move(second), where};
        futon::detail::forward_stream<T, R>(std::move(first.in), std::move(target));
    }
};

TEST_CASE("forward_stream: items and the final result pass, with back-pressure") {
    manual_executor place;
    relay<std::unique_ptr<int>, int> r{place, 1};
    int sent = 0;
    while (r.out.try_send(std::make_unique<int>(sent))) ++sent;
    // One in each queue and one in between.
    CHECK(sent == 3);
    auto waits = r.out.send(std::make_unique<int>(3));
    CHECK_FALSE(waits.is_ready());
    r.out.close(7);
    for (int i = 0; i < 4; ++i) CHECK(**r.in.next().get() == i);
    CHECK_FALSE(r.in.next().get());
    CHECK(r.in.result().get() == 7);
}

TEST_CASE("forward_stream: an error passes after the items, a cancel passes back at once") {
    manual_executor place;
    relay<int> failing{place, 2};
    CHECK(failing.out.try_send(1).has_value());
    failing.out.fail({errc::unavailable});
    CHECK(*failing.in.next().get() == 1);
    CHECK(failing.in.next().get_result().error() == errc::unavailable);

    relay<int> waiting{place, 2};
    waiting.in.cancel();
    CHECK(waiting.out.is_cancelled());

    relay<int> full{place, 1};
    while (full.out.try_send(1)) continue;
    full.in = {};
    CHECK(full.out.is_cancelled());
}

TEST_CASE("forward_stream: passing many items takes no stack") {
    tests::on_small_stack([] {
        constexpr int many = tests::deep / 5;
        manual_executor place;
        relay<int> r{place, many};
        for (int i = 0; i < many; ++i) static_cast<void>(r.out.try_send(i));
        r.out.close();
        CHECK(std::move(r.in).collect(many).get().size() == static_cast<std::size_t>(many));
        relay<int> narrow{place, 0};
        auto all = std::move(narrow.in).collect(many);
        for (int i = 0; i < many; ++i) {
            if (!narrow.out.try_send(i)) FAIL("nobody waits");
        }
        narrow.out.close();
        CHECK(std::move(all).get().size() == static_cast<std::size_t>(many));
    });
}

TEST_CASE("forward_stream: producer, consumer and cancel race on three threads") {
    for (int round = 0; round < 500; ++round) {
        relay<int> r{nullptr, static_cast<std::size_t>(round % 3)};
        const auto handle = r.in.get_cancel_handle();
        std::thread producer{[out = std::move(r.out)]() mutable {
            for (int i = 0; i < 20; ++i)
                if (!out.send(i).get_result()) return;
            out.close();
        }};
        std::thread canceller{[&] {
            if (round % 4 != 0) handle.cancel();
        }};
        int next = 0;
        bool in_order = true;
        for (;;) {
            auto got = r.in.next().get_result();
            if (!got || !*got) break;
            in_order = in_order && **got == next++;
        }
        producer.join();
        canceller.join();
        REQUIRE(in_order);
        REQUIRE((next == 20 || round % 4 != 0));
    }
}

// What comes out of `from` at the far end of a relay.
template <class T>
futon::stream<T, void> passed_on(const futon::executor_ref& where, futon::stream<T, void> from) {
    auto second = futon::detail::make_intrusive<futon::detail::stream_state<T, void>>(std::size_t{4});
    auto target = futon::detail::make_intrusive<futon::detail::local_target<T, void>>(
        second, futon::detail::make_intrusive<futon::context>());
    futon::stream<T, void> in{std::move(second), where};
    futon::detail::forward_stream<T, void>(std::move(from), std::move(target));
    return in;
}

TEST_CASE("forward_stream: a map that fails on the last item is no clean end") {
    manual_executor place;
    auto [out, in] = make_stream<int>(place, 4);
    CHECK(out.try_send(1).has_value());
    CHECK(out.try_send(2).has_value());
    out.close();
    auto far = passed_on(place, std::move(in).map([](int i) {
        return i == 2 ? futon::result<int>{errc::internal} : futon::result<int>{i};
    }));
    place.run_ready();
    CHECK(*far.next().get() == 1);
    CHECK(far.next().get_result().error() == errc::internal);
}

TEST_CASE("forward_stream: where the executor of a map refuses, both sides end") {
    manual_executor place;
    manual_executor other;
    auto [out, in] = make_stream<int>(place, 4);
    auto far = passed_on(other, std::move(in).map([](int i) { return i; }));
    place.close();
    CHECK(out.try_send(1).has_value());
    CHECK(far.next().get_result().error() == errc::executor_rejected);
    CHECK(out.is_cancelled());
}

TEST_CASE("forward_stream: through a thousand of them items, the end and a cancel take no stack") {
    tests::on_small_stack([] {
        manual_executor place;
        for (const bool cancel : {false, true}) {
            auto [out, in] = make_stream<int>(place, 1);
            auto far = std::move(in);
            for (int i = 0; i < tests::deep / 100; ++i) far = passed_on(place, std::move(far));
            CHECK(out.try_send(1).has_value());
            CHECK(*far.next().get() == 1);
            if (cancel) {
                far.cancel();
                CHECK(out.is_cancelled());
                CHECK(far.next().get_result().error() == errc::cancelled);
            } else {
                out.close();
                CHECK_FALSE(far.next().get());
            }
        }
    });
}

}  // namespace
