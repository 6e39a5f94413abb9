// SPDX-License-Identifier: Apache-2.0
#include <futon/registry/zookeeper_registry.hpp>

#include <futon/registry/open_registry.hpp>

#include "registry/conformance.hpp"
#include "zookeeper/support/zookeeper_server.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>

#include <unistd.h>

using namespace std::chrono_literals;

namespace {

futon::zookeeper_registry_options quick_zookeeper(const std::string& servers, std::string root) {
    return {.servers = servers, .root = std::move(root), .session = 2s, .timeout = 2s, .retry = 100ms};
}

TEST_CASE("zookeeper registry: a process that only registers") {
    const char* const server = std::getenv("FUTON_TEST_SERVER");
    if (!server) return;
    futon::zookeeper_registry registry{quick_zookeeper(server, std::getenv("FUTON_TEST_ROOT"))};
    registry.register_provider(std::getenv("FUTON_TEST_SERVICE"),
                               futon::parse_provider(std::getenv("FUTON_TEST_PROVIDER")).value(),
                               [](futon::result<void>) {});
    for (;;) ::pause();
}

// Somebody else's session, by the client's blocking functions.
class other_session {
public:
    explicit other_session(const std::string& servers) {
        ::zoo_set_debug_level(ZOO_LOG_LEVEL_ERROR);
        handle_ = ::zookeeper_init2(servers.c_str(), nullptr, 5000, nullptr, nullptr, 0, [](const char*) {});
        const auto ceiling = futon::clock::now() + conformance::hung;
        while (::zoo_state(handle_) != ZOO_CONNECTED_STATE && futon::clock::now() < ceiling) ::poll(nullptr, 0, 5);
        REQUIRE(::zoo_state(handle_) == ZOO_CONNECTED_STATE);
    }
    other_session(const other_session&) = delete;
    other_session& operator=(const other_session&) = delete;
    ~other_session() { ::zookeeper_close(handle_); }

    void create(const std::string& path, const std::string& value, bool ephemeral) const {
        for (auto end = path.find('/', 1); end != path.npos; end = path.find('/', end + 1)) {
            const auto code = ::zoo_create(handle_, path.substr(0, end).c_str(), nullptr, -1, &ZOO_OPEN_ACL_UNSAFE,
                                           ZOO_PERSISTENT, nullptr, 0);
            REQUIRE((code == ZOK || code == ZNODEEXISTS));
        }
        REQUIRE(::zoo_create(handle_, path.c_str(), value.data(), static_cast<int>(value.size()), &ZOO_OPEN_ACL_UNSAFE,
                             ephemeral ? ZOO_EPHEMERAL : ZOO_PERSISTENT, nullptr, 0) == ZOK);
    }
    void set(const std::string& path, const std::string& value) const {
        REQUIRE(::zoo_set(handle_, path.c_str(), value.data(), static_cast<int>(value.size()), -1) == ZOK);
    }
    void remove(const std::string& path) const { REQUIRE(::zoo_delete(handle_, path.c_str(), -1) == ZOK); }
    // The only child, and its first byte of data.
    [[nodiscard]] std::pair<std::string, std::string> only_child(const std::string& path) const {
        String_vector names{};
        REQUIRE(::zoo_get_children(handle_, path.c_str(), 0, &names) == ZOK);
        REQUIRE(names.count == 1);
        std::pair<std::string, std::string> made{names.data[0], {}};
        ::deallocate_String_vector(&names);
        char buffer[64];
        int size = sizeof buffer;
        Stat about{};
        REQUIRE(::zoo_get(handle_, (path + "/" + made.first).c_str(), 0, buffer, &size, &about) == ZOK);
        CHECK(about.ephemeralOwner != 0);
        made.second.assign(buffer, static_cast<std::size_t>(size));
        return made;
    }

private:
    zhandle_t* handle_ = nullptr;
};

struct zookeeper_world {
    static constexpr bool ends_with_handle = true;
    static bool is_available() { return zookeeper_server::is_installed(); }
    zookeeper_server& server = shared_server();
    std::string root = "/test" + std::to_string(++worlds());

