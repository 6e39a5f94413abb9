// SPDX-License-Identifier: Apache-2.0
// The end of a client: whatever it had under way completes, once.

#include "integration/support/served.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

using namespace futon_tests;

namespace {

constexpr std::size_t many = 1000;

// How each of many calls ended. Shared with the callbacks, which may come after the test's own frame.
struct endings {
    explicit endings(std::size_t count) : times(count), errors(count) {}
    auto ending(std::size_t i, const std::shared_ptr<endings>& keep) {
        return [keep, i](futon::result<std::int64_t> got) {
            keep->times[i].fetch_add(1);
            if (!got) keep->errors[i] = std::move(got).error();
            keep->all.add();
        };
    }
    [[nodiscard]] bool each_once() const {
        return std::all_of(times.begin(), times.end(), [](const auto& n) { return n.load() == 1; });
    }
    [[nodiscard]] std::size_t count(futon::errc code) const {
        return static_cast<std::size_t>(
            std::count_if(errors.begin(), errors.end(), [&](const auto& e) { return e && *e == code; }));
    }

    std::vector<std::atomic<int>> times;
    std::vector<std::optional<futon::error>> errors;
    tally all;
};

TEST_CASE("client: destroyed with 1000 calls at the server, each completes once with client_closed") {
    echo_server at{quiet_server()};
    auto seen = std::make_shared<endings>(many);
    {
        futon::client client{to(at.address())};
        auto stub = client.stub<Echo>();
        for (std::size_t i = 0; i < many; ++i) stub.hold(1, seen->ending(i, seen));
        REQUIRE(at.service->arrived.reaches(many));
    }
    REQUIRE(seen->all.reaches(many));
    CHECK(seen->each_once());
    CHECK(seen->count(futon::errc::client_closed) == many);
    for (const auto& why : seen->errors) CHECK(why->ran() == futon::executed::maybe);
    // The server learns that nobody waits any more.
    CHECK(soon([&] { return at.service->stopped() == many; }));
}

TEST_CASE("client: closed or destroyed with several I/O threads, each callback and stage runs once with client_closed") {
    echo_server at{quiet_server()};
    for (const bool closes : {false, true}) {
        for (const std::size_t threads : {2u, 4u}) {
            CAPTURE(closes);
            CAPTURE(threads);
            std::atomic<std::size_t> callbacks{0};
            std::atomic<std::size_t> stages{0};
            std::atomic<std::size_t> otherwise{0};
            const auto is_closed = [&](const futon::error& why) {
                if (why != futon::errc::client_closed) ++otherwise;
            };
            {
                auto options = to(at.address());
                options.connections_per_endpoint = threads;
                options.threads.io_threads = threads;
                options.threads.on_unhandled_error = [&](const futon::error&) { ++otherwise; };
                futon::client client{std::move(options)};
                auto stub = client.stub<Echo>();
                const auto before = at.service->arrived.count();
                for (std::size_t i = 0; i < many; ++i) {
                    if (i % 2 == 0) {
                        stub.hold(1).on_complete([&](const futon::result<std::int64_t>& got) {
                            got ? void(++otherwise) : is_closed(got.error());
                            ++callbacks;
                        });
                    } else {
                        stub.hold(1)
                            .recover([&](const futon::error& why) {
                                is_closed(why);
                                ++stages;
                                return std::int64_t{0};
                            })
                            .ignore();
                    }
                }
                REQUIRE(at.service->arrived.reaches(before + many));
                if (closes) client.close();
            }
            CHECK(callbacks == many / 2);
            CHECK(stages == many / 2);
            CHECK(otherwise == 0);
        }
    }
}

TEST_CASE("client: destroyed while it connects, it warns of nothing") {
    echo_server at{quiet_server()};
    std::atomic<int> warnings{0};
    for (int round = 0; round < 50; ++round) {
        auto options = to(at.address());
        options.threads.log = [&](const futon::log_record&) { ++warnings; };
        options.threads.least = futon::log_level::warning;
        futon::client client{std::move(options)};
        client.stub<Echo>().echo(1).ignore();
    }
    CHECK(warnings == 0);
}

TEST_CASE("client: destroyed while its calls wait for a connection, each completes once as not executed") {
    auto seen = std::make_shared<endings>(many);
    {
            auto options = to("tcp://127.0.0.1:1");
        options.wait_for_ready = true;
        futon::client client{options};
        auto stub = client.stub<Echo>();
        for (std::size_t i = 0; i < many; ++i) stub.echo(1, seen->ending(i, seen));
        // Calls leave the queue for a moment each time an attempt to connect fails.
        CHECK(soon([&] { return client.stats().queued == many; }));
    }
    REQUIRE(seen->all.reaches(many));
    CHECK(seen->each_once());
    CHECK(seen->count(futon::errc::client_closed) == many);
    for (const auto& why : seen->errors) CHECK(why->ran() == futon::executed::no);
}

TEST_CASE("client: destroyed while replies stream in, each call completes once, with a value or client_closed") {
    echo_server at{quiet_server()};
    for (int round = 0; round < 20; ++round) {
        auto seen = std::make_shared<endings>(many);
        {
            futon::client client{to(at.address())};
            auto stub = client.stub<Echo>();
            for (std::size_t i = 0; i < many; ++i) stub.echo(1, seen->ending(i, seen));
            REQUIRE(seen->all.reaches(static_cast<std::size_t>(round) * 40));
        }
        REQUIRE(seen->all.reaches(many));
        CHECK(seen->each_once());
        for (const auto& why : seen->errors)
            if (why) CHECK(*why == futon::errc::client_closed);
    }
}

TEST_CASE("client: destroyed on its own I/O thread from inside a callback") {
    echo_server at{quiet_server()};
    for (int round = 0; round < 20; ++round) {
        auto seen = std::make_shared<endings>(many);
        auto client = std::make_shared<std::optional<futon::client>>(std::in_place, to(at.address()));
        auto stub = (*client)->stub<Echo>();
        auto after = std::make_shared<std::optional<futon::error>>();
        for (std::size_t i = 0; i < many; ++i) {
            stub.hold(1, [seen, i, client, stub, after,
                          once = seen->ending(i, seen)](futon::result<std::int64_t> got) mutable {
                if (i == 100) {
                    client->reset();
                    // A call on the stub of a client that is gone.
                    stub.echo(2, [after](futon::result<std::int64_t> late) { *after = late.error(); });
                }
                once(std::move(got));
            });
        }
        REQUIRE(at.service->arrived.reaches(many * static_cast<std::size_t>(round + 1)));
        at.service->release();
        REQUIRE(seen->all.reaches(many));
        CHECK(seen->each_once());
    }
}

TEST_CASE("client: destroyed by a callback that its own destruction completes") {
    echo_server at{quiet_server()};
    tally done;
    auto other = std::make_shared<std::optional<futon::client>>(std::in_place, to(at.address()));
    auto others_call = (*other)->stub<Echo>().hold(1);
    {
        futon::client client{to(at.address())};
        client.stub<Echo>().hold(1, [&, other](futon::result<std::int64_t>) {
            other->reset();
            done.add();
        });
        REQUIRE(at.service->arrived.reaches(2));
    }
    REQUIRE(done.reaches(1));
    CHECK(error_of(std::move(others_call)) == futon::errc::client_closed);
}

TEST_CASE("client: a stub that outlives its client answers client_closed at once") {
    echo_server at{quiet_server()};
    std::optional<futon::stub<Echo>> stub;
    {
        futon::client client{to(at.address())};
        stub = client.stub<Echo>();
        CHECK(stub->echo(5).get() == 5);
    }
    auto late = stub->echo(6).get_result();
    REQUIRE(!late.has_value());
    CHECK(late.error() == futon::errc::client_closed);
    CHECK(late.error().ran() == futon::executed::no);
    CHECK(stub->note(1, futon::oneway).error() == futon::errc::client_closed);
}

TEST_CASE("client: a future that outlives its client and runtime is ready, and its stages fail") {
    echo_server at{quiet_server()};
    std::optional<futon::future<std::int64_t>> kept;
    std::optional<futon::future<std::int64_t>> chained;
    {
        futon::client client{to(at.address())};
        auto stub = client.stub<Echo>();
        kept = stub.hold(1);
        chained = stub.hold(2);
        REQUIRE(at.service->arrived.reaches(2));
    }
    CHECK(error_of(std::move(*kept)) == futon::errc::client_closed);
    // Its executor is gone, so a stage cannot run; it must neither hang nor run elsewhere.
    bool ran = false;
    auto after = std::move(*chained).recover([&](const futon::error&) {
        ran = true;
        return std::int64_t{0};
    });
    CHECK(error_of(std::move(after)) == futon::errc::executor_rejected);
    CHECK_FALSE(ran);
}

TEST_CASE("client: destroyed while other threads call, each of their calls has one result") {
    echo_server at{quiet_server()};
    for (int round = 0; round < 10; ++round) {
        auto client = std::make_shared<futon::client>(to(at.address()));
        std::vector<std::thread> callers;
        std::atomic<std::size_t> values{0};
        std::atomic<std::size_t> closed{0};
        tally begun;
        for (std::size_t t = 0; t < 4; ++t) {
            callers.emplace_back([&, stub = client->stub<Echo>()] {
                std::vector<futon::future<std::int64_t>> made;
                for (std::size_t i = 0; i < 250; ++i) {
                    made.push_back(stub.echo(1));
                    if (i == 50) begun.add();
                }
                for (auto& each : made) {
                    auto got = std::move(each).get_result();
                    if (got) {
                        ++values;
                    } else if (got.error() == futon::errc::client_closed) {
                        ++closed;
                    }
                }
            });
        }
        REQUIRE(begun.reaches(2));
        client.reset();
        for (auto& each : callers) each.join();
        CHECK(values + closed == 1000);
    }
}

TEST_CASE("client: a callback that no executor is left for is destroyed and reported, not lost in silence") {
    echo_server at{quiet_server()};
    std::atomic<int> reported{0};
    auto options = to(at.address());
    options.threads.on_unhandled_error = [&](const futon::error& why) {
        reported += why == futon::errc::executor_rejected ? 1 : 0;
    };
    std::optional<futon::stub<Echo>> stub;
    {
        futon::client client{options};
        stub = client.stub<Echo>();
    }
    auto token = std::make_shared<int>();
    bool ran = false;
    stub->echo(1, [token, &ran](const futon::result<std::int64_t>&) { ran = true; });
    CHECK(token.use_count() == 1);
    CHECK_FALSE(ran);
    CHECK(reported == 1);
}

TEST_CASE("client: a call that waits to be tried again ends when it is cancelled, and with the client") {
    auto full = quiet_server();
    full.limits.max_server_in_flight = 0;
    echo_server at{full};
    for (const bool shared : {false, true}) {
        auto options = to(at.address());
        options.timeout = futon::duration::max();
        options.retry.base = options.retry.ceiling = 1h;
        std::optional<futon::runtime> runtime;
        if (shared) runtime.emplace();
        options.runtime = runtime;
        std::optional<futon::client> client{std::in_place, options};
        auto cancelled = client->stub<Echo>().hold(1);
        auto closed = client->stub<Echo>().hold(2);
        REQUIRE(soon([&] { return client->stats().retries == 2; }));
        cancelled.cancel();
        CHECK(cancelled.wait_for(ceiling));
        CHECK(error_of(std::move(cancelled)) == futon::errc::cancelled);
        CHECK_FALSE(closed.is_ready());
        client.reset();
        const auto why = error_of(std::move(closed));
        CHECK(why == futon::errc::client_closed);
        CHECK(why.ran() == futon::executed::no);
    }
}

TEST_CASE("client: get() on its I/O thread is refused at once") {
    echo_server at{quiet_server()};
    futon::client client{to(at.address())};
    auto stub = client.stub<Echo>();
    auto inner = stub.echo(1).then([stub](std::int64_t) {
        auto got = stub.echo(2).get_result();
        return std::string{got ? "a value" : name(static_cast<futon::errc>(got.error().code().value()))};
    });
    CHECK(std::move(inner).get() == "would_deadlock");
}

TEST_CASE("client: the last copy of a shared runtime goes with the client") {
    echo_server at{quiet_server()};
    for (int round = 0; round < 20; ++round) {
        futon::future<std::int64_t> left;
        {
            auto options = to(at.address());
            options.runtime = futon::runtime{};
            futon::client client{options};
            options.runtime.reset();
            auto stub = client.stub<Echo>();
            CHECK(stub.echo(1).get() == 1);
            left = stub.hold(1);
        }
        CHECK(error_of(std::move(left)) == futon::errc::client_closed);
    }
}

}  // namespace
