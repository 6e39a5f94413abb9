// SPDX-License-Identifier: Apache-2.0
#include <futon/session/session.hpp>

#include <futon/wire/futon_protocol.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <malloc.h>

namespace counting {
static std::size_t allocations = 0;
static std::size_t live = 0;           // Bytes that are allocated now.
static std::size_t until_failure = 0;  // Zero: none fails.

[[gnu::noinline]] static void* allocate(std::size_t size) {
    ++allocations;
    if (until_failure > 0 && --until_failure == 0) return nullptr;
    auto* const memory = std::malloc(size == 0 ? 1 : size);
    live += ::malloc_usable_size(memory);
    return memory;
}
static void free(void* memory) noexcept {
    live -= ::malloc_usable_size(memory);
    std::free(memory);
}
}  // namespace counting

// Replaced for the whole program of these tests; they only count.
void* operator new(std::size_t size) {
    if (auto* memory = counting::allocate(size)) return memory;
    throw std::bad_alloc{};
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return counting::allocate(size); }
void operator delete(void* memory) noexcept { counting::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { counting::free(memory); }

using namespace std::chrono_literals;

namespace {

using machine = futon::session<futon::futon_protocol>;

// What a socket would do, without memory of its own.
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

TEST_CASE("session: a call in the steady state allocates nothing, with or without a deadline, small or large") {
    for (const std::size_t size : {10u, 20'000u}) {
        CAPTURE(size);
        futon::time_point now{100s};
        machine client{{.role = futon::side::opener}, now};
        machine server{{.role = futon::side::acceptor}, now};
        futon::byte_buffer to_client;
        futon::byte_buffer to_server;
        futon::method_info method;
        method.service = method.name = "m";

        std::array<futon::detail::intrusive_ptr<futon::detail::call>, 64> calls;
        for (auto& it : calls) {
            it = futon::detail::intrusive_ptr<futon::detail::call>::adopt(
                new futon::detail::call{nullptr, nullptr, nullptr});
            it->request.method = &method;
            it->request.arguments.append(futon::as_bytes(std::string(size, 'a')));
        }
        std::size_t answered = 0;
        const auto round = [&] {
            now += 1ms;
            for (auto& it : calls) {
                if (!client.may_start(it->request)) continue;
                it->request.deadline = &it == calls.data() ? futon::no_deadline : now + 3s;
                auto given = it;
                REQUIRE(client.start(given, now));
            }
            carry(client, to_server, now);
            for (auto& it : server.receive(to_server, now)) {
                if (it.what != futon::event::kind::request) continue;
                server.begin_reply(it.id, {})->append(it.body);
                server.end_reply();
            }
            carry(server, to_client, now);
            for (auto& it : client.receive(to_client, now)) {
                if (it.what == futon::event::kind::reply && it.body.size() == size) ++answered;
            }
        };
        for (int i = 0; i < 3000; ++i) round();  // Long enough for the wheel to have turned.
        answered = 0;
        const auto before = counting::allocations;
        for (int i = 0; i < 100; ++i) round();
        const auto during = counting::allocations - before;
        CHECK(answered == 6400);
        CHECK(during == 0);
    }
}

TEST_CASE("session: what a burst of calls took is given back after a while without calls, and calls go on") {
    futon::time_point now{100s};
    machine client{{.role = futon::side::opener}, now};
    machine server{{.role = futon::side::acceptor}, now};
    futon::byte_buffer to_client;
    futon::byte_buffer to_server;
    futon::method_info method;
    method.service = method.name = "m";
    std::size_t answered = 0;
    const auto round = [&](std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            auto made = futon::detail::intrusive_ptr<futon::detail::call>::adopt(
                new futon::detail::call{nullptr, nullptr, nullptr});
            made->request.method = &method;
            made->request.deadline = now + 3s;
            REQUIRE(client.start(made, now));
        }
        carry(client, to_server, now);
        do {
            for (auto& it : server.receive(to_server, now))
                if (it.what == futon::event::kind::request && server.begin_reply(it.id, {})) server.end_reply();
        } while (server.has_more());
        carry(server, to_client, now);
        do {
            for (auto& it : client.receive(to_client, now)) {
                answered += it.what == futon::event::kind::reply;
                it.call = nullptr;
            }
        } while (client.has_more());
    };
    const auto rest = [&] {
        const bool of_client = client.rest(now);
        return server.rest(now) && of_client;
    };
    round(0);
    to_client.reset();
    to_server.reset();
    CHECK(rest());
    const auto idle = counting::live;

    round(4000);
    CHECK(answered == 4000);
    to_client.reset();
    to_server.reset();
    const auto after_burst = counting::live;
    CHECK(after_burst > idle + 500'000);
    CHECK_FALSE(rest());
    now += 999ms;
    CHECK_FALSE(rest());
    now += 1ms;
    CHECK(rest());
    // Beside some blocks that the thread keeps for all.
    CHECK(counting::live < idle + after_burst / 4);

    round(3);
    CHECK(answered == 4003);
    CHECK_FALSE(rest());
}

// Plays a script in which the n-th allocation of the machines fails; false if there were fewer.
bool survives_failure(std::size_t n) {
    futon::time_point now{100s};
    futon::method_info method;
    method.service = method.name = "m";
    std::array<futon::detail::intrusive_ptr<futon::detail::call>, 12> calls;
    std::array<int, 12> endings{};
    std::size_t left = n;
    const auto guarded = [&](auto&& step) {
        counting::until_failure = left;
        const bool armed = left > 0;
        try {
            step();
        } catch (const std::bad_alloc&) {
            left = 0;
            counting::until_failure = 0;
            return false;
        }
        left = armed ? std::exchange(counting::until_failure, 0) : 0;
        return true;
    };
    const auto count = [&](std::span<futon::event> events, machine& own) {
        for (auto& it : events) {
            if (it.call) {
                for (std::size_t i = 0; i < calls.size(); ++i) endings[i] += calls[i] == it.call;
            } else if (it.what == futon::event::kind::request && it.method == 0 && !it.oneway) {
                if (futon::as_text(it.body).front() == '0') continue;
                if (!guarded([&] {
                        auto* const into = own.begin_reply(it.id, {});
                        if (!into) return;
                        try {
                            into->append(it.body);
                        } catch (const std::bad_alloc&) {
                            return own.abandon_reply();
                        }
                        own.end_reply();
                    }))
                    continue;
            }
        }
    };
    {
        std::optional<machine> client;
        std::optional<machine> server;
        if (!guarded([&] {
                client.emplace(futon::session_options{.role = futon::side::opener}, now);
                server.emplace(futon::session_options{.role = futon::side::acceptor}, now);
            }))
            return true;
        for (std::size_t i = 0; i < calls.size(); ++i) {
            calls[i] = futon::detail::intrusive_ptr<futon::detail::call>::adopt(
                new futon::detail::call{nullptr, nullptr, nullptr});
            calls[i]->request.method = &method;
            calls[i]->request.arguments.append(
                futon::as_bytes(std::string(i == 5 ? 20'000 : 10, static_cast<char>('0' + i % 4))));
            if (i == 3) calls[i]->request.headers.set("key", std::string(100, 'v'));
            calls[i]->request.deadline = now + 1ms * static_cast<int>(20 * i + 20);
        }
        futon::byte_buffer to_client;
        futon::byte_buffer to_server;
        const auto exchange = [&] {
            for (int turn = 0; turn < 3; ++turn) {
                guarded([&] { carry(*client, to_server, now); });
                std::span<futon::event> events;
                guarded([&] { events = server->receive(to_server, now); });
                count(events, *server);
                guarded([&] { carry(*server, to_client, now); });
                events = {};
                guarded([&] { events = client->receive(to_client, now); });
                count(events, *client);
            }
        };
        for (std::size_t i = 0; i < calls.size(); ++i) {
            futon::result<void> started;
            auto given = calls[i];
            guarded([&] { started = client->start(given, now); });
            CHECK_EQ(given == nullptr, started.has_value());
            if (!started) ++endings[i];
            if (i == 7) exchange();
            if (i == 9) {
                guarded([&] {
                    if (client->cancel(calls[i]->id, now).call) ++endings[i];
                });
            }
        }
        exchange();
        now += 50ms;
        std::span<futon::event> events;
        guarded([&] { events = client->advance(now); });
        count(events, *client);
        guarded([&] { server->begin_drain(futon::error{futon::errc::unavailable}, now); });
        exchange();
        for (int turn = 0; turn < 2; ++turn, now += 2s)
            guarded([&] {
                static_cast<void>(client->rest(now));
                static_cast<void>(server->rest(now));
            });
        events = {};
        guarded([&] { events = client->lose_connection(futon::error{futon::errc::connection_lost}); });
        count(events, *client);
    }
    for (std::size_t i = 0; i < calls.size(); ++i) {
        CAPTURE(n);
        CAPTURE(i);
        CHECK(endings[i] == 1);
    }
    return left == 0;
}

TEST_CASE("session: whichever allocation fails, each call ends once") {
    std::size_t n = 1;
    while (survives_failure(n) && n < 10'000) ++n;
    CHECK(n > 20);
    MESSAGE((n - 1) << " allocations failed in turn");
}

}  // namespace
