// SPDX-License-Identifier: Apache-2.0

/// \file
/// What choosing a provider costs, from ten to a hundred thousand of them: picks, feedback, updates, memory, beside the
/// goals that they are held to (G1 to G7; docs/cluster_policies.md). One thread, no network.

#include "support/counters.hpp"
#include "support/options.hpp"
#include "support/statistics.hpp"

#include <futon/cluster/balancer_names.hpp>
#include <futon/cluster/cluster_health.hpp>
#include <futon/cluster/node_table.hpp>
#include <futon/cluster/route_cache.hpp>

#include <malloc.h>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;

/// Of this thread alone: other programs on the machine disturb less than with a wall clock.
double cpu_nanoseconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

template <class F>
double microseconds_of(F&& work) {
    const auto before = cpu_nanoseconds();
    work();
    return (cpu_nanoseconds() - before) / 1000;
}

futon::provider numbered(std::size_t number) {
    futon::provider p;
    p.address.host = "10." + std::to_string(number / 62500) + "." + std::to_string(number / 250 % 250) + "." +
                     std::to_string(number % 250 + 1);
    p.address.port = 12200;
    return p;
}

struct cluster {
    explicit cluster(std::size_t count, bool weights_differ = false) {
        for (std::size_t i = 0; i < count; ++i)
            put(i, weights_differ ? static_cast<std::uint32_t>(50 + i % 4 * 50) : 100);
    }
    void put(std::size_t i, std::uint32_t weight = 100) {
        auto told = numbered(i);
        told.weight = weight;
        table.put(std::move(told), now).set_connected(true);
    }
    futon::node_table table;
    futon::time_point now{1000s};
    futon::dice random{42};
};

struct policy_row {
    std::string_view name;
    std::function<futon::any_load_balancer()> make;
    bool weights_differ = false;
    double pick_goal = 0;    ///< ns at 10 000 nodes (G1); 0: none.
    double growth_goal = 0;  ///< Of 100 000 nodes over 10 (G2); 0: none.
};
const policy_row rows[] = {
    {"random", [] { return futon::any_load_balancer{futon::random{}}; }, false, 20, 3},
    {"random, weights differ", [] { return futon::any_load_balancer{futon::random{}}; }, true, 0, 3},
    {"round_robin", [] { return futon::any_load_balancer{futon::round_robin{}}; }, false, 20, 3},
    {"weighted_round_robin", [] { return futon::any_load_balancer{futon::weighted_round_robin{}}; }, true, 40, 3},
    {"least_request", [] { return futon::any_load_balancer{futon::least_request{}}; }, false, 50, 3},
    {"least_request, weights differ", [] { return futon::any_load_balancer{futon::least_request{}}; }, true, 0, 3},
    {"peak_ewma, 2 choices", [] { return futon::any_load_balancer{futon::peak_ewma{{.choices = 2}}}; }, false, 80, 3},
    {"peak_ewma", [] { return futon::any_load_balancer{futon::peak_ewma{}}; }, false, 0, 3},
    {"prequal", [] { return futon::any_load_balancer{futon::prequal{}}; }, false, 250, 3},
    {"ring_hash", [] { return futon::any_load_balancer{futon::ring_hash{}}; }, false, 250, 0},
    {"maglev", [] { return futon::any_load_balancer{futon::maglev{}}; }, false, 50, 0},
    {"bounded_load", [] { return futon::any_load_balancer{futon::bounded_load<>{}}; }, false, 0, 0},
};

struct figures {
    double pick = 0;      ///< ns, with the view's look-up, without begin and end.
    double feedback = 0;  ///< ns, begin and end together.
    double rebuild = 0;   ///< us, the policy alone.
    double allocations = 0;
};

