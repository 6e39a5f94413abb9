// SPDX-License-Identifier: Apache-2.0

/// \file
/// Work that is counted instead of timed: how much one encoding, one call, one future or one pick allocates, and under
/// `valgrind --tool=callgrind --instr-atstart=no` how many instructions it takes. There are no sockets and no threads,
/// so that two runs count the same; `scripts/check_counts.sh` compares them with what they were.
///
/// Prints JSON: what it was built with, which decides the counts,
/// and each operation with its allocations and how often it ran.

#include "support/counters.hpp"
#include "support/statistics.hpp"

#include <futon/async.hpp>
#include <futon/cluster/least_request.hpp>
#include <futon/cluster/node_table.hpp>
#include <futon/cluster/round_robin.hpp>
#include <futon/cluster/route_cache.hpp>
#include <futon/core/asio.hpp>
#include <futon/futon.hpp>
#include <futon/registry/memory_registry.hpp>
#include <futon/session/session.hpp>
#include <futon/testing/manual_executor.hpp>
#include <futon/testing/simulation.hpp>
#include <futon/wire/decode.hpp>
#include <futon/wire/encode.hpp>
#include <futon/wire/futon_protocol.hpp>

#include <asio/version.hpp>
#include <msgpack/version.hpp>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_START_INSTRUMENTATION
#define CALLGRIND_STOP_INSTRUMENTATION
#define CALLGRIND_ZERO_STATS
#define CALLGRIND_DUMP_STATS_AT(name)
#endif
#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr int warm_up = 40;
constexpr int counted = 40;
constexpr std::size_t in_flight = 64;

[[noreturn]] void fail(const char* what) {
    std::fprintf(stderr, "benchmark: %s\n", what);
    std::_Exit(3);
}

class report {
public:
    report() { json_.open('{').add("built_with", built_with()).open('[', "operations"); }
    /// `turn` does the operation `times` times.
    void count(const char* name, std::size_t times, const std::function<void()>& turn) {
        for (int i = 0; i < warm_up; ++i) turn();
        benchmark::counters seen;
        benchmark::counted = &seen;
        CALLGRIND_START_INSTRUMENTATION;
        CALLGRIND_ZERO_STATS;
        for (int i = 0; i < counted; ++i) turn();
        CALLGRIND_DUMP_STATS_AT(name);
        CALLGRIND_STOP_INSTRUMENTATION;
        benchmark::counted = nullptr;
        const auto all = static_cast<double>(times * counted);
        json_.open('{').add("name", name).add("times", all);
        json_.add("allocations", static_cast<double>(seen.allocations.load()) / all).close('}');
    }
    void print() { std::printf("%s\n", json_.close(']').close('}').text().c_str()); }

private:
    static std::string built_with() {
#if defined(__clang__)
        std::string text = "clang " + std::to_string(__clang_major__) + "." + std::to_string(__clang_minor__);
#else
        std::string text = "g++ " + std::to_string(__GNUC__) + "." + std::to_string(__GNUC_MINOR__);
#endif
#if defined(__x86_64__)
        text += ", x86-64";
#endif
#ifdef __GLIBCXX__
        text += ", libstdc++ " + std::to_string(__GLIBCXX__);
#endif
#ifdef __GLIBC__
        text += std::string{", glibc "} + gnu_get_libc_version();
#endif
        text += ", Asio " + std::to_string(ASIO_VERSION / 100000) + "." + std::to_string(ASIO_VERSION / 100 % 1000) +
                "." + std::to_string(ASIO_VERSION % 100);
        return text + ", msgpack-cxx " + MSGPACK_VERSION;
    }
    benchmark::json_writer json_;
};

// Values.

struct line {
    std::string article;
    std::int64_t cents = 0;
    int pieces = 0;
};
struct order {
    std::string customer;
    std::vector<line> lines;
    bool paid = false;
};

void count_values(report& to) {
    const std::string text(128, 'x');
    const order one{"Ada Lovelace", {{"engine", 129'900, 1}, {"punched card", 5, 1000}, {"lamp", 2'450, 3}}, true};
    futon::byte_buffer out;
    to.count("encode a text", 1, [&] {
        out.clear();
        futon::encode_arguments(out, text);
    });
    const futon::bytes text_bytes(out.view().begin(), out.view().end());
    to.count("decode a text", 1, [&] {
        if (!futon::decode_arguments<std::string_view>(text_bytes)) fail("a text was not decoded");
    });
    to.count("encode a struct of 12 values", 1, [&] {
        out.clear();
        futon::encode(out, one);
    });
    const futon::bytes order_bytes(out.view().begin(), out.view().end());
    to.count("decode a struct of 12 values", 1, [&] {
        if (!futon::decode<order>(order_bytes)) fail("a struct was not decoded");
    });
}

// Sessions.

