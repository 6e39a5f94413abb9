// SPDX-License-Identifier: Apache-2.0
// The code of docs/cluster_policies.md, and what its tables claim.
#include <futon/cluster/balancer_names.hpp>
#include <futon/cluster/bounded_load.hpp>
#include <futon/cluster/cluster_health.hpp>
#include <futon/cluster/routers.hpp>
#include <futon/cluster/subset.hpp>
#include <futon/cluster/zone_aware.hpp>
#include <futon/testing/cluster_simulation.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

// [policy]
/// Of two nodes by chance the one whose last call was quicker, times what it has to do.
class quicker_of_two {
public:
    futon::node* pick(const futon::node_set& nodes, futon::pick_context& call) noexcept {
        auto* const one = nodes.draw(call);  // Usable, and not tried by this call; null if there is none.
        auto* const other = nodes.draw(call);
        if (one == nullptr || cost(*one) <= cost(*other)) return one;
        return other;
    }
    // The rest is optional. `rebuild` may allocate, the others may not.
    void rebuild(const futon::node_set& nodes) {
        for (const auto* n : nodes)
            if (n->slot >= last_.size()) last_.resize(n->slot + 1);
    }
    void ended(futon::node& n, const futon::attempt_outcome& how) noexcept {
        if (how.verdict == futon::verdict::abandoned) return;
        // Who fails at once is not quick.
        last_[n.slot] = how.failure ? 1s : how.latency;
    }

private:
    double cost(const futon::node& n) const { return static_cast<double>(last_[n.slot].count()) * (n.in_flight + 1); }
    std::vector<futon::duration> last_;  // By slot: small numbers, distinct while a node is listed.
};
static_assert(futon::load_balancer<quicker_of_two>);
// [/policy]

// [router]
/// Calls of a tenant go to the providers that are kept for it, all others stay away from these.
struct tenant_router {
    void narrow(const futon::route& wanted, std::vector<futon::node*>& nodes) const {
        const auto tenant = wanted.tags.get("tenant").value_or("");
        std::erase_if(nodes, [&](const futon::node* n) { return n->told.tags.get("tenant").value_or("") != tenant; });
    }
    std::string_view name() const { return "tenant"; }  // Optional: errors say which router left nothing.
};
static_assert(futon::router<tenant_router>);
// [/router]

TEST_CASE("docs: a policy of one's own, in the simulator") {
    // [simulate]
    auto one_is_slow = futon::testing::scenario::slow_one();  // One of a hundred servers takes ten times as long.
    one_is_slow.warm_up = 2s;
    one_is_slow.measured = 2s;
    const auto mine = futon::testing::simulate(quicker_of_two{}, one_is_slow);
    const auto chance = futon::testing::simulate(futon::random{}, one_is_slow);
    CHECK(mine.bad_share() < chance.bad_share() / 4);  // Of the calls, what the slow one got.
    // [/simulate]
    CHECK(mine.wrong == 0);
}

TEST_CASE("docs: options, combinations, names") {
    // [choose]
    futon::any_load_balancer balancer = futon::peak_ewma{{.choices = 4}};
    balancer = futon::bounded_load{{.excess = 0.5}, futon::maglev{}};
    balancer = futon::zone_aware{{.zone = "eu-1a"}, futon::prequal{}};
    balancer = *futon::make_load_balancer("consistentHash");  // From a configuration.
    // [/choose]
    // [routers]
    const futon::router_chain routers{
        futon::version_router{},
        futon::group_router{},
        tenant_router{},
        futon::condition_router{.when = [](const futon::route& wanted) { return wanted.tags.get("class") == "batch"; },
                                .then = [](const futon::provider& p) { return p.zone != "eu-1a"; }},
        futon::rendezvous_subset{.size = 30, .client = 0x5eed},
    };
    // [/routers]
    futon::node_table table;
    const auto put = [&](std::string host, std::string zone, futon::metadata tags) {
        table.put({.address = {.host = std::move(host), .port = 1}, .zone = std::move(zone), .tags = std::move(tags)}, {});
    };
    put("a", "eu-1a", {});
    put("b", "eu-1b", {});
    put("c", "eu-1b", {{"tenant", "big"}});
    const auto left = [&](const futon::route& wanted) {
        auto nodes = table.listed();
        routers.narrow(wanted, nodes);
        std::string hosts;
        for (const auto* n : nodes) hosts += n->told.address.host;
        return hosts;
    };
    CHECK(left({}) == "ab");
    CHECK(left({.tags = {{"tenant", "big"}}}) == "c");
    CHECK(left({.tags = {{"class", "batch"}}}) == "b");
    CHECK(routers.blocked_by({.tags = {{"tenant", "other"}}}, table.listed()) == "tenant");
}

TEST_CASE("docs: the table of names is that of the code") {
    std::ifstream page{std::filesystem::path{__FILE__}.parent_path() / "../../docs/cluster_policies.md"};
    REQUIRE(page);
    std::map<std::string, std::string> names;
    bool there = false;
    for (std::string line; std::getline(page, line);) {
        if (line.starts_with("## ")) there = line == "## Names";
        if (!there || !line.starts_with("| `")) continue;
        // | `name` | `means` | ...
        const auto end = line.find('`', 3);
        const auto next = line.find('|', end) + 2;
        const auto means = line[next] == '`' ? line.substr(next + 1, line.find('`', next + 1) - next - 1) : std::string{};
        names[line.substr(3, end - 3)] = means;
    }
    CHECK(names.size() == futon::balancer_names.size());
    for (const auto& one : futon::balancer_names) {
        CAPTURE(one.name);
        REQUIRE(names.count(std::string{one.name}) == 1);
        CHECK(names[std::string{one.name}] == one.means);
    }
}

}  // namespace
