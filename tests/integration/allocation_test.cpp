// SPDX-License-Identifier: Apache-2.0
#include <futon/futon.hpp>
#include <futon/session/session.hpp>
#include <futon/wire/futon_protocol.hpp>

#include "integration/support/served.hpp"
#include "support/small_stack.hpp"

#include <doctest/doctest.h>

#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <latch>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#ifdef __GLIBC__
#include <malloc.h>
#endif

// Sanitizers have an operator new of their own, which finds more than this one counts.
#if !TESTS_INSTRUMENTED

namespace counting_calls {
static std::atomic<long> allocations{0};
}  // namespace counting_calls

// Counts for the whole executable; behaves as the one it replaces.
[[gnu::noinline]] void* operator new(std::size_t size) {
    counting_calls::allocations.fetch_add(1, std::memory_order_relaxed);
    if (void* memory = std::malloc(size)) return memory;
    throw std::bad_alloc{};
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    counting_calls::allocations.fetch_add(1, std::memory_order_relaxed);
    return std::malloc(size);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

using counting_calls::allocations;

struct Sum {
    std::int64_t add(std::int64_t a, std::int64_t b);
};
FUTON_SERVICE(Sum, add)

struct sum {
    std::int64_t add(std::int64_t a, std::int64_t b) { return a + b; }
};

// Client and server with one I/O thread each, in this process: what is counted is both sides of every call.
constexpr int in_flight = 64;
constexpr int warm_up = 20'000;
constexpr int counted = 20'000;

/// Counts completions, and between the first `warm_up` and the
/// last notes what was allocated. On the client's I/O thread.
class course {
public:
    /// Whether to make another call.
    bool completed() {
        ++done_;
        if (done_ == warm_up) before_ = allocations.load();
        if (done_ == warm_up + counted) {
            allocated_ = allocations.load() - before_;
            over_.count_down();
        }
        if (done_ > warm_up + counted) ended_.count_down();
        return done_ < warm_up + counted;
    }
    long wait() {
        over_.wait();
        ended_.wait();
        return allocated_;
    }

private:
    int done_ = 0;
    long before_ = 0;
    long allocated_ = 0;
    std::latch over_{1};
    std::latch ended_{in_flight - 1};  // Calls that were under way when the last one was counted.
};

struct bench : futon_tests::served<Sum> {
    bench() : served{sum{}, {.run_on = futon::run_on::io}, one_thread()} {}
    static futon::server_options one_thread() {
        auto options = futon_tests::quiet_server();
        options.io_threads = 1;
        return options;
    }
};

// A few blocks may still be on their way between threads: less than one in a thousand calls, where one in each call
// would be 20 000.
constexpr long hardly_any = counted / 1000;

void call_back(const futon::stub<Sum>& to, course& runs) {
    to.add(1, 2, [&to, &runs](futon::result<std::int64_t> got) {
        if (got && runs.completed()) call_back(to, runs);
    });
}

TEST_CASE("allocation: calls by callback allocate nothing on either side, 64 in flight") {
    bench at;
    course runs;
    for (int i = 0; i < in_flight; ++i) call_back(at.stub, runs);
    const auto allocated = runs.wait();
    MESSAGE("allocations in ", counted, " calls by callback: ", allocated);
    CHECK(allocated <= hardly_any);
}

void call_by_future(const futon::stub<Sum>& to, course& runs) {
    to.add(1, 2).then([](std::int64_t n) { return n + 1; }).on_complete([&to, &runs](futon::result<std::int64_t> got) {
        if (got && runs.completed()) call_by_future(to, runs);
    });
}

TEST_CASE("allocation: calls by future with a stage allocate nothing, since their blocks are used again") {
    bench at;
    course runs;
    for (int i = 0; i < in_flight; ++i) call_by_future(at.stub, runs);
    const auto allocated = runs.wait();
    MESSAGE("allocations in ", counted, " calls by future with one stage: ", allocated);
    CHECK(allocated <= hardly_any);
}

futon::task<void> call_in_task(futon::stub<Sum> to, course& runs) {
    for (bool more = true; more;) {
        co_await to.add(1, 2);
        more = runs.completed();
    }
}

TEST_CASE("allocation: calls that are awaited in a task allocate nothing") {
    bench at;
    course runs;
    const auto place = at.stub.add(0, 0).executor();
    for (int i = 0; i < in_flight; ++i) futon::spawn(place, call_in_task(at.stub, runs)).detach();
    const auto allocated = runs.wait();
    MESSAGE("allocations in ", counted, " calls by a task: ", allocated);
    CHECK(allocated <= hardly_any);
}

asio::awaitable<void> call_in_awaitable(futon::stub<Sum> to, course& runs) {
    for (bool more = true; more;) {
        co_await to.add(1, 2, futon::use_awaitable);
        more = runs.completed();
    }
}

#ifdef __GLIBC__
// Clients that only say hello: what stands on the heap of this process is the server's.
TEST_CASE("allocation: an idle connection holds less than 4.5 KiB of the server's heap") {
    futon::session<futon::futon_protocol> opener{{.role = futon::side::opener}, futon::clock::now()};
    futon::bytes hello;
    for (const auto part : opener.to_send()) hello.insert(hello.end(), part.begin(), part.end());
    futon::server server{bench::one_thread()};
    server.start();
    const auto& address = server.addresses().front();
    asio::io_context unused;
    std::vector<asio::ip::tcp::socket> clients;
    const auto connect = [&](std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            auto& made = clients.emplace_back(unused);
            made.connect({asio::ip::make_address(address.host), address.port});
            asio::write(made, asio::buffer(hello));
        }
        while (server.stats().wire.bytes_received < clients.size() * hello.size()) std::this_thread::yield();
    };
    constexpr std::size_t count = 100;
    clients.reserve(2 * count);
    connect(count);  // What the first ones need is not theirs alone.
    const auto before = ::mallinfo2().uordblks;
    connect(count);
    const auto each = (::mallinfo2().uordblks - before) / count;
    MESSAGE("heap of an idle connection: ", each, " bytes");
    CHECK(each > 1000);
    CHECK(each < 4608);
}
#endif

TEST_CASE("allocation: calls with use_awaitable allocate nothing") {
    bench at;
    course runs;
    const auto place = at.stub.add(0, 0).executor();
    for (int i = 0; i < in_flight; ++i) futon::spawn(place, call_in_awaitable(at.stub, runs)).detach();
    const auto allocated = runs.wait();
    MESSAGE("allocations in ", counted, " calls with use_awaitable: ", allocated);
    CHECK(allocated <= hardly_any);
}

}  // namespace
#endif
