// SPDX-License-Identifier: Apache-2.0
// What a caller hears of a handler that failed, and of values that cannot travel.

#include "integration/support/served.hpp"

#include <doctest/doctest.h>

#include <asio/awaitable.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

using namespace futon_tests;

namespace {

class shop_category final : public std::error_category {
public:
    const char* name() const noexcept override { return "shop"; }
    std::string message(int code) const override {
        return code == 7 ? "sold out" : "shop error " + std::to_string(code);
    }
};
const std::error_category& shop() {
    static const shop_category category;
    return category;
}

struct own_error : std::logic_error {
    using std::logic_error::logic_error;
};

// What a handler may do wrong.
void misbehave(const std::string& how) {
    if (how == "exception") throw own_error{"it broke"};
    if (how == "int") throw 42;
    if (how == "rpc_error")
        throw futon::rpc_error{futon::error{futon::errc::permission_denied, "not you", futon::executed::no}};
    if (how == "system_error") throw std::system_error{7, shop(), "the tea"};
    if (how == "errno") throw std::system_error{std::make_error_code(std::errc::no_space_on_device), "disk"};
}
futon::result<int> fail(const std::string& how) {
    if (how == "own code") return futon::error{std::error_code{7, shop()}, "the tea is gone"};
    if (how == "errc") return futon::errc::overloaded;
    if (how == "unknown errc") return static_cast<futon::errc>(12'345);
    if (how == "long") return futon::error{futon::errc::unavailable, std::string(100'000, 'x')};
    misbehave(how);
    return 1;
}

struct Risky {
    int plain(std::string how);
    int outcome(std::string how);
    int later(std::string how);
    int coroutine(std::string how);
    int awaitable(std::string how);
    int answered(std::string how);
    void dropped(bool at_once);
    std::chrono::hours echo(std::chrono::hours h);
    std::chrono::hours too_long();
};
FUTON_SERVICE(Risky, plain, outcome, later, coroutine, awaitable, answered, dropped, echo, too_long)

struct risky {
    int plain(std::string how) {
        misbehave(how);
        return 1;
    }
    futon::result<int> outcome(std::string how) { return fail(how); }
    futon::future<int> later(std::string how) {
        return futon::async(futon::current_executor(), [how] { return fail(how); });
    }
    futon::task<int> coroutine(std::string how) {
        co_await futon::async(futon::current_executor(), [] {});
        misbehave(how);
        co_return 1;
    }
    asio::awaitable<int> awaitable(std::string how) {
        misbehave(how);
        co_return 1;
    }
    void answered(futon::responder<int> answer, std::string how) {
        const auto kept = std::move(how);
        try {
            answer(fail(kept));
        } catch (...) {
            answer(futon::error::from_exception(std::current_exception()));
        }
    }
    void dropped(futon::responder<void> answer, bool at_once) {
        if (!at_once) held = std::make_unique<futon::responder<void>>(std::move(answer));
        holding.add();
    }
    std::chrono::hours echo(std::chrono::hours h) { return h; }
    std::chrono::hours too_long() { return std::chrono::hours::max(); }

    std::unique_ptr<futon::responder<void>> held;
    tally holding;
};

template <class F>
void with_each_kind(const futon::stub<Risky>& stub, const std::string& how, F check) {
    check("plain", error_of(stub.plain(how)));
    check("outcome", error_of(stub.outcome(how)));
    check("later", error_of(stub.later(how)));
    check("coroutine", error_of(stub.coroutine(how)));
    check("awaitable", error_of(stub.awaitable(how)));
    check("answered", error_of(stub.answered(how)));
}

TEST_CASE("server: what a handler throws reaches the caller with its text and type, as executed, from every kind") {
    served<Risky> at{std::make_shared<risky>()};
    const auto address = at.server.addresses()[0].text();
    with_each_kind(at.stub, "exception", [&](const std::string& kind, const futon::error& why) {
        CAPTURE(kind);
        CHECK(why == futon::errc::remote_error);
        CHECK(why.message() == "it broke");
        CHECK(why.remote_type().find("own_error") != std::string::npos);
        CHECK(why.ran() == futon::executed::yes);
        CHECK(why.where() == "Risky." + kind + " at " + address);
    });
    with_each_kind(at.stub, "int", [&](const std::string& kind, const futon::error& why) {
        CAPTURE(kind);
        CHECK(why == futon::errc::remote_error);
        CHECK(why.message() == "an exception that is not a std::exception");
        CHECK(why.ran() == futon::executed::yes);
    });
    with_each_kind(at.stub, "rpc_error", [&](const std::string& kind, const futon::error& why) {
        CAPTURE(kind);
        CHECK(why == futon::errc::permission_denied);
        CHECK(why.message() == "not you");
        CHECK(why.ran() == futon::executed::yes);  // Whatever the error itself says: a handler threw it.
    });
    CHECK(at.stub.plain("").get() == 1);
    CHECK(at.client->stats().connects == 1);
}

TEST_CASE("server: a code of the application's own category stays a code where the client lists the category") {
    auto calling = to({});
    calling.error_categories = {&shop()};
    served<Risky> at{std::make_shared<risky>(), {}, quiet_server(), calling};
    with_each_kind(at.stub, "system_error", [&](const std::string& kind, const futon::error& why) {
        CAPTURE(kind);
        CHECK(why.code() == std::error_code{7, shop()});
        CHECK(why.message() == "the tea: sold out");
        CHECK(why.ran() == futon::executed::yes);
    });
    const auto returned = error_of(at.stub.outcome("own code"));
    CHECK(returned.code() == std::error_code{7, shop()});
    CHECK(returned.message() == "the tea is gone");
}

TEST_CASE("server: a code of a category that the client does not list is remote_error with the code in its text") {
    served<Risky> at{std::make_shared<risky>()};
    with_each_kind(at.stub, "system_error", [&](const std::string& kind, const futon::error& why) {
        CAPTURE(kind);
        CHECK(why == futon::errc::remote_error);
        CHECK(why.message() == "shop:7: the tea: sold out");
        CHECK(why.ran() == futon::executed::yes);
    });
    CHECK(error_of(at.stub.outcome("own code")).message() == "shop:7: the tea is gone");
    // The standard's own is known everywhere.
    const auto full = error_of(at.stub.plain("errno"));
    CHECK(full.code() == std::errc::no_space_on_device);
    CHECK(full.message().find("disk") == 0);
}

TEST_CASE("server: errors that handlers return keep code and text, also codes that this version does not know") {
    served<Risky> at{std::make_shared<risky>()};
    for (const std::string kind : {"outcome", "later", "answered"}) {
        CAPTURE(kind);
        const auto call = [&](const std::string& how) {
            return kind == "outcome" ? at.stub.outcome(how)
                   : kind == "later" ? at.stub.later(how)
                                     : at.stub.answered(how);
        };
        const auto plain = error_of(call("errc"));
        CHECK(plain == futon::errc::overloaded);
        CHECK(plain.ran() == futon::executed::yes);
        const auto unknown = error_of(call("unknown errc"));
        CHECK(unknown.code().value() == 12'345);
        CHECK(unknown.message() == "unknown error 12345");
        const auto verbose = error_of(call("long"));
        CHECK(verbose == futon::errc::unavailable);
        CHECK(verbose.message().find("xxx") == 0);
    }
    CHECK(at.client->stats().connects == 1);
    // An error of a handler that ran is not tried again.
    CHECK(at.client->stats().retries == 0);
}

TEST_CASE("server: hide_exception_text keeps the text and type of exceptions, not of what was meant for the caller") {
    auto serving = quiet_server();
    serving.hide_exception_text = true;
    served<Risky> at{std::make_shared<risky>(), {}, serving};
    for (const std::string how : {"exception", "int", "system_error"}) {
        CAPTURE(how);
        for (const auto& why : {error_of(at.stub.plain(how)), error_of(at.stub.later(how)),
                                error_of(at.stub.coroutine(how)), error_of(at.stub.awaitable(how))}) {
            CHECK(why == futon::errc::remote_error);
            CHECK(why.message() == (how == "system_error" ? "shop:7: the handler failed" : "the handler failed"));
            CHECK(why.remote_type() == "");
            CHECK(why.ran() == futon::executed::yes);
        }
    }
    CHECK(error_of(at.stub.plain("rpc_error")).message() == "not you");
    CHECK(error_of(at.stub.outcome("own code")).message().find("the tea is gone") != std::string::npos);
}

TEST_CASE("server: a responder that is dropped is broken_promise, executed") {
    auto service = std::make_shared<risky>();
    served<Risky> at{service};
    const auto at_once = error_of(at.stub.dropped(true));
    CHECK(at_once == futon::errc::broken_promise);
    CHECK(at_once.ran() == futon::executed::yes);
    auto call = at.stub.dropped(false);
    REQUIRE(service->holding.reaches(2));
    service->held.reset();
    CHECK(error_of(std::move(call)) == futon::errc::broken_promise);
}

TEST_CASE("client: an argument that cannot be packed is bad_arguments, not executed, and nothing is thrown") {
    served<Risky> at{std::make_shared<risky>()};
    CHECK(at.stub.echo(3h).get() == 3h);
    const auto why = error_of(at.stub.echo(std::chrono::hours::max()));
    CHECK(why == futon::errc::bad_arguments);
    CHECK(why.ran() == futon::executed::no);
    CHECK(why.where() == "Risky.echo");
    CHECK(why.message().find("could not be packed") != std::string::npos);
    CHECK(at.stub.echo(std::chrono::hours::max(), futon::oneway).error() == futon::errc::bad_arguments);
}

TEST_CASE("server: a result that cannot be packed is internal, executed, wherever the handler ran") {
    for (const auto place : {futon::run_on::pool, futon::run_on::io}) {
        served<Risky> at{std::make_shared<risky>(), {.run_on = place}};
        const auto why = error_of(at.stub.too_long());
        CHECK(why == futon::errc::internal);
        CHECK(why.ran() == futon::executed::yes);
        CHECK(why.message().find("could not be packed") != std::string::npos);
        CHECK(at.stub.plain("").get() == 1);
        CHECK(at.client->stats().connects == 1);
    }
}

TEST_CASE("client: what get() throws names the method, the address and the reason") {
    served<Risky> at{std::make_shared<risky>()};
    try {
        static_cast<void>(at.stub.plain("exception").get());
        FAIL("it did not throw");
    } catch (const futon::rpc_error& e) {
        CHECK(std::string{e.what()} ==
              "Risky.plain at " + at.server.addresses()[0].text() + ": remote_error: it broke");
        CHECK(e.code() == futon::errc::remote_error);
    }
}

}  // namespace
