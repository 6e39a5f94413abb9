// SPDX-License-Identifier: Apache-2.0
#include <futon/registry/etcd_registry.hpp>

#include <futon/registry/open_registry.hpp>

#include "etcd/support/etcd_server.hpp"
#include "registry/conformance.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

#include <unistd.h>

using namespace std::chrono_literals;
using futon::detail::to_base64;

namespace {

// The shortest lease that etcd grants, and short pauses, for the tests' sake.
futon::etcd_registry_options quick_etcd(const etcd_server& server, std::string prefix) {
    return {.servers = {server.url()}, .prefix = std::move(prefix), .lease = 2s, .timeout = 2s, .retry = 100ms};
}

TEST_CASE("etcd registry: a process that only registers") {
    const char* const server = std::getenv("FUTON_TEST_SERVER");
    if (!server) return;
    futon::etcd_registry registry{{.servers = {server}, .prefix = std::getenv("FUTON_TEST_PREFIX"), .lease = 2s}};
    registry.register_provider(std::getenv("FUTON_TEST_SERVICE"),
                               futon::parse_provider(std::getenv("FUTON_TEST_PROVIDER")).value(),
                               [](futon::result<void>) {});
    for (;;) ::pause();
}

struct etcd_world {
    static constexpr bool ends_with_handle = true;
    static bool is_available() { return etcd_server::is_installed(); }
    etcd_server& server = shared_server();
    std::string prefix = "/test" + std::to_string(++worlds());

    futon::any_registry open() const { return futon::etcd_registry{quick_etcd(server, prefix)}; }
    void spoil(const std::string& service) const {
        server.ask("/v3/kv/put", {{"key", to_base64(prefix + "/" + service + "/spoilt")},
                                  {"value", to_base64("tcp://h:1?weight=-1")}});
    }
    void restart_empty() const {
        server.kill();
        server.wipe();
        server.start();
    }
    void crash(const std::string& service, const futon::provider& who, const std::function<bool()>& seen) const {
        child_process process{{"/proc/self/exe", "--test-case=etcd registry: a process that only registers"},
                              "/dev/null",
                              {{"FUTON_TEST_SERVER", server.url()},
                               {"FUTON_TEST_PREFIX", prefix},
                               {"FUTON_TEST_SERVICE", service},
                               {"FUTON_TEST_PROVIDER", futon::provider_text(who)}}};
        CHECK(seen());
        process.end(SIGKILL);
    }

