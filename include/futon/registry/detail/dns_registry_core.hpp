// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What the thread of a DNS registry does.

#include <futon/cluster/registry.hpp>
#include <futon/core/bytes.hpp>
#include <futon/registry/detail/srv_answer.hpp>
#include <futon/registry/dns_registry_options.hpp>
#include <futon/registry/provider_lists.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <sys/socket.h>

namespace futon::detail {

/// What to ask for a service.
struct dns_question {
    std::string name{};
    std::uint16_t port = 0;  ///< 0: SRV records say it.

    [[nodiscard]] static result<dns_question> parse(std::string_view pattern, std::string_view service) {
        dns_question made{.name = std::string{pattern}};
        constexpr std::string_view mark = "{service}";
        if (const auto at = made.name.find(mark); at != made.name.npos)
            made.name.replace(at, mark.size(), service.substr(0, service.find(':')));
        const auto bad = [&](std::string_view why) {
            return error{errc::bad_address, "'" + std::string{pattern} + "' cannot be asked for: " + std::string{why},
                         executed::no};
        };
        if (made.name.empty() || made.name.size() > 253) return bad("it is no name");
        if (made.name.front() == '_') return made;
        auto address = endpoint::parse(made.name);
        if (!address || address->scheme != "tcp" || address->port == 0)
            return bad("expected host:port, or a name of SRV records like _futon._tcp.example.com");
        made.name = std::move(address->host);
        made.port = address->port;
        return made;
    }
};

/// Asks the system for the addresses of a name. A name that does not exist has none.
[[nodiscard]] inline result<std::vector<provider>> resolve_addresses(const std::string& name, std::uint16_t port) {
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int code = ::getaddrinfo(name.c_str(), nullptr, &wanted, &found);
    if (code == EAI_NONAME) return std::vector<provider>{};
#ifdef EAI_NODATA
    if (code == EAI_NODATA) return std::vector<provider>{};
#endif
    if (code != 0)
        return error{errc::unavailable, "cannot resolve " + name + ": " + ::gai_strerror(code), executed::no};
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned{found, &::freeaddrinfo};
    std::vector<provider> made;
    for (const auto* each = found; each; each = each->ai_next) {
        std::array<char, NI_MAXHOST> text{};
        if (::getnameinfo(each->ai_addr, each->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) != 0)
            continue;
        // A link-local address with its interface is of no use to others, and no host of a provider.
        if (std::string_view{text.data()}.find('%') != std::string_view::npos) continue;
        made.push_back({.address = {.host = text.data(), .port = port}});
    }
    return made;
}

/// Asks for SRV records by the C library's resolver.
[[nodiscard]] inline result<std::vector<provider>> resolve_services(const std::string& name,
                                                                    const std::string& server) {
    struct __res_state state {};
    if (::res_ninit(&state) != 0) return error{errc::unavailable, "the resolver cannot be set up", executed::no};
    const std::unique_ptr<struct __res_state, void (*)(res_state)> owned{&state,
                                                                         [](res_state each) { ::res_nclose(each); }};
    state.retrans = 2;
    state.retry = 2;
    if (!server.empty()) {
        const auto at = endpoint::parse(server);
        in_addr address{};
        if (!at || ::inet_pton(AF_INET, at->host.c_str(), &address) != 1)
            return error{errc::bad_address, "'" + server + "' is not the address of a name server like 127.0.0.1:53",
                         executed::no};
        state.nscount = 1;
        state.nsaddr_list[0] = {};
        state.nsaddr_list[0].sin_family = AF_INET;
        state.nsaddr_list[0].sin_addr = address;
        state.nsaddr_list[0].sin_port = htons(at->port);
    }
    std::vector<unsigned char> answer(65536);
    const int size = ::res_nquery(&state, name.c_str(), 1, 33, answer.data(), static_cast<int>(answer.size()));
    if (size < 0) {
        if (state.res_h_errno == HOST_NOT_FOUND || state.res_h_errno == NO_DATA) return std::vector<provider>{};
        return error{errc::unavailable, "no name server answers for " + name, executed::no};
    }
    const auto count = std::min(static_cast<std::size_t>(size), answer.size());
    const auto records = srv_answer::read({reinterpret_cast<const std::byte*>(answer.data()), count});
    if (!records)
        return error{errc::unavailable, "a name server's answer for " + name + " cannot be read", executed::no};
    std::vector<provider> made;
    if (records->empty()) return made;
    const auto lowest = std::ranges::min(*records, {}, &srv_record::priority).priority;
    const bool weighed =
        std::ranges::any_of(*records, [&](const auto& each) { return each.priority == lowest && each.weight > 0; });
    for (const auto& each : *records) {
        if (each.priority != lowest) continue;
        provider one{.address = {.host = each.target, .port = each.port}};
        // Without any weights all are equal; beside others a zero means hardly ever (RFC 2782).
        if (weighed) one.weight = std::max<std::uint32_t>(1, each.weight);
        made.push_back(std::move(one));
    }
    return made;
}

/// Shared by the registry's handles and its thread.
class dns_registry_core {
public:
    [[nodiscard]] static std::shared_ptr<dns_registry_core> make(std::string name, dns_registry_options options) {
        auto made = std::make_shared<dns_registry_core>(std::move(name), std::move(options));
        made->lists_ = provider_lists{[weak = std::weak_ptr{made}] {
            if (const auto alive = weak.lock()) alive->wake();
        }};
        return made;
    }
    dns_registry_core(std::string name, dns_registry_options options)
        : name_{std::move(name)}, options_{std::move(options)} {}

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] provider_lists& lists() noexcept { return lists_; }
    void stop() {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
        lists_.close();
        changed_.notify_all();
    }