    futon::any_registry open() const { return futon::zookeeper_registry{quick_zookeeper(server.address(), root)}; }
    void spoil(const std::string& service) const {
        other_session{server.address()}.create(root + "/sofa-rpc/" + service + "/providers/nonsense", "", false);
    }
    void restart_empty() const {
        server.kill();
        server.wipe();
        server.start();
    }
    void crash(const std::string& service, const futon::provider& who, const std::function<bool()>& seen) const {
        child_process process{{"/proc/self/exe", "--test-case=zookeeper registry: a process that only registers"},
                              "/dev/null",
                              {{"FUTON_TEST_SERVER", server.address()},
                               {"FUTON_TEST_ROOT", root},
                               {"FUTON_TEST_SERVICE", service},
                               {"FUTON_TEST_PROVIDER", futon::provider_text(who)}}};
        CHECK(seen());
        process.end(SIGKILL);
    }

    static zookeeper_server& shared_server() {
        static zookeeper_server server;
        return server;
    }
    static std::atomic<int>& worlds() {
        static std::atomic<int> count{0};
        return count;
    }
};
TEST_CASE_TEMPLATE_INVOKE(registry_conformance, zookeeper_world);

TEST_CASE("zookeeper registry: nodes that SOFARPC wrote are discovered, and appear and vanish in time") {
    if (!zookeeper_server::is_installed()) return;
    zookeeper_world world;
    auto registry = world.open();
    conformance::ear plain;
    conformance::ear named;
    const auto listening = registry.subscribe("com.alipay.sofa.rpc.test.HelloService:1.0", plain.listener());
    const auto others = registry.subscribe("com.alipay.sofa.rpc.test.HelloService:1.0:blue", named.listener());
    REQUIRE(plain.wait_for_count(0));
    REQUIRE(named.wait_for_count(0));
    const auto directory = world.root + "/sofa-rpc/com.alipay.sofa.rpc.test.HelloService/providers/";
    // As SOFARPC 5.x names them: java.net.URLEncoder over the whole.
    const std::string first =
        "bolt%3A%2F%2F10.15.232.229%3A22000%3FuniqueId%3D%26version%3D1.0%26timeout%3D0%26delay%3D-1%26id%3Drpc-cfg-0%26dynamic%3Dtrue%26weight%3D200%26"
        "accepts%3D100000%26startTime%3D1523240755024%26pid%3D22385%26language%3Djava%26rpcVer%3D50300%26warmupTime%3D30000%26warmupWeight%3D10";
    const std::string second =
        "bolt%3A%2F%2F10.15.232.230%3A22000%3FuniqueId%3Dblue%26version%3D1.0%26weight%3D50%26serialization%3Dhessian2%26appName%3Dhello+app";
    {
        const other_session java{world.server.address()};
        java.create(directory + first, "\x01", true);
        java.create(directory + second, "\x01", true);
        REQUIRE(plain.wait_for_count(1));
        REQUIRE(named.wait_for_count(1));
        const auto one = plain.find({.scheme = "bolt", .host = "10.15.232.229", .port = 22000});
        REQUIRE(one.has_value());
        CHECK(one->version == "1.0");
        CHECK(one->weight == 200);
        CHECK(one->warm_up == 30s);
        CHECK(one->tags.get("uniqueId") == "");
        CHECK(one->tags.get("startTime") == "1523240755024");
        CHECK(one->tags.get("warmupWeight") == "10");
        const auto other = named.find({.scheme = "bolt", .host = "10.15.232.230", .port = 22000});
        REQUIRE(other.has_value());
        CHECK(other->tags.get("uniqueId") == "blue");
        CHECK(other->tags.get("appName") == "hello app");
        CHECK(other->weight == 50);
        java.remove(directory + first);
        CHECK(plain.wait_for_count(0));
        CHECK(plain.was_orderly());
    }
    // Its session has ended, and its nodes with it.
    CHECK(named.wait_for_count(0));
}

TEST_CASE("zookeeper registry: writes what SOFARPC's consumers take") {
    if (!zookeeper_server::is_installed()) return;
    zookeeper_world world;
    auto registry = world.open();
    futon::provider who{.address = {.scheme = "bolt", .host = "127.0.0.1", .port = 12200}, .weight = 50, .warm_up = 3s};
    REQUIRE(conformance::registers(registry, "com.example.HelloService:1.0", who));
    const auto [name, value] =
        other_session{world.server.address()}.only_child(world.root + "/sofa-rpc/com.example.HelloService/providers");
    CHECK(
        name ==
        "bolt%3A%2F%2F127.0.0.1%3A12200%3Fversion%3D1.0%26uniqueId%3D%26interface%3Dcom.example.HelloService%26protocol%3Dbolt%26weight%3D50%26language%3Dfuton%26warmupTime%3D3000");
    CHECK(value == "\x01");
}

TEST_CASE("zookeeper registry: configs and overrides become settings") {
    if (!zookeeper_server::is_installed()) return;
    zookeeper_world world;
    auto options = quick_zookeeper(world.server.address(), world.root);
    options.consumer_host = "10.0.0.9";
    futon::any_registry registry = futon::zookeeper_registry{options};
    conformance::ear heard;
    const auto listening = registry.subscribe("s:1.0", heard.listener());
    REQUIRE(heard.wait_for_count(0));
    const other_session operator_session{world.server.address()};
    operator_session.create(world.root + "/sofa-rpc/s/configs/timeout", "500", false);
    CHECK(heard.wait_for_settings({{"timeout", "500ms"}}));
    operator_session.set(world.root + "/sofa-rpc/s/configs/timeout", "700");
    CHECK(heard.wait_for_settings({{"timeout", "700ms"}}));
    operator_session.create(world.root + "/sofa-rpc/s/overrides/" +
                                futon::java_url_encode("consumer://10.0.0.9?timeout=900&loadBalancer=roundRobin"),
                            "", false);
    CHECK(heard.wait_for_settings({{"timeout", "900ms"}, {"balancer", "roundRobin"}}));
    operator_session.create(
        world.root + "/sofa-rpc/s/overrides/" + futon::java_url_encode("consumer://10.0.0.8?timeout=1"), "", false);
    operator_session.remove(world.root + "/sofa-rpc/s/configs/timeout");
    CHECK(heard.wait_for_settings({{"timeout", "900ms"}, {"balancer", "roundRobin"}}));
}

TEST_CASE("zookeeper registry: an expired session is begun anew, and a dead server waited for") {
    if (!zookeeper_server::is_installed()) return;
    zookeeper_server server;
    futon::any_registry serving = futon::zookeeper_registry{quick_zookeeper(server.address(), "/r")};
    futon::any_registry calling = futon::zookeeper_registry{quick_zookeeper(server.address(), "/r")};
    conformance::ear heard;
    const auto listening = calling.subscribe("s", heard.listener());
    REQUIRE(conformance::registers(serving, "s", conformance::at_port(1)));
    REQUIRE(heard.wait_for_count(1));
    server.kill();
    CHECK(heard.wait_for_errors(1));
    CHECK(heard.find(conformance::at_port(1).address).has_value());
    conformance::endings ended;
    serving.register_provider("s", conformance::at_port(2), ended.done());
    REQUIRE(ended.failed() == 1);  // Told of, and done later.
    CHECK(ended.last_error()->is(futon::cond::unavailable));
    server.start();
    CHECK(heard.wait_for_count(2));
    // Stopped for longer than a session lives: others see what it registered vanish, and come back.
    server.signal(SIGSTOP);
    CHECK(heard.wait_for_errors(2));
    server.signal(SIGCONT);
    // At once, or told of and done later: the session may be noticed to have ended only now.
    conformance::endings late;
    serving.register_provider("s", conformance::at_port(3), late.done());
    CHECK(heard.wait_for_count(3));
    CHECK(heard.was_orderly());
}

TEST_CASE("zookeeper registry: a client that was stopped until its session expired registers again") {
    if (!zookeeper_server::is_installed()) return;
    zookeeper_world world;
    auto registry = world.open();
    conformance::ear heard;
    const auto listening = registry.subscribe("s", heard.listener());
    child_process process{{"/proc/self/exe", "--test-case=zookeeper registry: a process that only registers"},
                          "/dev/null",
                          {{"FUTON_TEST_SERVER", world.server.address()},
                           {"FUTON_TEST_ROOT", world.root},
                           {"FUTON_TEST_SERVICE", "s"},
                           {"FUTON_TEST_PROVIDER", "tcp://h:1"}}};
    REQUIRE(heard.wait_for_count(1));
    process.signal(SIGSTOP);
    CHECK(heard.wait_for_count(0));
    process.signal(SIGCONT);
    CHECK(heard.wait_for_count(1));
}

TEST_CASE("zookeeper registry: from a URL") {
    const auto open = futon::open_registry<futon::zookeeper_registry>;
    CHECK(open("zookeeper://127.0.0.1:1,127.0.0.1:2/root?session=5s").value().text() ==
          "zookeeper at 127.0.0.1:1,127.0.0.1:2/root");
    CHECK_FALSE(open("zookeeper://127.0.0.1").has_value());
    CHECK_FALSE(open("zookeeper://").has_value());
    CHECK_FALSE(open("zookeeper://h:1/root/").has_value());
    CHECK_FALSE(open("zookeeper://h:1?lease=1s").has_value());
}

}  // namespace
