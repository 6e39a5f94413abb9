// SPDX-License-Identifier: Apache-2.0
// The code of docs/registries.md, and what it claims.
#include <futon/registry/dns_registry.hpp>
#include <futon/registry/file_registry.hpp>
#include <futon/registry/memory_registry.hpp>
#include <futon/registry/open_registry.hpp>
#include <futon/registry/snapshot_cache.hpp>
#include <futon/registry/static_registry.hpp>

#include "registry/conformance.hpp"
#include "registry/support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace {

// A store of keys and values such as a team may have already.
class team_store {
public:
    void put(const std::string& key, const std::string& value) {
        change([&] { values_[key] = value; });
    }
    void erase(const std::string& key) {
        change([&] { values_.erase(key); });
    }
    [[nodiscard]] std::map<std::string, std::string> below(const std::string& prefix) const {
        const std::lock_guard lock{mutex_};
        std::map<std::string, std::string> found;
        for (auto each = values_.lower_bound(prefix); each != values_.end() && each->first.starts_with(prefix); ++each) found.insert(*each);
        return found;
    }
    void on_change(std::function<void()> call) {
        const std::lock_guard lock{mutex_};
        calls_.push_back(std::move(call));
    }

private:
    template <class Change>
    void change(Change how) {
        std::vector<std::function<void()>> calls;
        {
            const std::lock_guard lock{mutex_};
            how();
            calls = calls_;
        }
        for (const auto& each : calls) each();
    }

    mutable std::mutex mutex_;
    std::map<std::string, std::string> values_;
    std::vector<std::function<void()>> calls_;
};

// [own]
class store_registry {
public:
    explicit store_registry(std::shared_ptr<team_store> store) : store_{std::move(store)} {
        // By reference: the store holds this, and would never end if this held the store.
        store_->on_change([&store = *store_, lists = lists_]() mutable {
            for (const auto& service : lists.wanted()) read(store, lists, service);
        });
    }

    void register_provider(const std::string& service, const futon::provider& who, const futon::registration_done& done) {
        if (const auto why = futon::provider_fault(who); !why.empty())
            return done(futon::error{futon::errc::bad_address, std::string{why}, futon::executed::no});
        store_->put(key(service) + who.address.text(), futon::provider_text(who));
        done({});
    }
    void deregister_provider(const std::string& service, const futon::endpoint& address, const futon::registration_done& done) {
        store_->erase(key(service) + address.text());
        done({});
    }
    futon::subscription subscribe(const std::string& service, futon::provider_listener listener) {
        auto listening = lists_.subscribe(service, std::move(listener));
        read(*store_, lists_, service);
        return listening;
    }

private:
    static std::string key(const std::string& service) { return "services/" + service + "/"; }

    // The lists find out what is new in it, and tell those who listen.
    static void read(const team_store& store, futon::provider_lists& lists, const std::string& service) {
        lists.publish(service, [&] {
            futon::service_listing now;
            for (const auto& [key, text] : store.below(key(service))) {
                if (auto one = futon::parse_provider(text)) now.providers.push_back(*std::move(one));
                else ++now.refused;
            }
            return now;
        });
    }

    std::shared_ptr<team_store> store_;
    futon::provider_lists lists_;
};
static_assert(futon::registry<store_registry>);
// [/own]

// [own_test]
struct store_world {
    std::shared_ptr<team_store> store = std::make_shared<team_store>();

    futon::any_registry open() { return store_registry{store}; }
    static constexpr bool ends_with_handle = false;  // What was registered stays until somebody takes it back.
    static constexpr int many = 100;                 // Each change reads the whole list.
    void spoil(const std::string& service) { store->put("services/" + service + "/x", "no provider"); }
};
TEST_CASE_TEMPLATE_INVOKE(registry_conformance, store_world);
// [/own_test]

TEST_CASE("docs: registries by URL, and with a cache before them") {
    temporary_directory directory;
    const std::string url = "file://" + directory.path();
    const auto cache = directory.path() + "/cache";
    // [open]
    const auto registry = futon::open_registry<futon::memory_registry, futon::static_registry, futon::file_registry, futon::dns_registry>(url);
    if (!registry) throw futon::rpc_error{registry.error()};  // Says what is wrong with the URL, and which schemes there are.
    futon::any_registry cached = futon::snapshot_cache{*registry, cache};
    // [/open]
    REQUIRE(conformance::registers(cached, "s", conformance::at_port(1)));
    // [listen]
    futon::provider_set providers;
    const auto listening = cached.subscribe("s", [&](futon::result<futon::provider_update> told) {
        if (!told) return;  // The registry is down: what is known stays.
        const auto changes = providers.apply(*std::move(told), futon::clock::now());
        for (const auto& each : changes.added) CHECK(each->weight == 100);
    });
    // [/listen]
    conformance::ear heard;
    const auto other = cached.subscribe("s", heard.listener());
    CHECK(heard.wait_for_count(1));
}

TEST_CASE("docs: a static registry from a configuration") {
    // [static]
    futon::static_registry registry{
        {"Greeter", {"tcp://10.0.0.1:12200?weight=200&zone=a", "tcp://10.0.0.2:12200?zone=b"}},
        {"*", {"tcp://10.0.0.9:12200"}},  // All other services.
    };
    // [/static]
    conformance::ear heard;
    const auto listening = registry.subscribe("Greeter", heard.listener());
    CHECK(heard.wait_for_count(2));
}

}  // namespace