figures measure(const policy_row& row, std::size_t count, const benchmark::options& with) {
    cluster of{count, row.weights_differ};
    futon::route_cache cache{row.make()};
    figures made;
    auto& view = *cache.find({}, of.table);
    auto fresh = row.make();
    made.rebuild = microseconds_of([&] { fresh.rebuild(view.nodes); });

    const int batch = with.smoke ? 200 : 20'000;
    const bool probes = view.policy.probes();
    // All nodes are known and some calls are under way, as in the steady state.
    for (auto* n : of.table.listed()) {
        n->samples = 20;
        n->sample_gap = 0.1f;
        n->latency = 0.004f + 0.001f * static_cast<float>(of.random.fraction());
        n->latency_at = of.now;
    }
    std::vector<futon::node*> picked;
    picked.reserve(static_cast<std::size_t>(batch));
    std::vector<double> picks;
    std::vector<double> ends;
    benchmark::counters counters;
    std::uint64_t key = 0;
    for (int round = 0; round < with.rounds + 1; ++round) {
        of.now += 100ms;
        if (probes) {  // What answers a probe has been asked for outside of the pick.
            for (int i = 0; i < 16; ++i)
                futon::take_report(view.policy, view.nodes[of.random.below(count)], {.in_flight = 2, .latency = 4ms},
                                   of.now);
        }
        benchmark::counted = &counters;
        double spent = 0;
        if (probes) {
            // The pool is filled again as it would be, three for each pick; only picks are timed.
            std::array<futon::node*, 3> asked{};
            for (int i = 0; i < batch; ++i) {
                futon::pick_context call{.now = of.now, .random = of.random};
                picked.push_back(view.policy.pick(view.nodes, call));
                const auto more = view.policy.next_probes(view.nodes, call, asked);
                for (std::size_t k = 0; k < more; ++k)
                    futon::take_report(view.policy, *asked[k],
                                       {.in_flight = static_cast<std::uint32_t>(key++ % 5), .latency = 4ms}, of.now);
            }
            // Three probes and three answers, measured alone, are taken off.
            picked.clear();
            const auto all = microseconds_of([&] {
                for (int i = 0; i < batch; ++i) {
                    futon::pick_context call{.now = of.now, .random = of.random};
                    picked.push_back(cache.find({}, of.table)->policy.pick(view.nodes, call));
                    const auto more = view.policy.next_probes(view.nodes, call, asked);
                    for (std::size_t k = 0; k < more; ++k)
                        futon::take_report(view.policy, *asked[k],
                                           {.in_flight = static_cast<std::uint32_t>(key++ % 5), .latency = 4ms},
                                           of.now);
                }
            });
            const auto probing = microseconds_of([&] {
                for (int i = 0; i < batch; ++i) {
                    futon::pick_context call{.now = of.now, .random = of.random};
                    const auto more = view.policy.next_probes(view.nodes, call, asked);
                    for (std::size_t k = 0; k < more; ++k)
                        futon::take_report(view.policy, *asked[k],
                                           {.in_flight = static_cast<std::uint32_t>(key++ % 5), .latency = 4ms},
                                           of.now);
                }
            });
            spent = all - probing;
        } else {
            spent = microseconds_of([&] {
                for (int i = 0; i < batch; ++i) {
                    futon::pick_context call{.now = of.now, .random = of.random, .hash_key = ++key};
                    auto& found = *cache.find({}, of.table);
                    picked.push_back(found.policy.pick(found.nodes, call));
                }
            });
        }
        const auto end_now = of.now + 4ms;
        const auto feedback = microseconds_of([&] {
            for (auto* n : picked) futon::begin_attempt(view.policy, *n, of.now);
            for (auto* n : picked)
                futon::end_attempt(view.policy, *n, futon::attempt_outcome::success(of.now, end_now));
        });
        benchmark::counted = nullptr;
        picked.clear();
        if (round == 0) continue;  // Warms up.
        picks.push_back(spent * 1000 / batch);
        ends.push_back(feedback * 1000 / batch);
    }
    made.pick = benchmark::summarise(picks).median;
    made.feedback = benchmark::summarise(ends).median;
    made.allocations = static_cast<double>(counters.allocations.load());
    return made;
}

/// A goal, what was measured, and whether it holds.
class goal_table {
public:
    explicit goal_table(benchmark::json_writer& json) : json_{json} {}
    void add(std::string_view goal, std::string_view what, double measured, double most, std::string_view unit) {
        const bool holds = measured <= most;
        std::printf("%-4.*s %-62.*s %10.4g %10.4g %-5.*s %s\n", static_cast<int>(goal.size()), goal.data(),
                    static_cast<int>(what.size()), what.data(), measured, most, static_cast<int>(unit.size()),
                    unit.data(), holds ? "holds" : "MISSED");
        json_.open('{').add("goal", goal).add("what", what).add("measured", measured).add("most", most).close('}');
    }

private:
    benchmark::json_writer& json_;
};

