// SPDX-License-Identifier: Apache-2.0
// Text beside a call, there and back.

#include "integration/support/served.hpp"

#include <doctest/doctest.h>

#include <mutex>
#include <string>
#include <utility>

using namespace futon_tests;

namespace {

struct Headers {
    std::string get(std::string key);
    int count();
    int later(int entries, int bytes_each);
    int plain(int entries, int bytes_each);
    void fail();
};
FUTON_SERVICE(Headers, get, count, later, plain, fail)

struct headers {
    std::string get(futon::call_context& c, std::string key) {
        return std::string{c.headers().get(key).value_or("absent")};
    }
    int count(futon::call_context& c) { return static_cast<int>(c.headers().size()); }
    futon::future<int> later(futon::call_context& c, int entries, int bytes_each) {
        return futon::async(futon::current_executor(),
                            [&c, entries, bytes_each] { return fill(c.reply_headers(), entries, bytes_each); });
    }
    int plain(futon::call_context& c, int entries, int bytes_each) {
        return fill(c.reply_headers(), entries, bytes_each);
    }
    futon::result<void> fail(futon::call_context& c) {
        c.reply_headers().set("k", "v");
        return futon::errc::unavailable;
    }
    static int fill(futon::metadata& to, int entries, int bytes_each) {
        for (int i = 0; i < entries; ++i)
            to.set("key" + std::to_string(i), std::string(static_cast<std::size_t>(bytes_each), 'v'));
        return entries;
    }
};

futon::metadata many(int entries, int bytes_each) {
    futon::metadata made;
    headers::fill(made, entries, bytes_each);
    return made;
}

// What the hook of the client saw of the last reply.
struct replies {
    futon::client_options options() {
        auto made = to({});
        made.on_call = [this](const futon::call_record& call) {
            const std::lock_guard lock{mutex};
            last = call.headers ? *call.headers : futon::metadata{};
        };
        return made;
    }
    futon::metadata get() {
        const std::lock_guard lock{mutex};
        return last;
    }
    std::mutex mutex;
    futon::metadata last;
};

TEST_CASE("client: headers of the client, the stub and the call reach the handler together, the nearest winning") {
    served<Headers> at{headers{}};
    CHECK(at.stub.get("user").get() == "absent");
    const auto ann = at.client->stub<Headers>({.calls = {.headers = {{"user", "ann"}, {"trace", "17"}}}});
    CHECK(ann.get("user").get() == "ann");
    CHECK(ann.count().get() == 2);
    const auto bob = ann.with({.headers = {{"user", "bob"}, {"more", ""}}});
    CHECK(bob.get("user").get() == "bob");
    CHECK(bob.get("trace").get() == "17");
    CHECK(bob.get("more").get() == "");
    CHECK(ann.count().get() == 2);
    CHECK(bob.count().get() == 3);
}

TEST_CASE("server: headers of a reply come back, from the pool, the I/O thread and a future") {
    replies seen;
    for (const auto place : {futon::run_on::pool, futon::run_on::io}) {
        served<Headers> at{headers{}, {.run_on = place}, quiet_server(), seen.options()};
        CHECK(at.stub.plain(2, 3).get() == 2);
        CHECK(seen.get() == futon::metadata{{"key0", "vvv"}, {"key1", "vvv"}});
        CHECK(at.stub.later(1, 1).get() == 1);
        CHECK(seen.get() == futon::metadata{{"key0", "v"}});
        CHECK(at.stub.count().get() == 0);
        CHECK(seen.get().empty());
    }
}

TEST_CASE("client: more headers than the limits allow fail their call alone, not executed") {
    served<Headers> at{headers{}};
    CHECK(at.stub.with({.headers = many(64, 10)}).count().get() == 64);
    CHECK(at.stub.with({.headers = many(2, 8'000)}).count().get() == 2);
    for (const auto& too_much : {many(65, 1), many(1, 17'000), many(20, 1000)}) {
        const auto why = error_of(at.stub.with({.headers = too_much}).count());
        CHECK(why == futon::errc::message_too_big);
        CHECK(why.ran() == futon::executed::no);
    }
    CHECK(at.stub.count().get() == 0);
    CHECK(at.client->stats().connects == 1);
}

TEST_CASE("client: the server's smaller limit counts too") {
    auto serving = quiet_server();
    serving.limits.max_metadata_bytes = 100;
    served<Headers> at{headers{}, {}, serving};
    CHECK(at.stub.count().get() == 0);
    const auto why = error_of(at.stub.with({.headers = many(1, 200)}).count());
    CHECK(why == futon::errc::message_too_big);
    CHECK(why.ran() == futon::executed::no);
    CHECK(at.stub.with({.headers = many(1, 50)}).count().get() == 1);
    CHECK(at.client->stats().connects == 1);
}

TEST_CASE("server: a reply with too many headers fails its call alone, executed") {
    for (const auto place : {futon::run_on::pool, futon::run_on::io}) {
        served<Headers> at{headers{}, {.run_on = place}};
        for (const auto& [entries, bytes] : {std::pair{65, 1}, std::pair{1, 17'000}}) {
            const auto why = error_of(at.stub.plain(entries, bytes));
            CHECK(why == futon::errc::message_too_big);
            CHECK(why.ran() == futon::executed::yes);
            CHECK(error_of(at.stub.later(entries, bytes)) == futon::errc::message_too_big);
        }
        CHECK(at.stub.plain(64, 10).get() == 64);
        CHECK(at.client->stats().connects == 1);
        CHECK(soon([&] { return at.server.stats().in_flight == 0; }));
    }
}

TEST_CASE("server: an error has no headers") {
    replies seen;
    served<Headers> at{headers{}, {}, quiet_server(), seen.options()};
    CHECK(error_of(at.stub.fail()) == futon::errc::unavailable);
    CHECK(seen.get().empty());
}

}  // namespace