    // One for all: starting it takes longer than most of the tests.
    static etcd_server& shared_server() {
        static etcd_server server;
        return server;
    }
    static std::atomic<int>& worlds() {
        static std::atomic<int> count{0};
        return count;
    }
};
TEST_CASE_TEMPLATE_INVOKE(registry_conformance, etcd_world);

TEST_CASE("etcd registry: lives through the server's death, with its data, and through compaction") {
    if (!etcd_server::is_installed()) return;
    etcd_server server;
    futon::any_registry serving = futon::etcd_registry{quick_etcd(server, "/s")};
    futon::any_registry calling = futon::etcd_registry{quick_etcd(server, "/s")};
    conformance::ear heard;
    const auto listening = calling.subscribe("s", heard.listener());
    REQUIRE(conformance::registers(serving, "s", conformance::at_port(1)));
    REQUIRE(heard.wait_for_count(1));
    server.kill();
    CHECK(heard.wait_for_errors(1));
    CHECK(heard.wait_for_count(1));  // The list stays.
    // Registered while there is no server: told of, and done later.
    conformance::endings ended;
    serving.register_provider("s", conformance::at_port(2), ended.done());
    REQUIRE(ended.failed() == 1);
    CHECK(ended.last_error()->is(futon::cond::unavailable));
    server.start();
    CHECK(heard.wait_for_count(2));
    const auto revision = server.ask("/v3/kv/put", {{"key", to_base64("/other")}, {"value", ""}})["header"]["revision"];
    server.ask("/v3/kv/compaction", {{"revision", revision}, {"physical", true}});
    server.kill();
    server.start();
    REQUIRE(conformance::registers(serving, "s", conformance::at_port(3)));
    CHECK(heard.wait_for_count(3));
    CHECK(heard.was_orderly());
}

TEST_CASE("etcd registry: a watch from a revision that was compacted away is ended by the server, and begun anew") {
    if (!etcd_server::is_installed()) return;
    etcd_server server;
    for (const char* value : {"1", "2", "3"})
        server.ask("/v3/kv/put", {{"key", to_base64("/k")}, {"value", to_base64(value)}});
    server.ask("/v3/kv/compaction", {{"revision", "4"}, {"physical", true}});
    // What the core relies on: the stream stays open, and a line says that the watch is over.
    futon::detail::etcd_http http{{server.url()}, "", "", 5s};
    bool cancelled = false;
    bool ended = false;
    const auto watch = http.stream(
        "/v3/watch", {{"create_request", {{"key", to_base64("/k")}, {"start_revision", "2"}}}},
        [&](const nlohmann::json& line) {
            cancelled = cancelled || futon::detail::json_flag(futon::detail::json_part(line, "result"), "canceled");
        },
        [&](const futon::detail::etcd_outcome&) { ended = true; });
    const auto ceiling = futon::clock::now() + conformance::hung;
    while (!cancelled && futon::clock::now() < ceiling) http.step(ceiling);
    CHECK(cancelled);
    CHECK_FALSE(ended);
    http.cancel(watch);
    CHECK(http.under_way() == 0);
}

TEST_CASE("etcd registry: a server that is stopped is an error, and its lost lease is granted anew") {
    if (!etcd_server::is_installed()) return;
    etcd_server server;
    auto options = quick_etcd(server, "/s");
    options.timeout = 300ms;
    options.resync = 200ms;
    futon::any_registry serving = futon::etcd_registry{options};
    futon::any_registry calling = futon::etcd_registry{options};
    conformance::ear heard;
    const auto listening = calling.subscribe("s", heard.listener());
    REQUIRE(conformance::registers(serving, "s", conformance::at_port(1)));
    REQUIRE(heard.wait_for_count(1));
    server.signal(SIGSTOP);
    CHECK(heard.wait_for_errors(1));
    CHECK(heard.find(conformance::at_port(1).address).has_value());
    server.signal(SIGCONT);
    // Whether or not the lease ran out meanwhile: in the end it is there, and so is what follows.
    conformance::endings ended;
    serving.register_provider("s", conformance::at_port(2), ended.done());
    CHECK(heard.wait_for_count(2));
}

TEST_CASE("etcd registry: asks the next server where one is not there") {
    if (!etcd_server::is_installed()) return;
    etcd_server server;
    auto options = quick_etcd(server, "/s");
    options.servers.insert(options.servers.begin(), "http://127.0.0.1:" + std::to_string(free_port()));
    futon::any_registry registry = futon::etcd_registry{options};
    conformance::ear heard;
    const auto listening = registry.subscribe("s", heard.listener());
    conformance::endings ended;
    registry.register_provider("s", conformance::at_port(1), ended.done());
    CHECK(heard.wait_for_count(1));
    // Its first attempt may have gone to the server that is not there, and then says so; once, in any case.
    const int failed = ended.failed();
    CHECK((failed == 0 || failed == 1));
    if (failed == 1) CHECK(ended.last_error()->is(futon::cond::unavailable));
}

// From here on it answers only root, whose password is "secret".
void demand_password(const etcd_server& server) {
    server.ask("/v3/auth/user/add", {{"name", "root"}, {"password", "secret"}});
    server.ask("/v3/auth/role/add", {{"name", "root"}});
    server.ask("/v3/auth/user/grant", {{"user", "root"}, {"role", "root"}});
    server.ask("/v3/auth/enable", nlohmann::json::object());
}

TEST_CASE("etcd: a request whose token the server has forgotten is made again with a new one") {
    if (!etcd_server::is_installed()) return;
    etcd_server server;
    demand_password(server);
    futon::detail::etcd_http http{{server.url()}, "root", "secret", 10s};
    const auto put = [&] {
        std::optional<futon::detail::etcd_outcome> outcome;
        http.post("/v3/kv/put", {{"key", to_base64("k")}, {"value", to_base64("v")}},
                  [&](futon::detail::etcd_outcome how) { outcome = std::move(how); });
        while (!outcome) http.step(futon::clock::now() + 1s);
        return outcome->answer ? std::string{"done"} : outcome->answer.error().message();
    };
    CHECK(put() == "done");
    server.end();
    server.start();
    CHECK(put() == "done");
}

TEST_CASE("etcd registry: shows who it is") {
    if (!etcd_server::is_installed()) return;
    etcd_server server;
    demand_password(server);
    auto options = quick_etcd(server, "/s");
    const auto error_of = [&](const std::string& user, const std::string& password) {
        options.user = user;
        options.password = password;
        futon::any_registry registry = futon::etcd_registry{options};
        conformance::ear heard;
        const auto listening = registry.subscribe("s", heard.listener());
        CHECK(heard.wait_for_errors(1));
        return heard.last_error().value();
    };
    CHECK(error_of("", "") == futon::errc::unauthenticated);
    CHECK(error_of("root", "wrong") == futon::errc::unauthenticated);
    options.user = "root";
    options.password = "secret";
    futon::any_registry serving = futon::etcd_registry{options};
    futon::any_registry calling = futon::etcd_registry{options};
    conformance::ear heard;
    const auto listening = calling.subscribe("s", heard.listener());
    REQUIRE(conformance::registers(serving, "s", conformance::at_port(1)));
    CHECK(heard.wait_for_count(1));
    // A restart makes all tokens unknown.
    server.kill();
    server.start();
    conformance::endings ended;
    serving.register_provider("s", conformance::at_port(2), ended.done());
    CHECK(heard.wait_for_count(2));
}

TEST_CASE("etcd registry: what an operator sets reaches the listeners") {
    if (!etcd_server::is_installed()) return;
    etcd_world world;
    auto registry = world.open();
    conformance::ear heard;
    const auto listening = registry.subscribe("s", heard.listener());
    REQUIRE(heard.wait_for_count(0));
    world.server.ask("/v3/kv/put", {{"key", to_base64(world.prefix + "/s/settings")},
                                    {"value", to_base64("timeout=500ms&retries=2")}});
    CHECK(heard.wait_for_settings({{"timeout", "500ms"}, {"retries", "2"}}));
}

TEST_CASE("etcd registry: by TLS, believes only whom it is told to believe, and shows its own certificate") {
    if (!etcd_server::is_installed()) return;
    const auto certificates = std::make_shared<const test_certificates>();
    etcd_server server{certificates};
    auto options = quick_etcd(server, "/s");
    options.servers = {server.url_of("localhost")};
    options.tls = {.ca_file = certificates->file("ca.pem"),
                   .certificate_file = certificates->file("client.pem"),
                   .key_file = certificates->file("client.key")};
    futon::any_registry serving = futon::etcd_registry{options};
    const auto url = "etcd" + server.url_of("localhost").substr(5) + "/s?ca=" + certificates->file("ca.pem") +
                     "&certificate=" + certificates->file("client.pem") + "&key=" + certificates->file("client.key");
    futon::any_registry calling = futon::open_registry<futon::etcd_registry>(url).value();
    conformance::ear heard;
    const auto listening = calling.subscribe("s", heard.listener());
    // Again until the server is there.
    serving.register_provider("s", conformance::at_port(1), [](futon::result<void>) {});
    REQUIRE(heard.wait_for_count(1));

    const auto error_with = [&](const futon::etcd_tls_options& tls, const std::string& host = "localhost") {
        options.servers = {server.url_of(host)};
        options.tls = tls;
        futon::any_registry registry = futon::etcd_registry{options};
        conformance::ear ear;
        const auto subscribed = registry.subscribe("s", ear.listener());
        REQUIRE(ear.wait_for_errors(1));
        return ear.last_error().value();
    };
    const auto good = options.tls;
    const auto with = [&](auto change) {
        auto tls = good;
        change(tls);
        return tls;
    };
    CHECK(error_with(with([](auto& tls) { tls.ca_file.clear(); })) == futon::errc::tls_failed);
    CHECK(error_with(with([&](auto& tls) { tls.ca_file = certificates->file("stranger.pem"); })) ==
          futon::errc::tls_failed);
    // Its certificate is for "localhost", not for an address.
    CHECK(error_with(good, "127.0.0.1") == futon::errc::tls_failed);
    const auto missing = error_with(with([](auto& tls) { tls.certificate_file = "/no/such/file"; }));
    CHECK(missing == futon::errc::tls_failed);
    CHECK(missing.message().find("/no/such/file") != std::string::npos);
    // The server refuses it, by an alert that may come after the handshake.
    CHECK(error_with(with([](auto& tls) { tls.certificate_file = tls.key_file = ""; })).is(futon::cond::unavailable));

    options.servers = {server.url_of("127.0.0.1")};
    options.tls = with([](auto& tls) { tls.verify_name = false; });
    futon::any_registry unnamed = futon::etcd_registry{options};
    conformance::ear ear;
    const auto also = unnamed.subscribe("s", ear.listener());
    CHECK(ear.wait_for_count(1));
}

TEST_CASE("etcd registry: from a URL") {
    const auto open = futon::open_registry<futon::etcd_registry>;
    CHECK(open("etcd://127.0.0.1:1,127.0.0.1:2/prefix?lease=5s&user=u&password=p").value().text() ==
          "etcd at http://127.0.0.1:1/prefix");
    CHECK(open("etcd://127.0.0.1:1").value().text() == "etcd at http://127.0.0.1:1/futon");
    CHECK_FALSE(open("etcd://127.0.0.1").has_value());
    CHECK_FALSE(open("etcd://").has_value());
    CHECK_FALSE(open("etcd://h:1/p?ttl=1s").has_value());
    CHECK(open("etcd://h:1/p?ca=system").value().text() == "etcd at https://h:1/p");
    CHECK_FALSE(open("etcd://h:1/p?certificate=/me.pem").has_value());
}

}  // namespace
