// SPDX-License-Identifier: Apache-2.0
#include <futon/server/detail/publication.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

// Writes down what it is told. Answers at once, or when the test says so.
struct telling_registry {
    void register_provider(const std::string& service, const futon::provider& who, futon::registration_done done) {
        said.push_back("+" + service + " " + who.address.text() + " " + std::to_string(who.weight));
        if (inside) inside();
        done(refuses ? futon::result<void>{futon::error{futon::errc::unavailable, "not now"}} : futon::result<void>{});
    }
    void deregister_provider(const std::string& service, const futon::endpoint& address, futon::registration_done done) {
        said.push_back("-" + service + " " + address.text());
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
};

struct published {
    std::shared_ptr<telling_registry> registry = std::make_shared<telling_registry>();
    std::vector<std::string> logged;
    futon::detail::intrusive_ptr<futon::detail::publication> it = futon::detail::make_intrusive<futon::detail::publication>(
        registry, futon::provider{}, futon::detail::make_intrusive<futon::detail::diagnostics>(
                                         [this](const futon::log_record& r) { logged.push_back(std::string{r.text}); }, futon::log_level::warning,
                                         futon::unhandled_error_hook{}));

    void begin() { it->begin({"A", "B:2.0"}, {.host = "10.0.0.1", .port = 7}); }
};

using texts = std::vector<std::string>;

TEST_CASE("publication: every service is registered once the server listens") {
    published p;
    CHECK(p.registry->said.empty());
    p.begin();
    CHECK(p.registry->said == texts{"+A tcp://10.0.0.1:7 100", "+B:2.0 tcp://10.0.0.1:7 100"});
}

TEST_CASE("publication: offline takes it out, online puts it back, and what was said before the beginning counts from then") {
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
    CHECK(p.registry->said == texts{"+A tcp://10.0.0.1:7 100", "+B:2.0 tcp://10.0.0.1:7 100", "-A tcp://10.0.0.1:7", "-B:2.0 tcp://10.0.0.1:7"});
}

TEST_CASE("publication: a registration that fails is a warning with the service and the reason") {
    published p;
    p.registry->refuses = true;
    p.begin();
    CHECK(p.logged.at(0) == "'A' could not be registered: not now");
}

}  // namespace
