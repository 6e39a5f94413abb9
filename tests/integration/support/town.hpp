// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Servers that come and go, a registry that the test writes, and a client that finds them, in virtual time.

#include <futon/futon.hpp>
#include <futon/testing.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace futon_tests {

struct Shop {
    std::string who();
    std::string buy();
    std::string slowly(int ms);
    void fail();
};
FUTON_SERVICE(Shop, (who, futon::idempotent), buy, slowly, fail)

struct shop_impl {
    std::string name;
    int* bought;
    std::string who() const { return name; }
    std::string buy() const { return ++*bought, name; }
    futon::future<std::string> slowly(int ms) const {
        if (name == "broken") throw std::runtime_error{"out of order"};
        return futon::delay(std::chrono::milliseconds{ms}).then([its = name] { return its; });
    }
    void fail() const { throw std::runtime_error{"sold out"}; }
};

// Lists that the test writes; listeners run inside.
class written_registry {
public:
    void register_provider(const std::string& service, const futon::provider& who,
                           const futon::registration_done& done) {
        auto& all = lists_[service];
        std::erase_if(all, [&](const auto& each) { return each.address == who.address; });
        all.push_back(who);
        tell(service);
        done({});
    }
    void deregister_provider(const std::string& service, const futon::endpoint& address,
                             const futon::registration_done& done) {
        std::erase_if(lists_[service], [&](const auto& each) { return each.address == address; });
        tell(service);
        done({});
    }
    futon::subscription subscribe(const std::string& service, const futon::provider_listener& listener) {
        const auto id = ++last_;
        listeners_.emplace(id, std::pair{service, listener});
        if (broken) {
            listener(*broken);
        } else if (!silent) {
            listener(list_of(service));
        }
        return futon::subscription{[this, id] { listeners_.erase(id); }};
    }
    std::string text() const { return "written:"; }

    void tell(const std::string& service) {
        const auto all = list_of(service);
        const auto listening = listeners_;
        for (const auto& [unused, each] : listening)
            if (each.first == service) each.second(all);
    }
    void write(const std::string& service, std::vector<futon::provider> all) {
        lists_[service] = std::move(all);
        tell(service);
    }

    std::optional<futon::error> broken;
    bool silent = false;
    std::uint64_t refused = 0;  // Entries that it says it could not read,
    std::string fault;          // and the first of them.
    std::optional<futon::metadata> settings;
    bool believed = true;  // Whether what it tells is surely meant.

private:
    futon::provider_update list_of(const std::string& service) {
        return {.version = ++version_,
                .providers = lists_[service],
                .refused = refused,
                .fault = fault,
                .authoritative = believed,
                .settings = settings};
    }
    std::map<std::string, std::vector<futon::provider>> lists_;
    std::map<int, std::pair<std::string, futon::provider_listener>> listeners_;
    std::uint64_t version_ = 0;
    int last_ = 0;
};

struct town {
    explicit town(futon::client_options calling = {}) {
        calling.registry = registry;
        calling.runtime = world.runtime();
        client.emplace(std::move(calling));
    }
    ~town() {
        client.reset();
        servers.clear();
        world.run();
    }
    futon::server& open(const std::string& name, futon::provider as = {}) {
        auto made = std::make_unique<futon::server>(futon::server_options{.listen = "memory://" + name,
                                                                          .registry = registry,
                                                                          .advertise = std::move(as),
                                                                          .runtime = world.runtime()});
        made->provide<Shop>(shop_impl{name, &bought});
        made->start();
        return *(servers[name] = std::move(made));
    }
    void open_all() {
        for (const auto* name : {"a", "b", "c"}) open(name);
    }
    // How many calls each answered.
    std::map<std::string, int> ask(int times, const futon::stub<Shop>& of) {
        std::map<std::string, int> answered;
        for (int i = 0; i < times; ++i) ++answered[world.get(of.who())];
        return answered;
    }
    futon::error error_of(futon::future<std::string> call) {
        auto got = world.get_result(std::move(call));
        return got ? futon::error{futon::errc::internal, "it succeeded: " + *got} : got.error();
    }

    int bought = 0;
    void note(const futon::log_record& report) {
        log.push_back(std::string{report.kind});
        texts.push_back(std::string{report.text});
        if (client) static_cast<void>(client->stats());  // Nothing is reported with a lock held: it would hang here.
    }
    futon::testing::simulation world{{.log = [this](const futon::log_record& report) { note(report); }}};
    std::vector<std::string> log;    // Of each report the kind...
    std::vector<std::string> texts;  // ...and the words.
    std::shared_ptr<written_registry> registry = std::make_shared<written_registry>();
    std::map<std::string, std::unique_ptr<futon::server>> servers;
    std::optional<futon::client> client;
};

}  // namespace futon_tests
