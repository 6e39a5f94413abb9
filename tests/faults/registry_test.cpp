// SPDX-License-Identifier: Apache-2.0
// Registries that are cut off, emptied, or not there, while the servers that they list are well.

#include "faults/support/town.hpp"

#include <futon/registry/file_registry.hpp>
#include <futon/registry/snapshot_cache.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>

using namespace futon_tests;
namespace fs = std::filesystem;

namespace {

// The way by which the client comes to the registry's directory; the servers have another.
class passage {
public:
    explicit passage(const std::string& to) : to_{to} { open(); }
    [[nodiscard]] std::string path() const { return here_.path() + "/registry"; }
    void open() const { fs::create_directory_symlink(to_, path()); }
    void cut() const { fs::remove(path()); }

private:
    temporary_directory here_;
    std::string to_;
};

// Not the defaults, so that a test need not wait long; alike for all.
constexpr futon::file_registry_options brisk{.heartbeat = 500ms};
std::string brisk_url(const std::string& directory) { return "file://" + directory + "?heartbeat=500ms"; }

TEST_CASE(
    "faults: the client is cut off from the registry for 5 s: no call fails, and what is new is found when it is back (F15)") {
    const temporary_directory directory;
    fleet_of_processes servers{brisk_url(directory.path())};
    for (std::size_t i = 0; i < 4; ++i) servers[i].delay_us = 5'000;
    servers.start_first(3);
    const passage way{directory.path()};
    futon::client client{quiet_client(futon::file_registry{way.path(), brisk})};
    const auto stub = client.stub<Work>();
    client.wait_ready(hung).get();
    open_load load{stub, servers.book()};
    wait_for_providers(client, 3);
    load.goes_on(300ms);

    way.cut();
    load.goes_on(2s);
    // One leaves and another comes, of which the client hears only from the first.
    CHECK(servers.stop(0));
    servers.start(3);
    load.goes_on(3s);
    CHECK(client.stats().providers == 3);
    CHECK(servers[3].ran == 0);
    way.open();
    const auto healed = futon::clock::now();
    REQUIRE(load.goes_on_until([&] { return servers[3].ran > 0; }));
    const auto found = futon::clock::now();
    wait_for_providers(client, 3);
    CHECK(client.stats().providers == 3);
    CHECK(client.stats().suspect_providers == 0);
    load.goes_on(300ms);
    load.finish();
    load.check_truth();
    if (!load.may_be_judged(servers.stalled())) return;
    CHECK_MESSAGE(load.failed() == 0, load.failures());
    MESSAGE("F15: ", load.calls().size(), " calls, ", load.failed(), " failed; the new server was used ",
            ms(found - healed), " after the cut was mended (goal 2 s)");
}

TEST_CASE(
    "faults: the registry dies and comes back empty: the list is kept, all are registered again, and no call fails (F17)") {
    const temporary_directory parent;
    const auto directory = parent.path() + "/registry";
    fleet_of_processes servers{brisk_url(directory)};
    for (std::size_t i = 0; i < 3; ++i) servers[i].delay_us = 5'000;
    servers.start_first(3);
    futon::client client{quiet_client(futon::file_registry{directory, brisk})};
    const auto stub = client.stub<Work>();
    client.wait_ready(hung).get();
    open_load load{stub, servers.book()};
    wait_for_providers(client, 3);
    load.goes_on(300ms);

    // Gone, and a file in its place, so that nobody can make it again yet.
    fs::rename(directory, parent.path() + "/old");
    std::ofstream{directory}.close();
    load.goes_on(2s);
    CHECK(client.stats().providers == 3);
    fs::remove(directory);
    const auto empty = futon::clock::now();
    const auto listed = [&] {
        std::error_code none;
        std::size_t count = 0;
        for (const auto& each : fs::directory_iterator{directory + "/Work", none})
            count += each.path().filename().string().starts_with("tcp");
        return count;
    };
    REQUIRE(load.goes_on_until([&] { return listed() == 3; }));
    const auto registered = futon::clock::now();
    REQUIRE(load.goes_on_until(
        [&] { return client.stats().suspect_providers == 0 && client.stats().usable_providers == 3; }));
    // And it hears of changes again.
    CHECK(servers.stop(0));
    servers.start(0);
    wait_for_providers(client, 3);
    const auto before = servers[0].ran.load();
    REQUIRE(load.goes_on_until([&] { return servers[0].ran > before; }));
    load.goes_on(300ms);
    load.finish();
    load.check_truth();
    if (!load.may_be_judged(servers.stalled())) return;
    CHECK_MESSAGE(load.failed() == 0, load.failures());
    MESSAGE("F17: ", load.calls().size(), " calls, ", load.failed(), " failed; all were registered again ",
            ms(registered - empty), " after the empty registry could be written (heartbeat 500 ms)");
}

TEST_CASE(
    "faults: a client that starts while the registry is down begins with its snapshot, or says so at once and recovers (F20)") {
    const temporary_directory directory;
    const temporary_directory kept;
    fleet_of_processes servers{brisk_url(directory.path())};
    servers.start_first(3);
    const passage way{directory.path()};
    const auto registry = [&](const std::string& cache) {
        return futon::any_registry{futon::snapshot_cache{futon::file_registry{way.path(), brisk}, cache}};
    };
    {
        futon::client before{quiet_client(registry(kept.path()))};
        const auto stub = before.stub<Work>();
        REQUIRE(eventually([&] { return before.stats().providers == 3; }));
    }
    way.cut();

    const auto cold = futon::clock::now();
    futon::client with{quiet_client(registry(kept.path()))};
    const auto first = with.stub<Work>().buy(0).get_result();
    const auto answered = futon::clock::now();
    CHECK_MESSAGE(first.has_value(), (first ? "" : first.error().describe()));
    CHECK(with.stats().providers == 3);

    const temporary_directory nothing;
    const auto begun = futon::clock::now();
    futon::client without{quiet_client(registry(nothing.path()))};
    const auto stub = without.stub<Work>();
    const auto why = stub.buy(1).get_result();
    const auto told = futon::clock::now();
    REQUIRE_FALSE(why.has_value());
    CHECK(why.error() == futon::errc::no_provider);
    CHECK(why.error().ran() == futon::executed::no);
    way.open();
    const auto healed = futon::clock::now();
    std::int64_t next = 2;
    REQUIRE(eventually([&] { return stub.buy(next++).get_result().has_value(); }));
    const auto recovered = futon::clock::now();
    MESSAGE("F20: with a snapshot the first call was answered ", ms(answered - cold),
            " after the start (goal 1 s); without one it failed after ", ms(told - begun), ", and calls succeeded ",
            ms(recovered - healed), " after the registry was back (heartbeat 500 ms)");
}

}  // namespace
