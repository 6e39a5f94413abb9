// SPDX-License-Identifier: Apache-2.0
#include <futon/server/detail/publication.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

// Writes down what it is told. Answers at once, or when the test says so.
struct telling_registry {
    void register_provider(const std::string& service, const futon::provider& who, futon::registration_done done) {
        said.push_back("+" + service + " " + who.address.text() + " " + std::to_string(who.weight));
        if (inside) inside();
        if (throws == when::before) throw std::runtime_error{"it broke"};
        done(refuses ? futon::result<void>{futon::error{futon::errc::unavailable, "not now"}} : futon::result<void>{});
        if (throws == when::after) throw std::runtime_error{"it broke"};
    }
    void deregister_provider(const std::string& service, const futon::endpoint& address,
                             futon::registration_done done) {
        said.push_back("-" + service + " " + address.text());
        if (throws == when::before) throw std::runtime_error{"it broke"};
        if (slow) {
            waiting.push_back(std::move(done));
        } else {
            done({});
        }
    }
    futon::subscription subscribe(const std::string&, const futon::provider_listener&) { return {}; }
    std::string text() const { return "telling:"; }

    std::vector<std::string> said;
    std::vector<futon::registration_done> waiting;
    std::function<void()> inside;
    bool slow = false;
    bool refuses = false;
    enum class when { never, before, after } throws = when::never;  // It answers.
};

struct published {
    std::shared_ptr<telling_registry> registry = std::make_shared<telling_registry>();
    std::vector<std::string> logged;
    futon::detail::intrusive_ptr<futon::detail::publication> it =
        futon::detail::make_intrusive<futon::detail::publication>(
            registry, futon::provider{},
            futon::detail::make_intrusive<futon::detail::diagnostics>(
                [this](const futon::log_record& r) { logged.push_back(std::string{r.text}); },
                futon::log_level::warning, futon::unhandled_error_hook{}));

    void begin() { it->begin({"A", "B:2.0"}, {.host = "10.0.0.1", .port = 7}); }
};

using texts = std::vector<std::string>;

TEST_CASE("publication: every service is registered once the server listens") {
    published p;
    CHECK(p.registry->said.empty());
    p.begin();
    CHECK(p.registry->said == texts{"+A tcp://10.0.0.1:7 100", "+B:2.0 tcp://10.0.0.1:7 100"});
}

TEST_CASE(
    "publication: offline takes it out, online puts it back, and what was said before the beginning counts from then") {
    published p;
    p.it->set_online(false);
    p.it->set_weight(3);
    p.begin();
    CHECK(p.registry->said.empty());
    p.it->set_online(true);
    CHECK(p.registry->said == texts{"+A tcp://10.0.0.1:7 3", "+B:2.0 tcp://10.0.0.1:7 3"});
    p.registry->said.clear();
    p.it->set_online(false);
    CHECK(p.registry->said == texts{"-A tcp://10.0.0.1:7", "-B:2.0 tcp://10.0.0.1:7"});
    p.registry->said.clear();
    p.it->set_weight(9);
    CHECK(p.registry->said.empty());
}

TEST_CASE("publication: its end waits until the registry has heard of all, and nothing is published afterwards") {
    published p;
    p.begin();
    p.registry->slow = true;
    int ended = 0;
    p.it->end([&] { ++ended; });
    // Taken out: what waits for the registry holds the publication, and that holds the registry.
    const auto waiting = std::exchange(p.registry->waiting, {});
    REQUIRE(waiting.size() == 2);
    waiting[1]({});
    CHECK(ended == 0);
    waiting[0](futon::error{futon::errc::unavailable, "gone"});
    CHECK(ended == 1);
    CHECK(p.logged == texts{"'A' could not be taken out of the registry: gone"});
    p.registry->said.clear();
    p.it->set_online(true);
    p.it->set_weight(1);
    CHECK(p.registry->said.empty());
}

