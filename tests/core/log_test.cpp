// SPDX-License-Identifier: Apache-2.0
#include <futon/core/log.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using futon::errc;
using futon::error;
using futon::log_level;
using futon::detail::diagnostics;

TEST_CASE("log: the sink gets what is important enough, with all its fields") {
    std::vector<std::string> seen;
    diagnostics reports{[&](const futon::log_record& record) {
                            seen.push_back(std::string{name(record.level)} + " " + std::string{record.kind} + " " +
                                           std::string{record.text} + " " + std::string{record.where});
                        },
                        log_level::info,
                        {}};
    reports.log({.level = log_level::debug, .kind = "quiet", .text = "not seen"});
    reports.log(
        {.level = log_level::warning, .kind = "connection_lost", .text = "reset", .where = "tcp://127.0.0.1:1"});
    CHECK(seen == std::vector<std::string>{"warning connection_lost reset tcp://127.0.0.1:1"});
}

TEST_CASE("log: unseen failures go to the hook, else to the sink; cancellations to neither") {
    std::vector<std::string> hooked;
    std::vector<std::string> logged;
    diagnostics with_hook{{}, log_level::warning, [&](const error& why) { hooked.push_back(why.message()); }};
    with_hook.unhandled(error{errc::unavailable, "gone"});
    with_hook.unhandled(errc::cancelled);
    with_hook.unhandled(errc::client_closed);
    CHECK(hooked == std::vector<std::string>{"gone"});
    CHECK(with_hook.unhandled_count.load() == 1);
    diagnostics with_sink{
        [&](const futon::log_record& record) { logged.emplace_back(record.kind); }, log_level::warning, {}};
    with_sink.unhandled(errc::unavailable);
    CHECK(logged == std::vector<std::string>{"unhandled_error"});
}

TEST_CASE("log: a sink or hook that throws does no harm") {
    diagnostics reports{[](const futon::log_record&) { throw std::runtime_error{"sink"}; }, log_level::debug,
                        [](const error&) { throw std::runtime_error{"hook"}; }};
    CHECK_NOTHROW(reports.log({.level = log_level::error, .kind = "k", .text = "t"}));
    CHECK_NOTHROW(reports.unhandled(errc::unavailable));
}

TEST_CASE("log: what is said once is told by its address, and remembered for so many") {
    futon::detail::diagnostics reports;
    const std::vector<char> things(2000);
    CHECK(reports.is_first(&things[0]));
    CHECK_FALSE(reports.is_first(&things[0]));
    for (std::size_t i = 1; i < 1024; ++i) CHECK(reports.is_first(&things[i]));
    // Past that it is silent rather than a line for each.
    CHECK_FALSE(reports.is_first(&things[1500]));
}

}  // namespace
