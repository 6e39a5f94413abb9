// SPDX-License-Identifier: Apache-2.0
#include <futon/async/stream_state.hpp>

#include "support/small_stack.hpp"

#include <futon/async/make_stream.hpp>
#include <futon/async/stream.hpp>
#include <futon/core/runtime.hpp>
#include <futon/testing/manual_executor.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

namespace {

using futon::errc;
using futon::detail::intrusive_ptr;
using futon::detail::make_intrusive;
using futon::detail::stream_source;
using futon::detail::stream_state;
using futon::testing::manual_executor;

struct recorded_source final : stream_source {
    std::atomic<std::size_t> taken{0};
    std::atomic<int> cancels{0};
    void consumed(std::size_t cost) noexcept override { taken += cost; }
    void cancel(const futon::error&) noexcept override { ++cancels; }
};

template <class T, class R = void>
struct pushed_stream {
    intrusive_ptr<recorded_source> source = make_intrusive<recorded_source>();
    intrusive_ptr<stream_state<T, R>> state = make_intrusive<stream_state<T, R>>();
    futon::stream<T, R> in;

    explicit pushed_stream(futon::executor_ref where) : in{state, std::move(where)} { state->attach_source(source); }
};

TEST_CASE("stream_state: the source is told the cost of an item when it is taken, waited for or not") {
    manual_executor place;
    pushed_stream<int> s{place};
    CHECK(s.state->push(1, 100));
    CHECK(s.state->push(2, 20));
    CHECK(s.source->taken == 0);
    CHECK(*s.in.next().get() == 1);
    CHECK(s.source->taken == 100);
    CHECK(*s.in.next().get() == 2);
    auto waits = s.in.next();
    CHECK(s.state->push(3, 3));
    CHECK(s.source->taken == 123);
    CHECK(*std::move(waits).get() == 3);
}

TEST_CASE("stream_state: items that only the end is wanted of are consumed as they come") {
    manual_executor place;
    pushed_stream<int, int> s{place};
    CHECK(s.state->push(1, 100));
    auto last = std::move(s.in).result();
    CHECK(s.source->taken == 100);
    CHECK(s.state->push(2, 5));
    CHECK(s.source->taken == 105);
    CHECK(s.state->end(7));
    CHECK(std::move(last).get() == 7);
    CHECK(s.source->cancels == 0);
    CHECK(s.source->unique());
}

TEST_CASE("stream_state: a cancel tells the source once and lets go of it; what comes late is dropped") {
    manual_executor place;
    pushed_stream<std::shared_ptr<int>> s{place};
    const auto item = std::make_shared<int>();
    CHECK(s.state->push(item, 1));
    s.in.cancel();
    s.in.cancel();
    CHECK(s.source->cancels == 1);
    CHECK(s.source->taken == 0);
    CHECK(s.source->unique());
    CHECK_FALSE(s.state->push(item, 1));
    CHECK_FALSE(s.state->end({}));
    CHECK(item.use_count() == 1);
}

TEST_CASE("stream_state: a source that ended the stream is not told of a cancel") {
    manual_executor place;
    pushed_stream<int> s{place};
    CHECK(s.state->push(1, 1));
    CHECK(s.state->end(errc::connection_lost));
    CHECK(s.source->unique());
    s.in.cancel();
    CHECK(s.source->cancels == 0);
    CHECK(s.in.next().get_result().error() == errc::cancelled);
}

TEST_CASE("stream_state: an abort drops what is queued and says why") {
    manual_executor place;
    pushed_stream<int> s{place};
    CHECK(s.state->push(1, 1));
    s.state->abort({errc::deadline_exceeded});
    CHECK(s.source->cancels == 1);
    CHECK(s.in.next().get_result().error() == errc::deadline_exceeded);
}

TEST_CASE("stream_state: a dropped item's destructor may push into, end and cancel its stream") {
    struct meddler {
        intrusive_ptr<stream_state<std::shared_ptr<meddler>, void>> state;
        int* destroyed;
        ~meddler() {
            ++*destroyed;
            state->push(nullptr, 1);
            state->end({});
            state->cancel();
        }
    };
    manual_executor place;
    int destroyed = 0;
    pushed_stream<std::shared_ptr<meddler>> s{place};
    for (int i = 0; i < 3; ++i) CHECK(s.state->push(std::shared_ptr<meddler>{new meddler{s.state, &destroyed}}, 1));
    s.in.cancel();
    CHECK(destroyed == 3);
}

constexpr int rounds = 2000;

// What a consumer saw of a stream of 1, 2, 3...
struct seen_items {
    int count = 0;
    bool in_order = true;
    std::optional<futon::error> error;