    /// The thread's body.
    void run() {
        std::map<std::string, time_point> due;
        for (;;) {
            const auto names = lists_.wanted();
            for (const auto& each : names) due.try_emplace(each, time_point::min());
            std::erase_if(due, [&](const auto& each) {
                return std::ranges::find(names, each.first) == names.end() && lists_.forget(each.first);
            });
            auto next = no_deadline;
            for (auto& [service, at] : due) {
                if (at <= clock::now() && !ask(service)) return;
                if (at <= clock::now()) at = clock::now() + pause();
                next = std::min(next, at);
            }
            std::unique_lock lock{mutex_};
            const auto woken = [&] { return stopping_ || std::exchange(woken_, false); };
            if (next == no_deadline)
                changed_.wait(lock, woken);
            else
                changed_.wait_until(lock, next, woken);
            if (stopping_) return;
        }
    }

private:
    void wake() {
        const std::lock_guard lock{mutex_};
        woken_ = true;
        changed_.notify_all();
    }
    // False: it is time to end.
    [[nodiscard]] bool ask(const std::string& service) {
        {
            const std::lock_guard lock{mutex_};
            if (stopping_) return false;
        }
        const auto question = dns_question::parse(name_, service);
        auto found = !question           ? result<std::vector<provider>>{question.error()}
                     : options_.resolver ? options_.resolver(question->name, question->port)
                     : question->port    ? resolve_addresses(question->name, question->port)
                                         : resolve_services(question->name, options_.server);
        if (found)
            lists_.publish(service, {.providers = *std::move(found)});
        else
            lists_.fail(service, std::move(found).error());
        return true;
    }
    [[nodiscard]] duration pause() {
        const auto spread = options_.interval / 5;
        std::uniform_int_distribution<std::int64_t> dice{-spread.count(), spread.count()};
        return options_.interval + duration{dice(random_)};
    }

    const std::string name_;
    const dns_registry_options options_;
    provider_lists lists_;
    std::minstd_rand random_{std::random_device{}()};
    std::mutex mutex_;
    std::condition_variable changed_;
    bool woken_ = false;
    bool stopping_ = false;
};

}  // namespace futon::detail
