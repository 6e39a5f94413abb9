// SPDX-License-Identifier: Apache-2.0
// The code of docs/errors.md, and what its tables claim.
#include <futon/futon.hpp>
#include <futon/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

struct row {
    std::string name, groups, ran;
};

std::string trimmed(const std::string& text) {
    const auto begin = text.find_first_not_of(" `");
    return begin == text.npos ? "" : text.substr(begin, text.find_last_not_of(" `") - begin + 1);
}

// The rows of the page whose first cell is a number, by that number.
std::map<int, row> documented() {
    std::ifstream page{std::filesystem::path{__FILE__}.parent_path() / "../../docs/errors.md"};
    REQUIRE(page);
    std::map<int, row> rows;
    for (std::string line; std::getline(page, line);) {
        std::istringstream cells{line};
        std::vector<std::string> parts;
        for (std::string cell; std::getline(cells, cell, '|');) parts.push_back(trimmed(cell));
        if (parts.size() < 6 || parts[1].find_first_not_of("0123456789") != std::string::npos) continue;
        CHECK(rows.emplace(std::stoi(parts[1]), row{parts[2], parts[3], parts[4]}).second);
    }
    return rows;
}

std::string groups_of(futon::errc code) {
    constexpr std::pair<futon::cond, const char*> groups[] = {{futon::cond::timeout, "timeout"},
                                                              {futon::cond::cancelled, "cancelled"},
                                                              {futon::cond::unavailable, "unavailable"},
                                                              {futon::cond::retryable, "retryable"},
                                                              {futon::cond::caller_bug, "caller_bug"}};
    std::string text;
    for (const auto& [group, name] : groups)
        if (belongs_to(code, group)) text += (text.empty() ? "" : ", ") + std::string{name};
    return text;
}

TEST_CASE("docs: errors.md has every code, with its number, name and groups, and no other") {
    const auto rows = documented();
    int known = 0;
    for (int number = 1; number <= 1000; ++number) {
        CAPTURE(number);
        const auto code = static_cast<futon::errc>(number);
        const auto found = rows.find(number);
        REQUIRE((found != rows.end()) == !name(code).empty());
        if (found == rows.end()) continue;
        ++known;
        CHECK(found->second.name == name(code));
        CHECK(found->second.groups == groups_of(code));
    }
    CHECK(rows.size() == static_cast<std::size_t>(known));
    CHECK(futon::make_error_code(static_cast<futon::errc>(123)).message() == "unknown error 123");
}

struct Shop {
    int buy(std::string item, int count);
    int reserve(std::string item, int count);
};
FUTON_SERVICE(Shop, buy, reserve)

// [payload]
struct out_of_stock {
    std::string item;
    int left = 0;
};

struct shop_impl {
    futon::result<int> buy(std::string item, int count) {
        if (count > 3) return futon::failure(out_of_stock{item, 3}, "only 3 left");
        return count;
    }
    futon::task<int> reserve(std::string item, int count) {
        if (count > 3) futon::failure(out_of_stock{item, 3}).raise();
        co_return count;
    }
};

int buy_what_there_is(const futon::stub<Shop>& shop) {
    return shop.buy("pen", 5)
        .recover([=](const futon::error& why) {
            const auto less = why.payload<out_of_stock>();
            return less ? shop.buy("pen", less->left) : futon::make_failed<int>(why);
        })
        .get();
}
// [/payload]

TEST_CASE("docs: an error carries a value of the application's own to the caller") {
    for (const bool hidden : {false, true}) {
        futon::server server{{.hide_exception_text = hidden}};
        server.provide<Shop>(shop_impl{});
        server.start();
        futon::client client{server.addresses()};
        const auto shop = client.stub<Shop>();
        CHECK(buy_what_there_is(shop) == 3);
        for (auto call : {shop.buy("ink", 9).get_result(), shop.reserve("ink", 9).get_result()}) {
            REQUIRE(!call);
            CHECK(call.error() == futon::errc::remote_error);
            CHECK(call.error().ran() == futon::executed::yes);
            const auto less = call.error().payload<out_of_stock>();
            REQUIRE(less);
            CHECK(less->item == "ink");
            CHECK(less->left == 3);
        }
    }
}

struct Thing {
    int plain(int number);
    void fail(std::string how);
    std::string text(std::string content);
    std::chrono::hours wait(std::chrono::hours how_long);
    int later();
    int dropped();
};
FUTON_SERVICE(Thing, plain, fail, text, wait, later, dropped)

namespace other {
struct Thing {
    int plain(std::string number);
    void missing();
    std::uint8_t later();
};
FUTON_SERVICE(Thing, plain, missing, later)
}  // namespace other