/// What one update of the list costs: the table, the set and the policy.
double microseconds_of_update(cluster& of, futon::route_cache& cache, std::size_t changed, std::size_t& next,
                              bool whole_list) {
    const auto count = of.table.size();
    std::vector<futon::provider> list;
    std::vector<futon::endpoint> gone;
    for (std::size_t i = 0; i < changed; ++i) gone.push_back(of.table.listed()[i * (count / changed)]->told.address);
    if (whole_list)
        for (const auto* n : of.table.listed())
            if (std::find(gone.begin(), gone.end(), n->told.address) == gone.end()) list.push_back(n->told);
    for (std::size_t i = 0; i < changed; ++i) list.push_back(numbered(next++));
    const auto took = microseconds_of([&] {
        for (const auto& address : gone) of.table.remove(address, of.now);
        for (auto& told : list) of.table.put(std::move(told), of.now).set_connected(true);
        cache.refresh_all(of.table);
        of.table.collect(cache.oldest_version());
    });
    return took;
}

double median_update(std::size_t count, std::size_t changed, bool whole, const futon::any_load_balancer& policy,
                     int rounds) {
    cluster of{count};
    futon::route_cache cache{policy};
    static_cast<void>(cache.find({}, of.table));
    std::size_t next = count;
    std::vector<double> took;
    for (int i = 0; i < rounds; ++i) took.push_back(microseconds_of_update(of, cache, changed, next, whole));
    return benchmark::summarise(took).median;
}

std::size_t heap_in_use() { return mallinfo2().uordblks; }

