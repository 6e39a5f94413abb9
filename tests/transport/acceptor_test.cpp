// SPDX-License-Identifier: Apache-2.0
#include <futon/transport/acceptor.hpp>

#include "transport/support/endpoints.hpp"

#include <doctest/doctest.h>

#include <array>
#include <fstream>
#include <future>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

using namespace futon_tests;
using namespace std::chrono_literals;

namespace {

TEST_CASE("acceptor: port 0 becomes a port that can be connected to, and bytes go both ways") {
    place at;
    listening here{at, {.host = "127.0.0.1"}};
    CHECK(here.address().port != 0);
    CHECK(at.speaks(here, here.address()));
}

TEST_CASE("acceptor: IPv6 in brackets") {
    place at;
    auto made = futon::detail::make_intrusive<futon::detail::acceptor>(
        at.io, [] { return futon::detail::io_place{}; }, nullptr);
    if (auto opened = made->open({.host = "::1"}); !opened) return;  // No IPv6 here.
    at.close(made);
    listening here{at, {.host = "::1"}};
    CHECK(here.address().text().starts_with("tcp://[::1]:"));
    CHECK(at.speaks(here, here.address()));
}

TEST_CASE("acceptor: an address in use is refused with its name and what to do") {
    place at;
    listening first{at, {.host = "127.0.0.1"}};
    const auto why = at.cannot_listen(first.address());
    CHECK(why == futon::errc::listen_failed);
    CHECK(why.message().find(first.address().text()) != std::string::npos);
    CHECK(why.message().find("another process has it") != std::string::npos);
}

TEST_CASE("acceptor: a port is free again at once when its listener has closed") {
    place at;
    futon::endpoint address;
    {
        listening first{at, {.host = "127.0.0.1"}};
        address = first.address();
        CHECK(at.speaks(first, address));
    }
    listening second{at, address};
    CHECK(second.address() == address);
}

TEST_CASE("acceptor: a privileged port says so") {
    if (::geteuid() == 0) return;  // Nothing is privileged for root.
    place at;
    const auto why = at.cannot_listen({.host = "127.0.0.1", .port = 80});
    CHECK(why == futon::errc::listen_failed);
    CHECK(why.message().find("ports below 1024 need privileges") != std::string::npos);
}

TEST_CASE("acceptor: an address of another machine, and a name that nobody knows") {
    place at;
    CHECK(at.cannot_listen({.host = "192.0.2.1", .port = 0}) == futon::errc::listen_failed);
    const auto why = at.cannot_listen({.host = "no-such-host.invalid", .port = 0});
    CHECK(why == futon::errc::listen_failed);
    CHECK(why.message().find("cannot resolve the host") != std::string::npos);
    CHECK(at.cannot_listen({.scheme = "bolt", .host = "h", .port = 1}) == futon::errc::unsupported_protocol);
}

TEST_CASE("acceptor: a unix socket, gone when its listener has closed") {
    place at;
    const temporary_folder folder;
    const futon::endpoint address{.scheme = "unix", .path = folder.path() + "/s"};
    {
        listening here{at, address};
        CHECK(at.speaks(here, address));
        const auto why = at.cannot_listen(address);
        CHECK(why == futon::errc::listen_failed);
        CHECK(why.message().find(address.text()) != std::string::npos);
        // The failed attempt took nothing away from the one that listens; it only asked whether anybody does.
        CHECK(here.next() != nullptr);
        CHECK(at.speaks(here, address));
    }
    CHECK(::access(address.path.c_str(), F_OK) != 0);
}

TEST_CASE("acceptor: replaces a socket that a dead process left, and nothing else") {
    place at;
    const temporary_folder folder;
    const futon::endpoint stale{.scheme = "unix", .path = folder.path() + "/stale"};
    {
        // Bound and closed without being removed, as a killed process leaves it.
        asio::io_context unused;
        asio::local::stream_protocol::acceptor left{unused, asio::local::stream_protocol::endpoint{stale.path}};
    }
    REQUIRE(::access(stale.path.c_str(), F_OK) == 0);
    {
        listening here{at, stale};
        CHECK(at.speaks(here, stale));
    }
    const futon::endpoint file{.scheme = "unix", .path = folder.path() + "/file"};
    std::ofstream{file.path} << "precious";
    CHECK(at.cannot_listen(file) == futon::errc::listen_failed);
    CHECK(::access(file.path.c_str(), F_OK) == 0);
}

TEST_CASE("acceptor: goes on after exceptions of who takes connections, and of who says where they shall live") {
    std::vector<std::string> reports;  // On the I/O thread.
    const futon::runtime threads{{.log = [&](const futon::log_record& record) { reports.emplace_back(record.text); }}};
    place at{threads};
    int chosen = 0;
    int taken = 0;
    std::promise<void> good;
    auto made = futon::detail::make_intrusive<futon::detail::acceptor>(
        at.io,
        [&] {
            if (++chosen % 2 == 1) throw std::bad_alloc{};
            return at.io;
        },
        [&](futon::detail::io_place, std::unique_ptr<futon::detail::byte_stream>) {
            if (++taken < 3) throw std::runtime_error{"not now"};
            good.set_value();
        });
    made->open({.host = "127.0.0.1"}).value();
    made->start();
    for (int i = 0; i < 3; ++i) CHECK(at.connect(made->address()).has_value());
    good.get_future().get();
    at.close(made);
    CHECK(taken == 3);
    CHECK(chosen == 7);
    CHECK(reports == std::vector<std::string>{"std::bad_alloc", "not now", "std::bad_alloc", "not now",
                                              "std::bad_alloc", "std::bad_alloc"});
}

TEST_CASE("acceptor: ends with what is being accepted") {
    for (int round = 0; round < 20; ++round) {
        place at;
        listening here{at, {.host = "127.0.0.1"}};
        static_cast<void>(
            futon::detail::connector::start(at.io, here.address(), 1h, [](futon::detail::connector::outcome) {}));
    }
}

}  // namespace