struct thing_impl {
    int plain(int number) { return number; }
    futon::result<void> fail(const std::string& how) {
        if (how == "throw") throw std::runtime_error{"text"};
        if (how == "throw code") throw std::system_error{make_error_code(std::errc::permission_denied), "text"};
        if (how == "return code") return futon::error{make_error_code(std::errc::permission_denied), "text"};
        if (how == "return errc") return futon::error{futon::errc::permission_denied, "text"};
        if (how == "system") return futon::error{std::error_code{5, std::system_category()}, "text"};
        return {};
    }
    std::string text(const std::string& content) { return content + content; }
    std::chrono::hours wait(std::chrono::hours how_long) { return how_long * 1000; }
    void later(futon::responder<int> answer) { answers.set_value(std::move(answer)); }
    void dropped(futon::responder<int>) {}
    std::promise<futon::responder<int>> answers;
};

struct expectation {
    std::map<int, row> rows = documented();

    // The error is the expected one, and its page says that `ran()` may be this.
    void operator()(const futon::error& why, futon::errc code, futon::executed ran) const {
        CAPTURE(why.describe());
        CHECK(why == code);
        CHECK(name(why.ran()) == name(ran));
        const auto& documented_ran = rows.at(static_cast<int>(code)).ran;
        CHECK_MESSAGE((", " + documented_ran + ",").find(", " + std::string{name(ran)} + ",") != std::string::npos, documented_ran);
    }
    template <class T>
    void operator()(const futon::result<T>& got, futon::errc code, futon::executed ran) const {
        REQUIRE_FALSE(got.has_value());
        (*this)(got.error(), code, ran);
    }
};

template <class F>
futon::error thrown_by(F&& f) {
    try {
        f();
    } catch (const futon::rpc_error& e) {
        return e.detail();
    }
    return futon::errc::all_failed;
}

// In virtual time: there the call is with its handler when its time is over, however busy the machine is.
futon::result<int> timed_out() {
    futon::testing::simulation world;
    thing_impl impl;
    futon::server server{{.listen = "memory://thing", .runtime = world.runtime()}};
    server.provide<Thing>(std::ref(impl));
    server.start();
    futon::client client{{.endpoints = "memory://thing", .runtime = world.runtime()}};
    auto late = client.stub<Thing>().with({.timeout = 50ms}).later();
    world.advance(50ms - 1ns);
    const auto unanswered = impl.answers.get_future().get();
    return world.get_result(std::move(late));
}

const futon::runtime_options quiet{.log = [](const futon::log_record&) {}};

TEST_CASE("docs: failures have the codes that errors.md says") {
    using futon::errc;
    using futon::executed;
    const expectation expect;

    thing_impl impl;
    futon::server server;
    server.provide<Thing>(std::ref(impl));
    expect(thrown_by([&] { server.provide<Thing>(thing_impl{}); }), errc::already_satisfied, executed::no);
    server.start();
    futon::client client{{.endpoints = server.addresses(), .limits = {.max_body_bytes = 1000}, .threads = quiet}};
    const auto thing = client.stub<Thing>();
    const auto stranger = client.stub<other::Thing>();

    // What the handler says.
    const auto thrown = thing.fail("throw").get_result();
    expect(thrown, errc::remote_error, executed::yes);
    CHECK(thrown.error().message() == "text");
    CHECK(thrown.error().remote_type() == "std::runtime_error");
    const auto thrown_code = thing.fail("throw code").get_result();
    CHECK(thrown_code.error().code() == std::errc::permission_denied);
    CHECK(thrown_code.error().ran() == executed::yes);
    CHECK(thing.fail("return code").get_result().error().code() == std::errc::permission_denied);
    expect(thing.fail("return errc").get_result(), errc::permission_denied, executed::yes);
    const auto unlisted = thing.fail("system").get_result();
    expect(unlisted, errc::remote_error, executed::yes);
    CHECK(unlisted.error().message() == "system:5: text");
    expect(thing.dropped().get_result(), errc::broken_promise, executed::yes);

    // What does not fit.
    expect(stranger.plain("1").get_result(), errc::version_mismatch, executed::no);
    expect(stranger.missing().get_result(), errc::no_such_method, executed::no);
    expect(client.stub<Thing>({.version = "2"}).plain(1).get_result(), errc::no_such_method, executed::no);
    expect(thing.wait(std::chrono::hours::max()).get_result(), errc::bad_arguments, executed::no);
    expect(thing.wait(2'000'000h).get_result(), errc::internal, executed::yes);
    expect(thing.text(std::string(600, 'x')).get_result(), errc::message_too_big, executed::yes);
    expect(thing.text(std::string(9'000'000, 'x')).get_result(), errc::message_too_big, executed::no);
    auto narrow = stranger.later();
    impl.answers.get_future().get()(300);
    expect(std::move(narrow).get_result(), errc::bad_reply, executed::yes);
    impl.answers = {};

    // Time, and second thoughts.
    expect(thing.with({.deadline = futon::time_point{}}).plain(1).get_result(), errc::deadline_exceeded, executed::no);
    expect(timed_out(), errc::deadline_exceeded, executed::maybe);
    auto given_up = thing.later();
    auto unanswered = impl.answers.get_future().get();
    given_up.cancel();
    expect(std::move(given_up).get_result(), errc::cancelled, executed::maybe);
    impl.answers = {};

    // Misuse.
    std::promise<futon::result<int>> blocked;
    thing.plain(1, [&](futon::result<int>) { blocked.set_value(thing.plain(2).get_result()); });
    expect(blocked.get_future().get(), errc::would_deadlock, executed::maybe);
    expect(futon::stub<Thing>{}.plain(1).get_result(), errc::no_state, executed::no);
    expect(futon::future<int>{}.get_result(), errc::no_state, executed::maybe);
    const auto homeless = futon::make_ready(1).then([](int) { return 2; }).get_result();
    expect(homeless, errc::no_executor, executed::yes);
    futon::promise<int> twice;
    twice.set_value(1);
    expect(thrown_by([&] { twice.set_value(2); }), errc::already_satisfied, executed::maybe);

    // Ends.
    futon::client brief{server.addresses()};
    auto cut = brief.stub<Thing>().later();
    unanswered = impl.answers.get_future().get();
    brief.close();
    expect(std::move(cut).get_result(), errc::client_closed, executed::maybe);
    expect(brief.stub<Thing>().plain(1).get_result(), errc::client_closed, executed::no);
    impl.answers = {};
    auto lost = thing.later();
    unanswered = impl.answers.get_future().get();
    server.stop(0s).get();
    expect(std::move(lost).get_result(), errc::connection_lost, executed::maybe);
}