TEST_CASE("publication: one that was never published ends at once") {
    published p;
    int ended = 0;
    p.it->end([&] { ++ended; });
    CHECK(ended == 1);
    CHECK(p.registry->said.empty());
}

TEST_CASE("publication: what is wanted while the registry is told is told afterwards, in order") {
    published p;
    p.registry->inside = [&] {
        p.registry->inside = nullptr;
        p.it->set_weight(5);
        p.it->set_online(false);
    };
    p.begin();
    CHECK(p.registry->said == texts{"+A tcp://10.0.0.1:7 100", "+B:2.0 tcp://10.0.0.1:7 100", "-A tcp://10.0.0.1:7",
                                    "-B:2.0 tcp://10.0.0.1:7"});
}

TEST_CASE("publication: a registration that fails is a warning with the service and the reason") {
    published p;
    p.registry->refuses = true;
    p.begin();
    CHECK(p.logged.at(0) == "'A' could not be registered: not now");
}

TEST_CASE("publication: what a registry throws is a warning, and the next service and later changes are told") {
    published p;
    futon::result<void> heard;
    p.registry->throws = telling_registry::when::before;
    p.begin();
    CHECK(p.registry->said == texts{"+A tcp://10.0.0.1:7 100", "+B:2.0 tcp://10.0.0.1:7 100"});
    CHECK(p.logged == texts{"'A' could not be registered: it broke", "'B:2.0' could not be registered: it broke"});
    p.it->when_registered([&](futon::result<void> how) { heard = std::move(how); });
    REQUIRE_FALSE(heard.has_value());
    CHECK(heard.error().message() == "it broke");

    p.registry->throws = telling_registry::when::never;
    p.registry->said.clear();
    p.it->set_weight(4);
    CHECK(p.registry->said == texts{"+A tcp://10.0.0.1:7 4", "+B:2.0 tcp://10.0.0.1:7 4"});
    p.it->when_registered([&](futon::result<void> how) { heard = std::move(how); });
    CHECK(heard.has_value());

    p.registry->throws = telling_registry::when::before;
    p.registry->said.clear();
    p.logged.clear();
    int ended = 0;
    p.it->end([&] { ++ended; });
    CHECK(ended == 1);
    CHECK(p.registry->said == texts{"-A tcp://10.0.0.1:7", "-B:2.0 tcp://10.0.0.1:7"});
    CHECK(p.logged == texts{"'A' could not be taken out of the registry: it broke",
                            "'B:2.0' could not be taken out of the registry: it broke"});
}

TEST_CASE("publication: a registry that answers and then throws has answered") {
    published p;
    p.registry->throws = telling_registry::when::after;
    p.begin();
    int taken = 0;
    p.it->when_registered([&](const futon::result<void>& how) { taken += how ? 1 : 0; });
    CHECK(taken == 1);
    CHECK(p.logged.empty());
    p.it->set_weight(4);
    CHECK(p.registry->said.size() == 4);
}

TEST_CASE("publication: who waits for it hears what the registry answered, once it has answered of all services") {
    published p;
    std::vector<std::string> heard;
    const auto ask = [&] {
        p.it->when_registered([&](const futon::result<void>& how) {
            heard.push_back(how ? "taken" : how.error().message());
        });
    };
    ask();
    p.it->set_online(false);
    CHECK(heard.empty());
    p.begin();
    CHECK(heard.empty());
    p.it->set_online(true);
    CHECK(heard == texts{"taken"});
    ask();
    CHECK(heard == texts{"taken", "taken"});
    p.registry->refuses = true;
    p.it->set_weight(3);
    ask();
    CHECK(heard.back() == "not now");
    p.it->set_online(false);
    ask();
    CHECK(heard.size() == 3);
    p.it->end(nullptr);
    CHECK(heard.back() == "the server is stopping");
    ask();
    CHECK(heard.size() == 5);
}

}  // namespace
