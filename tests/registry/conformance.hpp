// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What the concept of a registry promises, as tests that each kind of registry passes.
///
/// A test file describes its registry as a world and invokes the suite:
///
///     struct my_world {
///         futon::any_registry open();        // As another process would: handles of one world see the same lists.
///         static constexpr bool ends_with_handle;   // A handle's end takes back what was registered by it.
///     };
///     TEST_CASE_TEMPLATE_INVOKE(registry_conformance, my_world);
///
/// and where the registry has such things: `void spoil(service)` puts an entry there that
/// cannot be read, `bool is_available()` (static) whether it can be tested here, `void
/// restart_empty()` starts the registry anew without its memory, `void crash(service,
/// provider, seen)` registers by a process, waits until `seen()`, and kills it.

#include <futon/cluster/provider_set.hpp>
#include <futon/cluster/registry.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace conformance {

using namespace std::chrono_literals;

/// Long enough that what has not happened then hangs.
inline constexpr auto hung = 60s;

/// A listener that keeps what it was told, and expects what every listener may.
class ear {
public:
    [[nodiscard]] futon::provider_listener listener() {
        return [shared = shared_](futon::result<futon::provider_update> told) {
            if (shared->inside.exchange(true)) shared->overlapped = true;
            std::function<void()> extra;
            {
                const std::lock_guard lock{shared->mutex};
                ++shared->calls;
                if (!told) {
                    ++shared->errors;
                    shared->last_error = told.error();
                } else {
                    shared->settings = told->settings ? told->settings : shared->settings;
                    if (shared->set.apply(*std::move(told), futon::clock::now()).wants_full) ++shared->gaps;
                }
                extra = shared->extra;
            }
            if (extra) extra();
            shared->inside = false;
            shared->heard.notify_all();
        };
    }
    /// Waits until the list is as `done` wants it; false if that takes so long that it will not come.
    template <class Done>
    [[nodiscard]] bool wait(Done done) {
        std::unique_lock lock{shared_->mutex};
        return shared_->heard.wait_for(lock, hung, [&] { return done(shared_->set); });
    }
    [[nodiscard]] bool wait_for_count(std::size_t count) {
        return wait([&](const futon::provider_set& set) { return set.is_told() && set.size() == count; });
    }
    [[nodiscard]] bool wait_for_errors(int count) {
        return wait([&](const futon::provider_set&) { return shared_->errors >= count; });
    }
    [[nodiscard]] bool wait_for_settings(const futon::metadata& wanted) {
        return wait([&](const futon::provider_set&) { return shared_->settings == wanted; });
    }
    [[nodiscard]] std::optional<futon::provider> find(const futon::endpoint& address) const {
        const std::lock_guard lock{shared_->mutex};
        const auto found = shared_->set.find(address);
        return found ? std::optional{*found} : std::nullopt;
    }
    [[nodiscard]] int calls() const { return locked(&state::calls); }
    [[nodiscard]] int gaps() const { return locked(&state::gaps); }
    [[nodiscard]] int errors() const { return locked(&state::errors); }
    [[nodiscard]] std::optional<futon::error> last_error() const { return locked(&state::last_error); }
    [[nodiscard]] std::uint64_t refused() const {
        const std::lock_guard lock{shared_->mutex};
        return shared_->set.stats().refused;
    }
    /// Done inside each call of the listener, after the first part.
    void then(std::function<void()> extra) {
        const std::lock_guard lock{shared_->mutex};
        shared_->extra = std::move(extra);
    }
    /// Steps followed each other, one call at a time.
    [[nodiscard]] bool was_orderly() const { return gaps() == 0 && !shared_->overlapped; }

private:
    struct state {
        mutable std::mutex mutex;
        std::condition_variable heard;
        // Everything is believed, so that the list is what the registry says.
        futon::provider_set set{{.patience = futon::duration::zero()}};
        int calls = 0;
        int gaps = 0;
        int errors = 0;
        std::optional<futon::error> last_error;
        std::optional<futon::metadata> settings;
        std::function<void()> extra;
        std::atomic<bool> inside{false};
        std::atomic<bool> overlapped{false};
    };
    template <class T>
    [[nodiscard]] T locked(T state::*which) const {
        const std::lock_guard lock{shared_->mutex};
        return (*shared_).*which;
    }

    std::shared_ptr<state> shared_ = std::make_shared<state>();
};

