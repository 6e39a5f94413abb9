// SPDX-License-Identifier: Apache-2.0
#include <futon/registry/file_registry.hpp>

#include "registry/conformance.hpp"
#include "registry/support/child_process.hpp"
#include "registry/support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <thread>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

using namespace std::chrono_literals;

namespace {

// Heartbeats often, so that what the system does not tell is seen soon; expiry late, for a busy machine.
constexpr futon::file_registry_options brisk{.heartbeat = 50ms, .expiry = 60s};

// This program once more, as a process that registers and does nothing else.
child_process registering_process(const std::string& directory, const std::string& service,
                                  const futon::provider& who) {
    return child_process{{"/proc/self/exe", "--test-case=file registry: a process that only registers"},
                         "/dev/null",
                         {{"FUTON_TEST_DIRECTORY", directory},
                          {"FUTON_TEST_SERVICE", service},
                          {"FUTON_TEST_PROVIDER", futon::provider_text(who)}}};
}
TEST_CASE("file registry: a process that only registers") {
    const char* const directory = std::getenv("FUTON_TEST_DIRECTORY");
    if (!directory) return;
    futon::file_registry registry{directory, brisk};
    registry.register_provider(std::getenv("FUTON_TEST_SERVICE"),
                               futon::parse_provider(std::getenv("FUTON_TEST_PROVIDER")).value(),
                               [](futon::result<void>) {});
    for (;;) ::pause();
}

template <bool Watch>
struct file_world {
    static constexpr bool ends_with_handle = true;
    temporary_directory directory{};
    temporary_directory old{};
    int restarts = 0;
    const std::string& path = directory.path();

