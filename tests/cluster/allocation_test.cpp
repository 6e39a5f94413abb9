// SPDX-License-Identifier: Apache-2.0
#include <futon/cluster/balancer_names.hpp>

#include <futon/cluster/route_cache.hpp>
#include <futon/cluster/zone_aware.hpp>

#include "support/nodes.hpp"
#include "support/small_stack.hpp"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>
#include <utility>
#include <vector>

// Sanitizers have an operator new of their own, which finds more than this one counts.
#if !TESTS_INSTRUMENTED

namespace tests {
static std::atomic<long> cluster_allocations{0};
}  // namespace tests

// Counts for the whole executable; behaves as the one it replaces.
[[gnu::noinline]] void* operator new(std::size_t size) {
    tests::cluster_allocations.fetch_add(1, std::memory_order_relaxed);
    if (void* memory = std::malloc(size)) return memory;
    throw std::bad_alloc{};
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    tests::cluster_allocations.fetch_add(1, std::memory_order_relaxed);
    return std::malloc(size);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

using namespace std::chrono_literals;

namespace {

TEST_CASE("cluster: choosing, and telling a policy how it went, allocates nothing (G2)") {
    tests::nodes some{500};
    for (std::size_t i = 0; i < 500; ++i) {
        some[i].told.zone = i % 2 == 0 ? "a" : "b";
        some[i].told.weight = static_cast<std::uint32_t>(50 + i % 3 * 50);
        some[i].refresh();
        if (i % 7 == 0) some[i].set(futon::hold::ejected, true);
    }
    some.publish();
    std::vector<std::pair<std::string, futon::any_load_balancer>> policies;
    for (const auto& one : futon::balancer_names) policies.emplace_back(one.name, one.make());
    policies.emplace_back("zone_aware", futon::zone_aware<>{{.zone = "a"}});
    policies.emplace_back("reported weights",
                          futon::weighted_round_robin{{.from_reports = true, .update_every = 10ms}});

    for (auto& [name, policy] : policies) {
        CAPTURE(name);
        policy.rebuild(some.set);
        std::array<futon::node*, 16> probed{};
        const auto before = tests::cluster_allocations.load();
        std::size_t picked = 0;
        for (std::uint64_t i = 0; i < 2000; ++i) {
            auto call = some.call();
            call.hash_key = i % 50;
            auto* const n = policy.pick(some.set, call);
            if (n == nullptr) continue;
            ++picked;
            futon::node* tried[] = {n};
            call.tried = tried;
            picked += policy.pick(some.set, call) != nullptr;
            futon::begin_attempt(policy, *n, some.now);
            const auto count = policy.next_probes(some.set, call, probed);
            for (std::size_t k = 0; k < count; ++k)
                futon::take_report(policy, *probed[k], {.in_flight = 3, .latency = 2ms}, some.now);
            some.now += 1ms;
            auto outcome = i % 10 == 0
                               ? futon::attempt_outcome::failed(futon::errc::overloaded, some.now - 1ms, some.now)
                               : futon::attempt_outcome::success(some.now - 1ms, some.now);
            outcome.report = futon::load_report{.in_flight = 1, .latency = 1ms, .utilisation = 0.5f, .qps = 10};
            futon::end_attempt(policy, *n, outcome);
        }
        const auto after = tests::cluster_allocations.load();
        CHECK(after == before);
        CHECK(picked == 4000);
    }
}

TEST_CASE("cluster: finding the view for a call allocates nothing once it is there") {
    futon::node_table table;
    for (std::size_t i = 0; i < 100; ++i) table.put(tests::numbered_provider(i), {});
    futon::route_cache cache{futon::random{}};
    const futon::route wanted{.group = "canary"};
    (void)cache.find(wanted, table);
    (void)cache.find({}, table);
    const auto before = tests::cluster_allocations.load();
    for (int i = 0; i < 100; ++i) CHECK(cache.find(wanted, table)->nodes.size() == 100);
    CHECK(tests::cluster_allocations.load() == before);
}

}  // namespace

#endif