/// Waits for the end of one registration, or of several.
class endings {
public:
    [[nodiscard]] futon::registration_done done() {
        ++asked_;
        return [shared = shared_](futon::result<void> how) {
            const std::lock_guard lock{shared->mutex};
            ++shared->count;
            if (!how) {
                ++shared->failed;
                shared->last_error = how.error();
            }
            shared->heard.notify_all();
        };
    }
    /// All that were asked for, each once. Then how many of them failed; -1 if they did not end.
    [[nodiscard]] int failed() {
        std::unique_lock lock{shared_->mutex};
        if (!shared_->heard.wait_for(lock, hung, [&] { return shared_->count >= asked_; })) return -1;
        return shared_->count == asked_ ? shared_->failed : -2;
    }
    [[nodiscard]] std::optional<futon::error> last_error() const {
        const std::lock_guard lock{shared_->mutex};
        return shared_->last_error;
    }

private:
    struct state {
        std::mutex mutex;
        std::condition_variable heard;
        int count = 0;
        int failed = 0;
        std::optional<futon::error> last_error;
    };
    int asked_ = 0;
    std::shared_ptr<state> shared_ = std::make_shared<state>();
};

[[nodiscard]] inline futon::provider at_port(int port) {
    return {.address = {.host = "127.0.0.1", .port = static_cast<std::uint16_t>(port)}};
}
[[nodiscard]] inline bool registers(futon::any_registry& where, const std::string& service,
                                    const futon::provider& who) {
    endings ended;
    where.register_provider(service, who, ended.done());
    return ended.failed() == 0;
}
[[nodiscard]] inline bool deregisters(futon::any_registry& where, const std::string& service,
                                      const futon::endpoint& address) {
    endings ended;
    where.deregister_provider(service, address, ended.done());
    return ended.failed() == 0;
}

// A world may say `static constexpr int many`, where a change costs as much as its whole list.
template <class World>
[[nodiscard]] constexpr int many() {
    if constexpr (requires { World::many; }) return World::many;
    else return 1000;
}

}  // namespace conformance

