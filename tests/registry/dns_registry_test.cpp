// SPDX-License-Identifier: Apache-2.0
#include <futon/registry/dns_registry.hpp>

#include "registry/conformance.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace std::chrono_literals;

namespace {

struct answered_record {
    std::uint16_t priority;
    std::uint16_t weight;
    std::uint16_t port;
    std::string host;
};

void append_number(std::string& to, unsigned number) {
    to.push_back(static_cast<char>(number >> 8 & 0xff));
    to.push_back(static_cast<char>(number & 0xff));
}
void append_name(std::string& to, std::string_view name) {
    while (!name.empty()) {
        const auto label = name.substr(0, name.find('.'));
        to.push_back(static_cast<char>(label.size()));
        to.append(label);
        name.remove_prefix(std::min(name.size(), label.size() + 1));
    }
    to.push_back('\0');
}
// An answer to `question`, a whole query of one question; the names of the records point back to it.
std::string srv_answer_to(std::string_view question, const std::vector<answered_record>& records, unsigned code = 0) {
    std::string answer{question.substr(0, 2)};
    append_number(answer, 0x8180 | code);
    append_number(answer, 1);
    append_number(answer, static_cast<unsigned>(records.size()));
    append_number(answer, 0);
    append_number(answer, 0);
    const auto end = question.find('\0', 12) + 5;
    answer.append(question.substr(12, end - 12));
    for (const auto& each : records) {
        append_number(answer, 0xc00c);
        append_number(answer, 33);
        append_number(answer, 1);
        append_number(answer, 0);
        append_number(answer, 5);
        std::string target;
        append_name(target, each.host);
        append_number(answer, static_cast<unsigned>(6 + target.size()));
        append_number(answer, each.priority);
        append_number(answer, each.weight);
        append_number(answer, each.port);
        answer.append(target);
    }
    return answer;
}

// A name server on a free port, which knows SRV records.
class name_server {
public:
    name_server() {
        socket_ = ::socket(AF_INET, SOCK_DGRAM, 0);
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof at;
        REQUIRE(::bind(socket_, reinterpret_cast<sockaddr*>(&at), size) == 0);
        REQUIRE(::getsockname(socket_, reinterpret_cast<sockaddr*>(&at), &size) == 0);
        address_ = "127.0.0.1:" + std::to_string(ntohs(at.sin_port));
        thread_ = std::thread{[this] { serve(); }};
    }
    name_server(const name_server&) = delete;
    name_server& operator=(const name_server&) = delete;
    ~name_server() {
        stop_ = true;
        thread_.join();
        ::close(socket_);
    }
    [[nodiscard]] const std::string& address() const { return address_; }
    void answer(std::vector<answered_record> records) {
        const std::lock_guard lock{mutex_};
        records_ = std::move(records);
    }

private:
    void serve() {
        while (!stop_) {
            pollfd waited{socket_, POLLIN, 0};
            if (::poll(&waited, 1, 20) <= 0) continue;
            char query[512];
            sockaddr_in from{};
            socklen_t size = sizeof from;
            const auto count = ::recvfrom(socket_, query, sizeof query, 0, reinterpret_cast<sockaddr*>(&from), &size);
            if (count < 17) continue;
            const std::lock_guard lock{mutex_};
            const auto reply =
                srv_answer_to({query, static_cast<std::size_t>(count)}, records_, records_.empty() ? 3 : 0);
            ::sendto(socket_, reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
        }
    }

    int socket_ = -1;
    std::string address_;
    std::mutex mutex_;
    std::vector<answered_record> records_;
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

TEST_CASE("dns registry: the addresses of a name, by the system's resolver") {
    futon::dns_registry registry{"localhost:12200"};
    conformance::ear heard;
    const auto listening = registry.subscribe("Greeter:1.0", heard.listener());
    REQUIRE(heard.wait([](const futon::provider_set& set) { return set.size() > 0; }));
    const bool found = heard.find({.host = "127.0.0.1", .port = 12200}) || heard.find({.host = "::1", .port = 12200});
    CHECK(found);
    CHECK(registry.text() == "dns:localhost:12200");
}

TEST_CASE("dns registry: asks again, keeps what it knew while nobody answers, and names the service") {
    std::mutex mutex;
    std::vector<std::string> hosts{"10.0.0.1", "10.0.0.2"};
    std::string asked;
    futon::any_registry registry = futon::dns_registry{
        "{service}.example.com:80",
        {.interval = 5ms,
         .resolver = [&](const std::string& name, std::uint16_t port) -> futon::result<std::vector<futon::provider>> {
             const std::lock_guard lock{mutex};
             asked = name;
             if (hosts.empty()) return futon::errc::unavailable;
             std::vector<futon::provider> made;
             for (const auto& each : hosts) made.push_back({.address = {.host = each, .port = port}});
             return made;
         }}};
    const auto answer = [&](std::vector<std::string> next) {
        const std::lock_guard lock{mutex};
        hosts = std::move(next);
    };
    conformance::ear heard;
    const auto listening = registry.subscribe("Greeter:1.0", heard.listener());
    REQUIRE(heard.wait_for_count(2));
    CHECK(asked == "Greeter.example.com");
    answer({"10.0.0.2", "10.0.0.3", "10.0.0.4"});
    CHECK(heard.wait_for_count(3));
    answer({});
    CHECK(heard.wait_for_errors(1));
    CHECK(heard.wait_for_count(3));
    answer({"10.0.0.4"});
    CHECK(heard.wait_for_count(1));
    CHECK(heard.errors() == 1);
    CHECK(heard.was_orderly());
}

TEST_CASE("dns registry: the hosts and ports of SRV records, those of the lowest priority") {
    name_server server;
    server.answer(
        {{10, 60, 9001, "h1.example.com"}, {10, 0, 9002, "h2.example.com"}, {20, 5, 9003, "spare.example.com"}});
    futon::dns_registry registry{"_futon._tcp.example.com", {.interval = 10ms, .server = server.address()}};
    conformance::ear heard;
    const auto listening = registry.subscribe("Greeter", heard.listener());
    REQUIRE(heard.wait_for_count(2));
    CHECK(heard.find({.host = "h1.example.com", .port = 9001})->weight == 60);
    CHECK(heard.find({.host = "h2.example.com", .port = 9002})->weight == 1);
    server.answer({{20, 0, 9003, "spare.example.com"}});
    REQUIRE(heard.wait_for_count(1));
    CHECK(heard.find({.host = "spare.example.com", .port = 9003})->weight == 100);
    server.answer({});  // The name does not exist any more: that is an answer.
    CHECK(heard.wait_for_count(0));
    CHECK(heard.errors() == 0);
}

TEST_CASE("dns registry: an answer is read whole or not at all, whatever the bytes") {
    std::string query("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00", 12);
    append_name(query, "_futon._tcp.example.com");
    append_number(query, 33);
    append_number(query, 1);
    const auto answer = srv_answer_to(query, {{1, 2, 3, "a.b"}, {4, 5, 6, "c.d.e"}});
    const auto read = futon::detail::srv_answer::read(futon::as_bytes(answer));
    REQUIRE(read.has_value());
    REQUIRE(read->size() == 2);
    CHECK((*read)[1].target == "c.d.e");
    CHECK((*read)[1].port == 6);
    for (std::size_t cut = 0; cut < answer.size(); ++cut) {
        const std::string part = answer.substr(0, cut);
        CHECK_FALSE(futon::detail::srv_answer::read(futon::as_bytes(part)).has_value());
    }
    // Any byte may be wrong: what is read then does not matter, that it ends does.
    for (std::size_t at = 0; at < answer.size(); ++at)
        for (const int value : {0, 1, 0x3f, 0x40, 0xc0, 0xff}) {
            auto wrong = answer;
            wrong[at] = static_cast<char>(value);
            static_cast<void>(futon::detail::srv_answer::read(futon::as_bytes(wrong)));
        }
    std::string loop = answer;
    loop[12] = static_cast<char>(0xc0);
    loop[13] = 12;
    CHECK_FALSE(futon::detail::srv_answer::read(futon::as_bytes(loop)).has_value());
}

TEST_CASE("dns registry: from a URL, and takes no registrations") {
    const auto open = [](std::string_view text) {
        return futon::dns_registry::open(futon::registry_url::parse(text).value());
    };
    auto registry = open("dns:greeter.example.com:80?interval=1s").value();
    CHECK(registry.text() == "dns:greeter.example.com:80");
    conformance::endings ended;
    registry.register_provider("s", conformance::at_port(1), ended.done());
    CHECK(ended.failed() == 1);
    CHECK_FALSE(open("dns:greeter.example.com").has_value());
    CHECK_FALSE(open("dns:").has_value());
    CHECK_FALSE(open("dns:h:1?every=1s").has_value());
    CHECK(open("dns:_futon._tcp.{service}.example.com").has_value());
}

}  // namespace