    bool see(futon::result<std::optional<int>> got) {
        if (!got) {
            error = std::move(got).error();
            return false;
        }
        if (!*got) return false;
        in_order = in_order && **got == ++count;
        return true;
    }
};

TEST_CASE("stream_state: a producer, a consumer and a cancel race on three threads") {
    int uncancelled = 0;
    for (int round = 0; round < rounds; ++round) {
        auto [out, in] = futon::make_stream<int>(nullptr, static_cast<std::size_t>(round % 4));
        const auto handle = in.get_cancel_handle();
        constexpr int items = 20;
        seen_items seen;
        int sent = 0;
        std::atomic<int> go{0};
        const auto meet = [&go] {
            ++go;
            while (go < 3) std::this_thread::yield();
        };
        std::thread producer{[&, out = std::move(out)]() mutable {
            meet();
            while (sent < items && out.send(sent + 1).get_result()) ++sent;
            out.close();
        }};
        std::thread consumer{[&, in = std::move(in)]() mutable {
            meet();
            while (seen.see(in.next().get_result())) continue;
        }};
        meet();
        for (int i = 0; i < (round * 37) % 2000; ++i) std::atomic_signal_fence(std::memory_order_seq_cst);
        if (round % 5 != 0) handle.cancel();
        producer.join();
        consumer.join();
        REQUIRE(seen.in_order);
        REQUIRE(seen.count <= sent);
        if (seen.error) {
            REQUIRE(*seen.error == errc::cancelled);
        } else {
            REQUIRE(seen.count == items);
            ++uncancelled;
        }
    }
    CHECK(uncancelled >= rounds / 5);
}

TEST_CASE("stream_state: pushes race with waits that are cancelled, and no item is lost") {
    for (int round = 0; round < rounds / 10; ++round) {
        pushed_stream<int> s{nullptr};
        constexpr int items = 200;
        std::thread producer{[state = s.state] {
            for (int i = 1; i <= items; ++i) state->push(i, 1);
            state->end({});
        }};
        seen_items seen;
        for (;;) {
            auto item = s.in.next();
            // Cancelled before anything else waits for it: it has its item then, or none was taken for it.
            item.cancel();
            auto got = std::move(item).get_result();
            if (!got && got.error() == errc::cancelled) continue;
            if (!seen.see(std::move(got))) break;
        }
        producer.join();
        REQUIRE(seen.in_order);
        REQUIRE(seen.count == items);
        // Nobody is told of what is taken after the end.
        REQUIRE(s.source->taken <= items);
    }
}

TEST_CASE(
    "stream_state: a loop on a pool races with its producer, with cancels of both and with the drop of either end") {
    futon::runtime threads{{.io_threads = 1}};
    const futon::executor_ref pool = threads.pool();
    for (int round = 0; round < rounds / 4; ++round) {
        auto [out, in] = futon::make_stream<int>(pool, 2);
        std::atomic<int> calls{0};
        auto done = std::move(in).map([](int i) { return i; }).for_each(3, [&, pool](int) {
            ++calls;
            return futon::make_ready(pool).then([] {});
        });
        const auto handle = done.get_cancel_handle();
        std::thread producer{[&, out = std::move(out)]() mutable {
            for (int i = 0; i < 20; ++i)
                if (!out.send(i).get_result()) return;
            if (round % 3 != 0) out.close();
        }};
        if (round % 2 != 0) handle.cancel();
        const auto ended = std::move(done).get_result();
        producer.join();
        if (ended) {
            REQUIRE(round % 3 != 0);
            REQUIRE(calls == 20);
        } else {
            const bool was_dropped = round % 3 == 0 && ended.error() == errc::broken_promise;
            const bool was_cancelled = round % 2 != 0 && ended.error() == errc::cancelled;
            REQUIRE((was_dropped || was_cancelled));
        }
    }
}

struct counted {
    inline static std::atomic<int> alive{0};
    inline static std::atomic<int> most{0};
    counted() {
        // Made by one thread only.
        const int now = ++alive;
        if (now > most) most = now;
    }
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;
    ~counted() { --alive; }
};

TEST_CASE("stream_state: a slow consumer bounds the memory of a fast producer") {
    constexpr int items = 20'000;
    auto [out, in] = futon::make_stream<std::unique_ptr<counted>>(nullptr, 8);
    std::thread producer{[out = std::move(out)]() mutable {
        for (int i = 0; i < items; ++i)
            if (!out.send(std::make_unique<counted>()).get_result()) return;
        out.close();
    }};
    int got = 0;
    while (in.next().get()) {
        ++got;
        if (got % 64 == 0) std::this_thread::yield();
    }
    producer.join();
    CHECK(got == items);
    CHECK(counted::alive == 0);
    // Eight queued, one that waits for room, and one in the consumer's hand.
    CHECK(counted::most <= 8 + 1 + 1);
}

TEST_CASE("stream_state: a final result that nobody will see may cancel its stream as it goes") {
    struct cancels {
        futon::cancel_handle* handle;
        explicit cancels(futon::cancel_handle& of) : handle{&of} {}
        cancels(cancels&& other) noexcept : handle{std::exchange(other.handle, nullptr)} {}
        cancels& operator=(cancels&&) = delete;
        ~cancels() {
            if (handle) handle->cancel();
        }
    };
    manual_executor place;
    futon::cancel_handle handle;
    auto [out, in] = futon::make_stream<int, cancels>(place, 4);
    handle = in.get_cancel_handle();
    CHECK(out.try_send(1));
    out.close(handle);
    in.cancel();
    CHECK(in.next().get_result().error() == errc::cancelled);
}

}  // namespace