TEST_CASE_TEMPLATE_DEFINE("registry: keeps what the concept promises", World, registry_conformance) {
    using namespace conformance;
    if constexpr (requires { World::is_available(); })
        if (!World::is_available()) return;
    World world;
    auto serving = world.open();
    auto calling = world.open();
    ear heard;

    SUBCASE("a service that nobody provides has an empty list") {
        const auto listening = calling.subscribe("conformance.Nobody", heard.listener());
        CHECK(heard.wait_for_count(0));
        CHECK_FALSE(calling.text().empty());
    }

    SUBCASE("what is registered is discovered, with all that was said of it") {
        auto who = at_port(2001);
        who.weight = 50;
        who.zone = "eu-1a";
        who.version = "1.4";
        who.group = "canary";
        who.warm_up = 90s;
        who.tags = {{"colour", "blue & green"}, {"empty", ""}};
        const auto before = calling.subscribe("conformance.A:1.0", heard.listener());
        CHECK(heard.wait_for_count(0));
        REQUIRE(registers(serving, "conformance.A:1.0", who));
        REQUIRE(heard.wait_for_count(1));
        CHECK(heard.find(who.address) == who);
        // And by who comes later, also through another handle.
        ear later;
        const auto after = serving.subscribe("conformance.A:1.0", later.listener());
        REQUIRE(later.wait_for_count(1));
        CHECK(later.find(who.address) == who);
        CHECK(heard.was_orderly());
    }

    SUBCASE("registering again replaces what was known") {
        auto who = at_port(2002);
        REQUIRE(registers(serving, "conformance.B", who));
        const auto listening = calling.subscribe("conformance.B", heard.listener());
        REQUIRE(heard.wait_for_count(1));
        who.weight = 0;
        who.zone = "other";
        REQUIRE(registers(serving, "conformance.B", who));
        CHECK(heard.wait(
            [&](const futon::provider_set& set) { return set.size() == 1 && *set.find(who.address) == who; }));
        CHECK(heard.was_orderly());
    }

    SUBCASE("what is deregistered is gone, and what is not there is no error") {
        const auto listening = calling.subscribe("conformance.C", heard.listener());
        REQUIRE(registers(serving, "conformance.C", at_port(2003)));
        REQUIRE(registers(serving, "conformance.C", at_port(2004)));
        REQUIRE(heard.wait_for_count(2));
        REQUIRE(deregisters(serving, "conformance.C", at_port(2003).address));
        CHECK(heard.wait_for_count(1));
        CHECK(heard.find(at_port(2004).address).has_value());
        CHECK(deregisters(serving, "conformance.C", at_port(2003).address));
        CHECK(deregisters(serving, "conformance.Nothing", at_port(1).address));
        REQUIRE(deregisters(serving, "conformance.C", at_port(2004).address));
        CHECK(heard.wait_for_count(0));
        CHECK(heard.was_orderly());
    }

    SUBCASE("services are apart, whatever their names") {
        const std::string names[] = {"s", "s:1.0", "s:1.0:blue", "s:2.0", "a/b.c d%:1", "S"};
        std::vector<ear> ears(std::size(names));
        std::vector<futon::subscription> listening;
        for (std::size_t i = 0; i < ears.size(); ++i)
            listening.push_back(calling.subscribe(names[i], ears[i].listener()));
        int port = 2100;
        for (const auto& name : names) REQUIRE(registers(serving, name, at_port(++port)));
        port = 2100;
        for (auto& each : ears) {
            ++port;
            CHECK(
                each.wait([&](const futon::provider_set& set) { return set.find(at_port(port).address) != nullptr; }));
            CHECK(each.wait_for_count(1));
        }
    }

    SUBCASE("what nobody could use is not registered") {
        endings ended;
        serving.register_provider("conformance.D", at_port(0), ended.done());
        CHECK(ended.failed() == 1);
        CHECK(ended.last_error().value() == futon::errc::bad_address);
    }

    SUBCASE("a thousand providers, or as many as a world can bear, from two handles") {
        constexpr int count = many<World>() / 2;
        auto other = world.open();
        endings ended;
        const auto listening = calling.subscribe("conformance.Many", heard.listener());
        for (int i = 0; i < count; ++i) {
            serving.register_provider("conformance.Many", at_port(10'000 + i), ended.done());
            other.register_provider("conformance.Many", at_port(20'000 + i), ended.done());
        }
        CHECK(ended.failed() == 0);
        CHECK(heard.wait_for_count(2 * count));
        for (int i = 0; i < count; i += 2)
            serving.deregister_provider("conformance.Many", at_port(10'000 + i).address, ended.done());
        CHECK(ended.failed() == 0);
        CHECK(heard.wait_for_count(2 * count - count / 2));
        CHECK(heard.was_orderly());
        if constexpr (World::ends_with_handle) {
            other = {};
            CHECK(heard.wait_for_count(count / 2));
        }
    }

    SUBCASE("a listener may call the registry, and end its own subscription") {
        REQUIRE(registers(serving, "conformance.E", at_port(2005)));
        futon::subscription listening;
        std::atomic<int> rounds{0};
        std::promise<void> done;
        endings ended;
        auto nested = ended.done();
        heard.then([&] {
            if (++rounds > 1) return;
            serving.register_provider("conformance.E", at_port(2006), std::exchange(nested, nullptr));
        });
        listening = calling.subscribe("conformance.E", heard.listener());
        CHECK(heard.wait_for_count(2));
        CHECK(ended.failed() == 0);
        // Ended inside a call, there is no other.
        heard.then([&] {
            listening.end();
            done.set_value();
        });
        REQUIRE(registers(serving, "conformance.E", at_port(2007)));
        REQUIRE(done.get_future().wait_for(hung) == std::future_status::ready);
        const int calls = heard.calls();
        ear other;
        const auto others = calling.subscribe("conformance.E", other.listener());
        REQUIRE(registers(serving, "conformance.E", at_port(2008)));
        CHECK(other.wait([](const futon::provider_set& set) { return set.size() >= 4; }));
        CHECK(heard.calls() == calls);
        CHECK(heard.was_orderly());
    }

    SUBCASE("whoever has unsubscribed hears nothing more") {
        ear other;
        auto listening = calling.subscribe("conformance.F", heard.listener());
        const auto others = calling.subscribe("conformance.F", other.listener());
        REQUIRE(registers(serving, "conformance.F", at_port(2009)));
        REQUIRE(heard.wait_for_count(1));
        listening.end();
        REQUIRE(registers(serving, "conformance.F", at_port(2010)));
        REQUIRE(other.wait_for_count(2));
        const int calls = heard.calls();  // A call that had begun before the end is over now.
        REQUIRE(registers(serving, "conformance.F", at_port(2011)));
        REQUIRE(other.wait_for_count(3));
        CHECK(heard.calls() == calls);
    }

    SUBCASE("who asks for the list again gets it") {
        REQUIRE(registers(serving, "conformance.G", at_port(2012)));
        auto listening = calling.subscribe("conformance.G", heard.listener());
        REQUIRE(heard.wait_for_count(1));
        const auto lists = [&](const futon::provider_set& set) { return set.stats().lists; };
        if (listening.refresh()) CHECK(heard.wait([&](const futon::provider_set& set) { return lists(set) >= 2; }));
        CHECK(heard.was_orderly());
    }

    SUBCASE("subscribing and unsubscribing while providers come and go") {
        std::atomic<bool> stop{false};
        std::vector<std::thread> threads;
        for (int t = 0; t < 2; ++t)
            threads.emplace_back([&, t] {
                auto mine = calling;
                while (!stop) {
                    ear here;
                    auto first = mine.subscribe("conformance.Race", here.listener());
                    auto second = mine.subscribe("conformance.Race" + std::to_string(t), here.listener());
                    if (t == 0) CHECK(here.wait([](const futon::provider_set& set) { return set.is_told(); }));
                    second.end();
                }
            });
        endings ended;
        for (int i = 0; i < 30; ++i) {
            serving.register_provider("conformance.Race", at_port(3000 + i % 7), ended.done());
            serving.deregister_provider("conformance.Race", at_port(3000 + (i + 3) % 7).address, ended.done());
        }
        CHECK(ended.failed() == 0);
        stop = true;
        for (auto& each : threads) each.join();
        const auto listening = calling.subscribe("conformance.Race", heard.listener());
        CHECK(heard.wait([](const futon::provider_set& set) { return set.is_told(); }));
    }

    if constexpr (World::ends_with_handle) {
        SUBCASE("what was registered by a handle that ends is gone") {
            const auto listening = calling.subscribe("conformance.H", heard.listener());
            {
                auto gone = world.open();
                REQUIRE(registers(gone, "conformance.H", at_port(2013)));
                REQUIRE(heard.wait_for_count(1));
            }
            CHECK(heard.wait_for_count(0));
        }
    }

    if constexpr (requires { world.spoil(std::string{}); }) {
        SUBCASE("what cannot be read is counted, and the rest stays") {
            REQUIRE(registers(serving, "conformance.I", at_port(2014)));
            world.spoil("conformance.I");
            const auto listening = calling.subscribe("conformance.I", heard.listener());
            REQUIRE(heard.wait_for_count(1));
            CHECK(heard.wait([&](const futon::provider_set& set) { return set.stats().refused == 1; }));
            CHECK(heard.find(at_port(2014).address).has_value());
            REQUIRE(registers(serving, "conformance.I", at_port(2015)));
            CHECK(heard.wait_for_count(2));
            CHECK(heard.refused() == 1);
        }
    }

    if constexpr (requires { world.crash(std::string{}, futon::provider{}, std::function<bool()>{}); }) {
        SUBCASE("a provider whose process was killed expires") {
            const auto listening = calling.subscribe("conformance.J", heard.listener());
            REQUIRE(registers(serving, "conformance.J", at_port(2016)));
            world.crash("conformance.J", at_port(2017), [&] { return heard.wait_for_count(2); });
            CHECK(heard.wait_for_count(1));
            CHECK(heard.find(at_port(2016).address).has_value());
        }
    }

    if constexpr (requires { world.restart_empty(); }) {
        SUBCASE("a registry that was started anew, without its memory, is told again, and tells again") {
            const auto listening = calling.subscribe("conformance.K", heard.listener());
            REQUIRE(registers(serving, "conformance.K", at_port(2018)));
            REQUIRE(registers(serving, "conformance.K", at_port(2019)));
            REQUIRE(heard.wait_for_count(2));
            REQUIRE(deregisters(serving, "conformance.K", at_port(2019).address));
            REQUIRE(heard.wait_for_count(1));
            world.restart_empty();
            ear other;
            auto fresh = world.open();
            const auto others = fresh.subscribe("conformance.K", other.listener());
            CHECK(other.wait_for_count(1));
            REQUIRE(registers(serving, "conformance.K", at_port(2020)));
            CHECK(heard.wait([](const futon::provider_set& set) {
                return set.size() == 2 && set.find(at_port(2018).address) && set.find(at_port(2020).address);
            }));
            CHECK(other.wait_for_count(2));
            CHECK(heard.was_orderly());
        }
    }
}