int run(const benchmark::options& with) {
    const std::vector<std::size_t> sizes =
        with.smoke ? std::vector<std::size_t>{10, 1000} : std::vector<std::size_t>{10, 100, 1000, 10'000, 100'000};
    const auto goal_size = with.smoke ? std::size_t{1000} : std::size_t{10'000};
    benchmark::json_writer json;
    json.open('{').add("rounds", with.rounds).open('[', "rows");

    std::printf(
        "CPU time of one thread, medians of %d rounds\n\nns for a pick, the look-up of its view included\n%-32s",
        with.rounds, "");
    for (const auto size : sizes) std::printf("%10zu", size);
    std::printf("   begin + end\n");
    std::vector<std::vector<figures>> all;
    for (const auto& row : rows) {
        auto& its = all.emplace_back();
        std::printf("%-32.*s", static_cast<int>(row.name.size()), row.name.data());
        for (const auto size : sizes) {
            its.push_back(measure(row, size, with));
            std::printf("%10.1f", its.back().pick);
            std::fflush(stdout);
        }
        std::printf("%14.1f\n", its[its.size() - 2].feedback);
        json.open('{').add("name", row.name).open('[', "picks");
        for (std::size_t i = 0; i < sizes.size(); ++i)
            json.open('{')
                .add("nodes", static_cast<double>(sizes[i]))
                .add("pick_ns", its[i].pick)
                .add("feedback_ns", its[i].feedback)
                .add("rebuild_us", its[i].rebuild)
                .close('}');
        json.close(']').close('}');
    }
    std::printf("\nus to build a policy's tables from nothing\n");
    for (std::size_t r = 0; r < std::size(rows); ++r) {
        std::printf("%-32.*s", static_cast<int>(rows[r].name.size()), rows[r].name.data());
        for (const auto& f : all[r]) std::printf("%10.0f", f.rebuild);
        std::printf("\n");
    }
    json.close(']').open('[', "goals");

    std::printf("\n%-67s %10s %10s\n", "goals", "measured", "at most");
    goal_table goals{json};
    const auto at = static_cast<std::size_t>(std::find(sizes.begin(), sizes.end(), goal_size) - sizes.begin());
    double allocations = 0;
    double feedback = 0;
    for (std::size_t r = 0; r < std::size(rows); ++r) {
        const auto name = std::string{rows[r].name};
        if (rows[r].pick_goal > 0)
            goals.add("G1", name + ", " + std::to_string(goal_size) + " nodes", all[r][at].pick, rows[r].pick_goal,
                      "ns");
        for (const auto& f : all[r]) allocations += f.allocations;
        feedback = std::max(feedback, all[r][at].feedback);
    }
    for (std::size_t r = 0; r < std::size(rows); ++r)
        if (rows[r].growth_goal > 0)
            goals.add("G2", std::string{rows[r].name} + ", largest set over smallest",
                      all[r].back().pick / std::max(all[r].front().pick, 1.0), rows[r].growth_goal, "times");
    goals.add("G2", "ring_hash, largest set", all[9].back().pick, 500, "ns");
    goals.add("G2", "allocations in all picks and their feedback", allocations, 0, "");
    goals.add("G4", "begin and end of an attempt, the slowest policy", feedback, 40, "ns");

    const int updates = with.smoke ? 2 : 11;
    const futon::any_load_balancer peak = futon::peak_ewma{};
    const auto large = with.smoke ? std::size_t{2000} : std::size_t{100'000};
    const auto sized = [](std::string_view what, std::size_t count) {
        return std::string{what} + ", " + std::to_string(count) + " nodes";
    };
    goals.add("G5", sized("a whole list, 1 % changed", goal_size),
              median_update(goal_size, goal_size / 100, true, peak, updates) / 1000, 5, "ms");
    goals.add("G5", sized("a step of 100 changes", goal_size),
              median_update(goal_size, 100, false, peak, updates) / 1000, 0.5, "ms");
    goals.add("G5", sized("a whole list, 1 % changed", large),
              median_update(large, large / 100, true, peak, updates) / 1000, 60, "ms");
    goals.add("G5", sized("a step of 100 changes", large), median_update(large, 100, false, peak, updates) / 1000, 3,
              "ms");
    goals.add("G5", sized("ring_hash, a step of 100 changes", goal_size),
              median_update(goal_size, 100, false, futon::ring_hash{}, updates) / 1000, 10, "ms");
    goals.add("G5", sized("maglev, a step of 1 change", goal_size),
              median_update(goal_size, 1, false, futon::maglev{}, updates) / 1000, 80, "ms");

    {
        const auto before = heap_in_use();
        auto of = std::make_unique<cluster>(large);
        futon::route_cache cache{futon::peak_ewma{}};
        static_cast<void>(cache.find({}, of->table));
        const auto each = static_cast<double>(heap_in_use() - before) / static_cast<double>(large);
        goals.add("G6", "memory of a provider, what was told of it included", each, 256 + sizeof(futon::provider),
                  "bytes");
        goals.add("G6", "memory of a provider without that", each - sizeof(futon::provider), 256, "bytes");
        std::size_t next = large;
        const auto steady = heap_in_use();
        const int churn = with.smoke ? 20 : 2000;
        for (int i = 0; i < churn; ++i) static_cast<void>(microseconds_of_update(*of, cache, 10, next, false));
        const auto grown = static_cast<double>(heap_in_use()) - static_cast<double>(steady);
        goals.add("G6", "growth of the heap over " + std::to_string(churn) + " updates", std::max(0.0, grown / 1024),
                  64, "KiB");
    }
    {
        cluster of{large};
        futon::route_cache cache{futon::peak_ewma{}};
        auto& view = *cache.find({}, of.table);
        auto* const gone = of.table.listed()[large / 2];
        of.table.remove(gone->told.address, of.now);
        std::size_t late = 0;
        for (int i = 0; i < 100'000; ++i) {
            futon::pick_context call{.now = of.now, .random = of.random};
            late += view.policy.pick(view.nodes, call) == gone;
        }
        goals.add("G7", "picks of a node after its removal, in 100 000", static_cast<double>(late), 0, "");
        // Twenty virtual seconds of a rolling restart, with a pick after each change.
        const int seconds = with.smoke ? 1 : 20;
        std::size_t next = large;
        double spent = 0;
        for (int i = 0; i < 56 * seconds; ++i) {
            const auto address = of.table.listed()[static_cast<std::size_t>(i) * 37 % of.table.size()]->told.address;
            auto told = numbered(next++);
            spent += microseconds_of([&] {
                of.table.remove(address, of.now);
                of.table.put(std::move(told), of.now).set_connected(true);
                const auto& now_used = cache.find({}, of.table, of.now);
                futon::pick_context call{.now = of.now, .random = of.random};
                static_cast<void>(now_used->policy.pick(now_used->nodes, call));
                of.table.collect(cache.oldest_version());
            });
            of.now += std::chrono::milliseconds{1000} / 56;
        }
        goals.add("G7", sized("56 changes a second", large), spent / seconds / 1e6 * 100, 2, "% CPU");
    }
    json.close(']').close('}');
    json.save(with.json);
    return 0;
}

}  // namespace

int main(int count, char** arguments) try {
    return run(benchmark::read_options(count, arguments));
} catch (const std::exception& e) {
    std::fprintf(stderr, "benchmark: %s\n", e.what());
    return 1;
}