using machine = futon::session<futon::futon_protocol>;

/// What a socket would do, without memory of its own.
void carry(machine& from, futon::byte_buffer& to, futon::time_point now) {
    for (auto parts = from.to_send(); !parts.empty(); parts = from.to_send()) {
        std::size_t count = 0;
        for (const auto part : parts) {
            to.append(part);
            count += part.size();
        }
        from.sent(count, now);
    }
}

void count_sessions(report& to) {
    futon::time_point now{100s};
    machine client{{.role = futon::side::opener}, now};
    machine server{{.role = futon::side::acceptor}, now};
    futon::byte_buffer to_client, to_server;
    futon::method_info method;
    method.service = method.name = "m";
    std::array<futon::detail::intrusive_ptr<futon::detail::call>, in_flight> calls;
    for (auto& each : calls) {
        each = futon::detail::intrusive_ptr<futon::detail::call>::adopt(
            new futon::detail::call{nullptr, nullptr, nullptr});
        each->request.method = &method;
        each->request.arguments.append(futon::as_bytes(std::string(128, 'x')));
    }
    to.count("two sessions: a call and its reply", in_flight, [&] {
        now += 1ms;
        for (auto& each : calls) {
            each->request.deadline = now + 3s;
            auto given = each;
            if (!client.start(given, now)) fail("a session refused a call");
        }
        carry(client, to_server, now);
        for (auto& event : server.receive(to_server, now)) {
            if (event.what != futon::event::kind::request) continue;
            server.begin_reply(event.id, {})->append(event.body);
            server.end_reply();
        }
        carry(server, to_client, now);
        std::size_t answered = 0;
        for (auto& event : client.receive(to_client, now))
            answered += event.what == futon::event::kind::reply ? 1u : 0u;
        if (answered != in_flight) fail("a session lost a call");
    });
}

// Futures.

void count_futures(report& to) {
    futon::testing::manual_executor place;
    const auto where = place.ref();
    int sum = 0;
    const auto turn = [&](int stages) {
        futon::promise<int> source{where};
        auto last = source.get_future();
        for (int i = 0; i < stages; ++i) last = std::move(last).then([](int n) { return n + 1; });
        std::move(last).on_complete([&sum](futon::result<int> n) { sum += *n; });
        source.set_value(1);
        place.run_ready();
    };
    to.count("a promise, its future and its callback", 1, [&] { turn(0); });
    to.count("the same with 10 stages between", 1, [&] { turn(10); });
    to.count("when_all of two", 1, [&] {
        futon::when_all(where, futon::make_ready(where, 1), futon::make_ready(where, 2)).on_complete([&](auto both) {
            sum += std::get<0>(*both);
        });
        place.run_ready();
    });
    if (sum == 0) fail("no future was completed");
}

// Picks among providers.

void count_picks(report& to) {
    futon::node_table table;
    const futon::time_point now{1000s};
    futon::dice random{42};
    for (int i = 0; i < 1000; ++i) {
        futon::provider told;
        told.address.host = "10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1);
        told.address.port = 12200;
        table.put(std::move(told), now).set_connected(true);
    }
    const auto turn = [&](const char* name, futon::any_load_balancer policy) {
        futon::route_cache cache{std::move(policy)};
        auto& view = *cache.find({}, table);
        to.count(name, in_flight, [&] {
            for (std::size_t i = 0; i < in_flight; ++i) {
                futon::pick_context call{.now = now, .random = random};
                if (!view.policy.pick(view.nodes, call)) fail("a balancer found nothing");
            }
        });
    };
    turn("a pick of 1000, round_robin", futon::round_robin{});
    turn("a pick of 1000, least_request", futon::least_request{});
}

// Whole calls: stub, channel, two connections in memory, dispatcher, handler, and back.

struct Echo {
    std::string echo(std::string_view text);
    int add(int a, int b);
};
FUTON_SERVICE(Echo, echo, add)

struct echo_impl {
    std::string echo(std::string_view text) { return std::string{text}; }
    int add(int a, int b) { return a + b; }
};