TEST_CASE("docs: failures without a server have the codes that errors.md says") {
    using futon::errc;
    using futon::executed;
    const expectation expect;

    futon::client nobody{{.endpoints = "unix:///nonexistent/socket", .threads = quiet}};
    expect(nobody.stub<Thing>().plain(1).get_result(), errc::connect_failed, executed::no);
    futon::client nowhere{{.threads = quiet}};
    expect(nowhere.stub<Thing>().plain(1).get_result(), errc::no_provider, executed::no);
    expect(thrown_by([] { futon::client{"gopher://x:1"}; }), errc::unsupported_protocol, executed::no);
    expect(thrown_by([] { futon::client{"x"}; }), errc::bad_address, executed::no);
    futon::server server{"unix:///nonexistent/socket"};
    expect(thrown_by([&] { server.start(); }), errc::listen_failed, executed::no);
}

struct Busy {
    void work();
};
FUTON_SERVICE(Busy, work)

struct busy_impl {
    std::promise<void>& begun;
    std::shared_future<void> go_on;
    void work() {
        begun.set_value();
        go_on.wait();
    }
};

TEST_CASE("docs: a full pool answers as errors.md says") {
    const expectation expect;
    std::promise<void> begun;
    std::promise<void> go_on;
    futon::server server{{.threads = {.pool_threads = 1, .pool_queue = 0}}};
    server.provide<Busy>(busy_impl{begun, go_on.get_future().share()});
    server.start();
    futon::client client{{.endpoints = server.addresses(), .retry = {.max_attempts = 1}}};
    auto first = client.stub<Busy>().work();
    begun.get_future().wait();
    const auto second = client.stub<Busy>().work().get_result();
    go_on.set_value();
    CHECK(std::move(first).get_result());
    expect(second, futon::errc::overloaded, futon::executed::no);
}

// [decide]
std::string advise(const futon::result<int>& got) {
    if (got) return "fine";
    const futon::error& why = got.error();
    if (why == futon::errc::deadline_exceeded) return "ask for less, or wait longer";
    if (why.is(futon::cond::caller_bug)) return "mend the program: " + why.message();
    if (why.is(futon::cond::retryable) && why.ran() == futon::executed::no) return "try again later";
    return why.describe();
}
// [/decide]

TEST_CASE("docs: errors can be told apart as errors.md shows") {
    CHECK(advise(1) == "fine");
    CHECK(advise(futon::errc::deadline_exceeded) == "ask for less, or wait longer");
    CHECK(advise(futon::error{futon::errc::no_such_method, "words"}) == "mend the program: words");
    CHECK(advise(futon::error{futon::errc::overloaded, futon::executed::no}) == "try again later");
    CHECK(advise(futon::error{futon::errc::remote_error, "the disk is full"}) == "remote_error: the disk is full");
}

TEST_CASE("docs: exceptions of handlers can be hidden, their errors reach the caller") {
    futon::server server{{.hide_exception_text = true}};
    server.provide<Thing>(thing_impl{});
    server.start();
    futon::client client{server.addresses()};
    const auto thing = client.stub<Thing>();
    const auto hidden = thing.fail("throw").get_result();
    CHECK(hidden.error() == futon::errc::remote_error);
    CHECK(hidden.error().message() == "the handler failed");
    CHECK(hidden.error().remote_type().empty());
    CHECK(thing.fail("return errc").get_result().error().message() == "text");
}

}  // namespace