    futon::any_registry open() {
        auto options = brisk;
        options.watch = Watch;
        return futon::file_registry{path, options};
    }
    void spoil(const std::string& service) const {
        std::ofstream{path + "/" + service + "/tcp:spoilt:1"} << "tcp://h:1?weight=-1\n";
    }
    void restart_empty() {
        // At once, while its processes write into it.
        std::filesystem::rename(path, old.path() + "/" + std::to_string(++restarts));
        REQUIRE((::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST));
    }
    void crash(const std::string& service, const futon::provider& who, const std::function<bool()>& seen) const {
        auto process = registering_process(path, service, who);
        CHECK(seen());
        process.end(SIGKILL);
    }
};
using watching_world = file_world<true>;
using polling_world = file_world<false>;
TEST_CASE_TEMPLATE_INVOKE(registry_conformance, watching_world, polling_world);

TEST_CASE("file registry: a process that is stopped is gone, and back when it goes on") {
    temporary_directory directory;
    auto process = registering_process(directory.path(), "s", conformance::at_port(1));
    futon::file_registry registry{directory.path(), {.heartbeat = 20ms, .expiry = 500ms}};
    conformance::ear heard;
    const auto listening = registry.subscribe("s", heard.listener());
    REQUIRE(heard.wait_for_count(1));
    process.signal(SIGSTOP);
    CHECK(heard.wait_for_count(0));
    process.signal(SIGCONT);
    CHECK(heard.wait_for_count(1));
}

TEST_CASE("file registry: what a dead process left behind is removed in the end") {
    temporary_directory directory;
    auto process = registering_process(directory.path(), "s", conformance::at_port(1));
    futon::file_registry registry{directory.path(), {.heartbeat = 20ms, .expiry = 100ms}};
    conformance::ear heard;
    const auto listening = registry.subscribe("s", heard.listener());
    REQUIRE(heard.wait([](const futon::provider_set& set) { return set.stats().lists > 0 && set.size() == 1; }));
    process.end(SIGKILL);
    const auto path = directory.path() + "/s/tcp:127.0.0.1:1";
    const auto ceiling = std::chrono::steady_clock::now() + conformance::hung;
    while (std::filesystem::exists(path) && std::chrono::steady_clock::now() < ceiling) std::this_thread::yield();
    CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("file registry: people may write into it") {
    temporary_directory directory;
    std::filesystem::create_directory(directory.path() + "/Greeter:1.0");
    std::ofstream{directory.path() + "/Greeter:1.0/mine"} << "tcp://10.0.0.1:12200?zone=a";
    std::ofstream{directory.path() + "/Greeter:1.0/settings"}
        << "# while the database is slow\ntimeout=500ms\n\nretries=2\n";
    futon::file_registry registry{directory.path(), brisk};
    conformance::ear heard;
    const auto listening = registry.subscribe("Greeter:1.0", heard.listener());
    REQUIRE(heard.wait_for_count(1));
    CHECK(heard.find({.host = "10.0.0.1", .port = 12200})->zone == "a");
    CHECK(heard.wait_for_settings({{"timeout", "500ms"}, {"retries", "2"}}));
    std::filesystem::remove(directory.path() + "/Greeter:1.0/mine");
    CHECK(heard.wait_for_count(0));
}

TEST_CASE("file registry: links, pipes, long files and directories are not read") {
    temporary_directory directory;
    const auto service = directory.path() + "/s";
    std::filesystem::create_directory(service);
    std::ofstream{directory.path() + "/elsewhere"} << "tcp://h:1";
    std::filesystem::create_symlink(directory.path() + "/elsewhere", service + "/link");
    REQUIRE(::mkfifo((service + "/pipe").c_str(), 0600) == 0);
    std::ofstream{service + "/long"} << "tcp://h:1\n" << std::string(100'000, 'x');
    std::filesystem::create_directory(service + "/directory");
    std::ofstream{service + "/empty"};
    std::ofstream{service + "/good"} << "tcp://h:2";
    futon::file_registry registry{directory.path(), brisk};
    conformance::ear heard;
    const auto listening = registry.subscribe("s", heard.listener());
    REQUIRE(heard.wait_for_count(1));
    CHECK(heard.refused() == 5);
}

TEST_CASE("file registry: what cannot be read is named, with the reason") {
    const auto fault_of = [](const std::string& content) {
        temporary_directory directory;
        std::filesystem::create_directory(directory.path() + "/s");
        std::ofstream{directory.path() + "/s/mine"} << content;
        futon::file_registry registry{directory.path(), brisk};
        std::promise<std::string> told;
        const auto listening = registry.subscribe("s", [&, first = true](const auto& update) mutable {
            if (std::exchange(first, false)) told.set_value(update.value().fault);
        });
        auto text = told.get_future().get();
        const auto at = text.find(directory.path());
        return at == text.npos ? text : text.erase(at, directory.path().size());
    };
    CHECK(fault_of("tcp://h:1").empty());
    CHECK(fault_of("tcp://h:1\nowner me\n").empty());
    CHECK(fault_of("tcp://h:port").starts_with("'/s/mine': "));
    CHECK(fault_of("tcp://h:1\nmine\n") == "'/s/mine': its second line must be 'owner', a blank and a name");
}

TEST_CASE("file registry: a directory that is not there is an error, and found when it comes") {
    temporary_directory directory;
    const auto path = directory.path() + "/later";
    futon::any_registry calling = futon::file_registry{path, brisk};
    conformance::ear heard;
    const auto listening = calling.subscribe("s", heard.listener());
    REQUIRE(heard.wait_for_errors(1));
    CHECK(heard.last_error()->is(futon::cond::unavailable));
    CHECK(heard.last_error()->message().find(path) != std::string::npos);
    futon::any_registry serving = futon::file_registry{path, brisk};
    REQUIRE(conformance::registers(serving, "s", conformance::at_port(1)));
    CHECK(heard.wait_for_count(1));
    CHECK(heard.errors() == 1);
}

TEST_CASE("file registry: only this user may read the files, and nobody else may have made the directory") {
    temporary_directory directory;
    const auto path = directory.path() + "/registry";
    futon::any_registry registry = futon::file_registry{path, brisk};
    REQUIRE(conformance::registers(registry, "s", conformance::at_port(1)));
    const auto mode = [](const std::string& of) {
        return static_cast<unsigned>(std::filesystem::status(of).permissions()) & 0777u;
    };
    CHECK(mode(path) == 0700);
    CHECK(mode(path + "/s") == 0700);
    CHECK(mode(path + "/s/tcp:127.0.0.1:1") == 0600);
    CHECK(mode(path + "/.owners") == 0700);

    const auto open = directory.path() + "/open";
    std::filesystem::create_directory(open);
    std::filesystem::permissions(open, std::filesystem::perms::all);
    futon::any_registry other = futon::file_registry{open, brisk};
    conformance::endings ended;
    other.register_provider("s", conformance::at_port(1), ended.done());
    CHECK(ended.failed() == 1);
    CHECK(ended.last_error().value() == futon::errc::permission_denied);
    conformance::ear heard;
    const auto listening = other.subscribe("s", heard.listener());
    CHECK(heard.wait_for_errors(1));
    CHECK(heard.last_error().value() == futon::errc::permission_denied);
    CHECK(heard.last_error()->message() == open + " may be written by others: chmod go-w " + open);
}

TEST_CASE("file registry: writers that are killed leave no half of a file") {
    temporary_directory directory;
    futon::file_registry registry{directory.path(), brisk};
    conformance::ear heard;
    const auto listening = registry.subscribe("s", heard.listener());
    for (int round = 0; round < 5; ++round) {
        std::vector<child_process> processes;
        for (int i = 0; i < 3; ++i) {
            auto who = conformance::at_port(100 + i);
            who.tags.set("long", std::string(2000, 'x'));
            processes.push_back(registering_process(directory.path(), "s", who));
        }
        // Killed at some moment of their beginning, and the last when they are there.
        if (round == 4) CHECK(heard.wait_for_count(3));
        for (auto& each : processes) each.end(SIGKILL);
    }
    CHECK(heard.wait_for_count(0));
    CHECK(heard.refused() == 0);
    CHECK(heard.was_orderly());
}

TEST_CASE("file registry: may end inside its own listener") {
    temporary_directory directory;
    auto registry = std::make_shared<std::optional<futon::file_registry>>(std::in_place, directory.path(), brisk);
    std::promise<void> ended;
    auto listening = std::make_shared<futon::subscription>();
    conformance::ear heard;
    heard.then([&] {
        listening->end();
        registry->reset();
        ended.set_value();
    });
    // The listener cannot begin before the subscription is kept.
    std::promise<void> kept;
    auto is_kept = kept.get_future().share();
    *listening =
        (*registry)->subscribe("s", [is_kept, inner = heard.listener()](futon::result<futon::provider_update> told) {
            is_kept.wait();
            inner(std::move(told));
        });
    kept.set_value();
    CHECK(ended.get_future().wait_for(conformance::hung) == std::future_status::ready);
}

TEST_CASE("file registry: from a URL") {
    const auto open = [](std::string_view text) {
        return futon::file_registry::open(futon::registry_url::parse(text).value());
    };
    CHECK(open("file:///nowhere/futon?heartbeat=1s&expiry=5s").value().text() == "file:///nowhere/futon");
    CHECK_FALSE(open("file:relative").has_value());
    CHECK_FALSE(open("file:///x?hartbeat=1s").has_value());
    CHECK_FALSE(open("file:///x?heartbeat=soon").has_value());
    CHECK_FALSE(open("file:///x?heartbeat=5s&expiry=5s").has_value());
    CHECK(open("file:///x?heartbeat=1m").has_value());  // The expiry grows with it.
}

}  // namespace