void count_calls(report& to) {
    futon::testing::simulation world;
    futon::server server{{.listen = "memory://echo", .runtime = world.runtime()}};
    server.provide<Echo>(echo_impl{}, {.run_on = futon::run_on::io});
    server.start();
    futon::client client{{.endpoints = "memory://echo", .runtime = world.runtime()}};
    const auto stub = client.stub<Echo>();
    const std::string text(128, 'x');
    std::size_t answered = 0;
    const auto turn = [&](auto&& call) {
        return [&world, &answered, call] {
            answered = 0;
            for (std::size_t i = 0; i < in_flight; ++i) call();
            world.advance(1ms);
            if (answered != in_flight) fail("a call failed");
        };
    };
    const auto see = [&answered](const auto& reply) { answered += reply ? 1u : 0u; };
    to.count("a call in memory, callback", in_flight, turn([&] { stub.echo(text, see); }));
    const auto all_of_them = [&](const futon::result<int>&) {
        for (std::size_t i = 0; i < in_flight; ++i) stub.echo(text, see);
    };
    to.count("a call in memory, made by a reply", in_flight, [&] {
        answered = 0;
        stub.add(1, 2, all_of_them);
        world.advance(1ms);
        if (answered != in_flight) fail("a call failed");
    });
    to.count("a call in memory, future", in_flight, turn([&] { stub.echo(text).on_complete(see); }));
    to.count("a call of two numbers in memory, callback", in_flight, turn([&] { stub.add(1, 2, see); }));
    const auto wait = [&]() -> futon::task<void> {
        const auto reply = co_await stub.add(1, 2);
        answered += reply == 3 ? 1 : 0;
    };
    to.count("a call of two numbers in memory, task", in_flight,
             turn([&] { futon::spawn(world.executor(), wait()).ignore(); }));
}

// Of many calls that wait for a connection, each costs as if it were alone.
void count_waiting_calls(report& to) {
    futon::testing::simulation world;
    futon::client client{{.endpoints = "memory://nobody", .wait_for_ready = true, .runtime = world.runtime()}};
    const auto stub = client.stub<Echo>().with({.timeout = 24h});
    std::vector<futon::future<int>> others, ours;
    for (int i = 0; i < 1000; ++i) others.push_back(stub.add(1, i));
    ours.reserve(in_flight);
    to.count("a call among 1000 that wait, cancelled", in_flight, [&] {
        for (std::size_t i = 0; i < in_flight; ++i) ours.push_back(stub.add(1, 2));
        for (auto& each : ours) each.cancel();
        for (auto& each : ours) std::move(each).ignore();
        ours.clear();
        if (client.stats().queued != others.size()) fail("a call did not wait");
    });
    for (auto& each : others) std::move(each).ignore();
}

// What a cluster costs: its list, balancer, health and budget, and a filter. One call at a time, since calls in flight
// together are written together where there is one connection.

struct no_filter {
    void before(futon::client_call&) { ++calls; }
    void after(futon::client_call&, futon::call_outcome&) {}
    std::size_t calls = 0;
};

void count_cluster_calls(report& to) {
    constexpr std::size_t providers = 1000;
    // Enough for each connection to be used, and for its alarms to come up, several times.
    constexpr std::size_t calls = 100;
    // As a client has by default: with a thread for each connection each answer would move to another thread.
    futon::testing::simulation world{{.io_threads = 1}};
    futon::memory_registry registry;
    std::vector<std::unique_ptr<futon::server>> servers;
    for (std::size_t i = 0; i < providers; ++i) {
        const auto address = "memory://echo-" + std::to_string(i);
        auto& made = servers.emplace_back(
            std::make_unique<futon::server>(futon::server_options{.listen = address, .runtime = world.runtime()}));
        made->provide<Echo>(echo_impl{}, {.run_on = futon::run_on::io});
        made->start();
        registry.register_provider("Echo", {.address = futon::endpoint::parse(address).value()},
                                   [](const futon::result<void>&) {});
    }
    const std::string text(128, 'x');
    std::size_t answered = 0;
    const auto see = [&answered](const auto& reply) { answered += reply ? 1u : 0u; };
    const auto turn = [&](futon::client& client) {
        return [&world, &answered, &text, see, stub = client.stub<Echo>()] {
            answered = 0;
            for (std::size_t i = 0; i < calls; ++i) {
                stub.echo(text, see);
                world.advance(1ms);
            }
            if (answered != calls) fail("a call failed");
        };
    };
    futon::client direct{{.endpoints = "memory://echo-0", .runtime = world.runtime()}};
    to.count("a call alone in memory, one provider", calls, turn(direct));
    for (const bool filtered : {false, true}) {
        futon::client_options options{.registry = registry, .runtime = world.runtime()};
        if (filtered) options.filters = {no_filter{}};
        futon::client clustered{options};
        const auto once = turn(clustered);
        once();
        world.advance(1s);
        if (clustered.stats().connections != providers) fail("not all providers are connected");
        for (std::size_t i = 0; i < 20 * providers / calls; ++i) once();  // Until the policy knows them all.
        to.count(
            filtered ? "a call alone in memory, 1000 providers, a filter" : "a call alone in memory, 1000 providers",
            calls, once);
    }
}

}  // namespace

int main() try {
    report all;
    count_values(all);
    count_sessions(all);
    count_futures(all);
    count_picks(all);
    count_calls(all);
    count_waiting_calls(all);
    count_cluster_calls(all);
    all.print();
} catch (const std::exception& e) {
    std::fprintf(stderr, "benchmark: %s\n", e.what());
    return 1;
}
