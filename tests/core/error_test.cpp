// SPDX-License-Identifier: Apache-2.0
#include <futon/core/error.hpp>

#include <doctest/doctest.h>

#include <exception>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>

using namespace std::chrono_literals;

namespace {

using futon::cond;
using futon::errc;
using futon::error;
using futon::executed;
using futon::rpc_error;

TEST_CASE("error: is a few words, knows its code and whether the handler may have run") {
    static_assert(sizeof(error) <= 3 * sizeof(void*));
    const error plain{errc::unavailable};
    CHECK(plain == errc::unavailable);
    CHECK(plain.ran() == executed::maybe);
    CHECK(plain.message() == "unavailable");
    CHECK(plain.where().empty());
    CHECK(plain.retry_after() == 0ns);
    const error said{errc::overloaded, "the queue is full", executed::no};
    CHECK(said.message() == "the queue is full");
    CHECK(said.ran() == executed::no);
    CHECK(said.is(cond::retryable));
    CHECK_FALSE(said.is(cond::timeout));
}

TEST_CASE("error: with_ changes a copy and leaves what shares its words alone") {
    const error first{errc::remote_error, "words", executed::yes};
    const auto second = first.with_where("Greeter.greet")
                            .with_executed(executed::no)
                            .with_retry_after(5ms)
                            .with_remote_type("std::logic_error");
    CHECK(first.where().empty());
    CHECK(first.ran() == executed::yes);
    CHECK(second.where() == "Greeter.greet");
    CHECK(second.ran() == executed::no);
    CHECK(second.retry_after() == 5ms);
    CHECK(second.remote_type() == "std::logic_error");
    CHECK(second.message() == "words");
    CHECK(second == first);
    CHECK(second.describe() == "Greeter.greet: remote_error: words");
}

TEST_CASE("error: describe says the words of a code once, also where an exception has added them to its own") {
    const auto full = std::make_exception_ptr(std::system_error{std::make_error_code(std::errc::no_space_on_device), "writing"});
    const auto code_words = std::make_error_code(std::errc::no_space_on_device).message();
    CHECK(error::from_exception(full).message() == "writing: " + code_words);
    CHECK(error::from_exception(full).describe() == code_words + ": writing");
}

TEST_CASE("error: prints as it describes itself, in streams and where a test compares it in vain") {
    const error late{errc::deadline_exceeded, "no answer", executed::maybe};
    std::ostringstream log;
    log << "failed: " << late.with_where("Greeter.greet");
    CHECK(log.str() == "failed: Greeter.greet: deadline_exceeded: no answer");
    CHECK(doctest::toString(late) == "deadline_exceeded: no answer");
}

TEST_CASE("error: keeps codes of other categories, and numbers that it does not know") {
    const error foreign{std::make_error_code(std::errc::no_such_file_or_directory), "no file"};
    CHECK(foreign == std::make_error_code(std::errc::no_such_file_or_directory));
    CHECK_FALSE(foreign.is(cond::unavailable));
    const error unknown{static_cast<errc>(12345)};
    CHECK(unknown.message() == "unknown error 12345");
}

TEST_CASE("error: an exception comes back as it was thrown") {
    struct own : std::runtime_error {
        using std::runtime_error::runtime_error;
    };
    const auto kept = error::from_exception(std::make_exception_ptr(own{"mine"}), executed::yes);
    CHECK(kept == errc::remote_error);
    CHECK(kept.message() == "mine");
    CHECK(kept.ran() == executed::yes);
    CHECK_THROWS_WITH_AS(kept.raise(), "mine", own);

    const auto system =
        error::from_exception(std::make_exception_ptr(std::system_error{std::make_error_code(std::errc::timed_out)}));
    CHECK(system == std::make_error_code(std::errc::timed_out));
    CHECK_THROWS_AS(system.raise(), std::system_error);

    const auto number = error::from_exception(std::make_exception_ptr(5));
    CHECK(number == errc::remote_error);
    CHECK_THROWS_AS(number.raise(), int);

    const error inner{errc::overloaded, "inside", executed::no};
    const auto unwrapped = error::from_exception(std::make_exception_ptr(rpc_error{inner}));
    CHECK(unwrapped == errc::overloaded);
    CHECK(unwrapped.ran() == executed::no);
}

TEST_CASE("error: what an rpc_error says, says everything once") {
    CHECK(std::string{rpc_error{errc::unavailable}.what()} == "unavailable");
    const auto full = error{errc::remote_error, "no such user"}.with_where("Users.find at tcp://127.0.0.1:1");
    CHECK(std::string{rpc_error{full}.what()} == "Users.find at tcp://127.0.0.1:1: remote_error: no such user");
    CHECK(rpc_error{full}.what() == full.describe());
    CHECK(rpc_error{full}.code() == errc::remote_error);
    CHECK(rpc_error{full}.detail().where() == "Users.find at tcp://127.0.0.1:1");
    CHECK(std::error_code{errc::deadline_exceeded} == cond::timeout);
}

}  // namespace
