// SPDX-License-Identifier: Apache-2.0
// A server process that dies: each call under way ends once, and says truthfully whether it may have run.

#include "integration/support/child_process.hpp"
#include "integration/support/echo.hpp"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <string>

using namespace futon_tests;

namespace {

constexpr std::size_t pipelined = 10'000;
constexpr std::size_t rounds = 20;

// What may have run must not run again, unless it is idempotent.
struct Counted {
    std::int64_t run(std::int64_t id);
    std::int64_t repeat(std::int64_t id);
};
FUTON_SERVICE(Counted, run, (repeat, futon::idempotent))

// Written by the server before it answers, read by the test when it is dead.
struct record {
    std::atomic<int> up;
    std::array<std::atomic<std::uint8_t>, pipelined * rounds> ran;
};

struct recorder {
    record* into;
    std::int64_t run(std::int64_t id) {
        into->ran[static_cast<std::size_t>(id)].fetch_add(1);
        return id;
    }
    std::int64_t repeat(std::int64_t id) { return run(id); }
};

TEST_CASE("child: a server that records what it ran" * doctest::skip()) {
    const auto address = told("FUTON_TEST_ADDRESS");
    if (address.empty()) return;  // Only as a child.
    shared_memory<record> shared{told("FUTON_TEST_RECORD")};
    auto options = quiet_server();
    options.listen = address;
    futon::server server{options};
    const bool on_pool = told("FUTON_TEST_PLACE") == "pool";
    server.provide<Counted>(recorder{shared.operator->()},
                            {.run_on = on_pool ? futon::run_on::pool : futon::run_on::io});
    server.start();
    shared->up.fetch_add(1);
    server.run();
}

struct outcome {
    std::atomic<int> times{0};
    std::optional<futon::error> why;
};

// One round's calls, and what the truth about them is.
struct batch {
    std::array<outcome, pipelined> calls;
    tally done;
};

void check_truth(const batch& of, const record& truth, std::size_t first, bool idempotent) {
    std::size_t twice = 0;
    std::size_t wrong = 0;
    std::size_t unexpected = 0;
    for (std::size_t i = 0; i < pipelined; ++i) {
        const auto& call = of.calls[i];
        const auto ran = truth.ran[first + i].load();
        if (call.times.load() != 1 || (ran > 1 && !idempotent)) ++twice;
        if (!call.why) {
            if (ran == 0) ++wrong;
            continue;
        }
        if (call.why->ran() == futon::executed::no && ran != 0) ++wrong;
        if (call.why->ran() == futon::executed::yes && ran == 0) ++wrong;
        if (!call.why->is(futon::cond::retryable)) {
            if (unexpected++ == 0) MESSAGE(call.why->describe());
        }
    }
    CHECK(twice == 0);
    CHECK(wrong == 0);
    CHECK(unexpected == 0);
}

TEST_CASE("integration: a server killed in the middle of 10 000 pipelined calls, 20 times over") {
    shared_memory<record> shared;
    const auto address = "unix://" + shared.path() + ".socket";
    const auto start = [&](std::size_t round) {
        return std::make_unique<child_process>(
            "child: a server that records what it ran",
            std::vector<std::string>{"FUTON_TEST_ADDRESS=" + address, "FUTON_TEST_RECORD=" + shared.path(),
                                     round % 4 == 3 ? "FUTON_TEST_PLACE=pool" : "FUTON_TEST_PLACE=io"});
    };
    auto options = to(address);
    options.reconnect.base = 5ms;
    options.reconnect.ceiling = 20ms;
    futon::client client{options};
    const auto stub = client.stub<Counted>();
    std::size_t values = 0;
    std::size_t cut = 0;
    auto server = start(0);
    int started = 1;
    for (std::size_t round = 0; round < rounds; ++round) {
        CAPTURE(round);
        REQUIRE(soon([&] { return shared->up.load() == started; }));
        client.wait_ready(ceiling).get();
        auto calls = std::make_shared<batch>();
        const auto first = round * pipelined;
        const bool idempotent = round % 4 >= 2;
        for (std::size_t i = 0; i < pipelined; ++i) {
            const auto id = static_cast<std::int64_t>(first + i);
            const auto ending = [calls, i](futon::result<std::int64_t> got) {
                auto& mine = calls->calls[i];
                if (!got) mine.why = std::move(got).error();
                mine.times.fetch_add(1);
                calls->done.add();
            };
            idempotent ? stub.repeat(id, ending) : stub.run(id, ending);
        }
        // Some rounds at once, the others anywhere up to near the end.
        REQUIRE(calls->done.reaches(round < 3 ? round : (round * 1973) % pipelined));
        server->kill(SIGKILL);
        server->wait();
        // In odd rounds the successor comes while calls still wait, and takes those that were never sent.
        const bool at_once = round % 2 == 1;
        if (at_once) server = start(round + 1), ++started;
        REQUIRE(calls->done.reaches(pipelined));
        if (!at_once) server = start(round + 1), ++started;
        check_truth(*calls, *shared.operator->(), first, idempotent);
        for (const auto& each : calls->calls) ++(each.why ? cut : values);
    }
    MESSAGE(values << " answered, " << cut << " cut");
    CHECK(values > 0);
    CHECK(cut > 0);
    const auto seen = client.stats();
    CHECK(seen.calls == pipelined * rounds);
    CHECK(seen.succeeded + seen.failed == seen.calls);
    server.reset();
    ::unlink((shared.path() + ".socket").c_str());
}

}  // namespace
