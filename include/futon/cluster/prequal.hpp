// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The policy `prequal`: asks a few providers for their load beside each call, and sends calls where it is low.
///
/// After "Load is not what you should balance: Introducing Prequal" (NSDI 2024).

#include <futon/cluster/detail/recent_quantile.hpp>
#include <futon/cluster/load_balancer.hpp>
#include <futon/cluster/peak_ewma.hpp>
#include <futon/core/time.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace futon {

/// Of `prequal`.
struct prequal_options {
    /// Nodes asked beside each call; may be a fraction. 0: none, which is `peak_ewma`. Below 1 the tail suffers.
    double probes_per_call = 3;
    /// A node is hot if it has more requests in flight than this share
    /// of the last 64 reports. 0: only requests in flight count.
    double hot_quantile = 0.6;
    /// A report is not used for longer. Zero: never, which is `peak_ewma`.
    duration probe_age = std::chrono::seconds{1};
    /// While no call comes, as many nodes as for a call, but at least two, are asked each such time, so that the next
    /// call finds reports; sensible below `probe_age`. Zero: only calls have nodes asked.
    duration idle_interval = std::chrono::milliseconds{500};
    /// So long after the last call, and then no more: a client that is not used costs nothing. The first call after
    /// that is one for `peak_ewma`. Zero: as if `idle_interval` were.
    duration idle_for = std::chrono::seconds{10};
    /// Smaller sets are not probed, `peak_ewma` sees all of them. 0: any is.
    std::size_t least_nodes = 4;
    /// Where less than two reports are at hand, e.g. as servers do not answer probes.
    peak_ewma_options otherwise{};
};

/// Keeps up to 16 reports. Of the nodes that are not hot it takes the one with the lowest latency, if all are hot the
/// one with the fewest requests. Failures multiply what a node reports, or one that fails at once would draw all calls.
///
/// The policy only says whom to ask, `next_probes`, and hears of answers, `probed`; sending is up to whoever makes the
/// calls. When: the best there is where servers answer probes and a call takes much longer than a probe (from 200 us
/// on). Its weak spot: the probes, three small messages a call.
class prequal {
public:
    explicit prequal(prequal_options options = {}) noexcept
        : options_{options}, otherwise_{options.otherwise}, usual_load_{options.hot_quantile} {}

    [[nodiscard]] node* pick(const node_set& nodes, pick_context& call) noexcept;
    [[nodiscard]] std::size_t next_probes(const node_set& nodes, pick_context& call, std::span<node*> into) noexcept;
    void probed(node& n, const load_report& report, time_point now) noexcept;
    /// When to ask for `idle_probes`, if no call comes before; `no_deadline`: not at all.
    [[nodiscard]] time_point idle_probes_due() const noexcept { return idle_due_; }
    [[nodiscard]] std::size_t idle_probes(const node_set& nodes, pick_context& call, std::span<node*> into) noexcept;
    void rebuild(const node_set& nodes);
    void ended(node& n, const attempt_outcome& outcome) noexcept {
        otherwise_.ended(n, outcome);
        if (outcome.report) probed(n, *outcome.report, outcome.now);
    }
    /// Reports at hand, for tests and the curious.
    [[nodiscard]] std::size_t pooled() const noexcept { return pooled_; }

private:
    static constexpr std::size_t pool_size = 16;

    struct probe {
        node* of = nullptr;
        time_point at{};
        float in_flight = 0;  // Grows by the calls that are sent there.
        float latency = 0;
        std::uint32_t uses = 0;
    };
    /// As the paper says, but rounded down: a report that is used once more sends there what other clients send there,
    /// too. In the simulation the next whole number up costs 30 to 40 % at the 99th percentile.
    [[nodiscard]] std::uint32_t most_uses(std::size_t nodes) const noexcept {
        if (nodes <= pool_size) return 3;
        const auto fresh =
            (1 - static_cast<double>(pool_size) / static_cast<double>(nodes)) * options_.probes_per_call - 1;
        return fresh <= 0.05 ? 40 : static_cast<std::uint32_t>(std::max(1.0, std::floor(2 / fresh)));
    }
    void drop(std::size_t i) noexcept { pool_[i] = pool_[--pooled_]; }
    [[nodiscard]] std::size_t oldest() const noexcept {
        return static_cast<std::size_t>(std::min_element(pool_.begin(),
                                                         pool_.begin() + static_cast<std::ptrdiff_t>(pooled_),
                                                         [](const probe& a, const probe& b) { return a.at < b.at; }) -
                                        pool_.begin());
    }
    [[nodiscard]] float aversion(const node& n, time_point now) const noexcept {
        if (n.success_rate >= 1) [[likely]]
            return 1;
        const auto rate = std::max(otherwise_.success_rate(n, now), 0.05f);
        return 1 / (rate * rate);
    }
    [[nodiscard]] bool is_probed(const node_set& nodes) const noexcept {
        return nodes.size() >= std::max<std::size_t>(options_.least_nodes, 1) && options_.probes_per_call > 0 &&
               options_.probe_age > duration::zero();
    }
    // As many as are owed, if so many are found.
    std::size_t choose_probes(const node_set& nodes, dice& random, std::span<node*> into) noexcept;

    prequal_options options_;
    peak_ewma otherwise_;
    std::array<probe, pool_size> pool_{};
    std::size_t pooled_ = 0;
    detail::recent_quantile usual_load_;  // Of requests in flight as reported.
    detail::running_median typical_;      // Of the latencies that are reported, per request that is then in flight.
    std::vector<node*> members_;          // By slot: a late answer may be of a node that is listed no more.
    double owed_ = 0;                     // Probes.
    time_point last_call_{};
    time_point idle_due_ = no_deadline;
    bool drop_oldest_ = false;
};
static_assert(load_balancer<prequal>);

inline node* prequal::pick(const node_set& nodes, pick_context& call) noexcept {
    if (call.trial != nullptr) [[unlikely]]
        return call.trial;
    // Where all err, none is hot for it.
    std::array<float, pool_size> aversions;
    auto least_averse = std::numeric_limits<float>::max();
    for (std::size_t i = 0; i < pooled_;) {
        const auto& of = *pool_[i].of;
        if (call.now - pool_[i].at >= options_.probe_age || of.is_held(hold::ejected)) {
            drop(i);
            continue;
        }
        aversions[i] = aversion(of, call.now);
        least_averse = std::min(least_averse, aversions[i]);
        ++i;
    }
    const auto hot_above = options_.hot_quantile <= 0 || usual_load_.empty() ? -1.0f : usual_load_.value();

    // Better is cold before hot; cold by latency, hot by requests in flight. As whole numbers, with the place in the
    // last four bits: the least of them the processor takes without guessing. Floats that are not negative are in the
    // order of their bits.
    static_assert(pool_size == 16);
    auto least = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t most = 0;
    std::size_t usable = 0;
    for (std::size_t i = 0; i < pooled_; ++i) {
        const auto& p = pool_[i];
        const auto factor = aversions[i] > 1 ? aversions[i] / least_averse : 1;
        const auto in_flight = (p.in_flight + 1) * factor - 1;
        // Who has answered no call of late says nothing of latency, and counts as twice what is typical for its queue.
        // Were it the best, every client would send its calls to one that is new or only fails; were it the worst, one
        // that was slow would never be tried again. Twice: in the simulation one that is well again has its share after
        // 1 to 3 s.
        const auto latency = p.latency > 0 ? p.latency : 2 * typical_.value() * (p.in_flight + 1);
        // Half a request more than the quantile: a failure that is
        // nearly forgotten does not make a node hot that is at it.
        const bool hot = in_flight > hot_above + 0.5f;
        const std::array by{latency * factor, in_flight};
        const auto score = (std::uint64_t{hot} << 32 | std::bit_cast<std::uint32_t>(by[hot])) << 4;
        most = std::max(most, score | (pool_size - 1 - i));
        const bool may_be_used = nodes.usable(*p.of, call);
        usable += may_be_used;
        least = std::min(least, may_be_used ? score | i : std::numeric_limits<std::uint64_t>::max());
    }
    if (usable < 2) return otherwise_.pick(nodes, call);

    const auto best = static_cast<std::size_t>(least % pool_size);
    const auto worst = static_cast<std::size_t>(pool_size - 1 - most % pool_size);
    auto& chosen = pool_[best];
    auto* const its_node = chosen.of;
    chosen.in_flight += 1;
    const bool used_up = ++chosen.uses >= most_uses(nodes.size());
    // One goes with each call: the oldest and the worst in turn,
    // so that the pool does not fill up with what is avoided.
    drop_oldest_ = !drop_oldest_;
    const auto gone = drop_oldest_ ? oldest() : worst;
    if (used_up && gone != best) {
        drop(std::max(gone, best));
        drop(std::min(gone, best));
    } else {
        drop(used_up ? best : gone);
    }
    return its_node;
}

inline std::size_t prequal::next_probes(const node_set& nodes, pick_context& call, std::span<node*> into) noexcept {
    if (!is_probed(nodes)) return 0;
    last_call_ = call.now;
    if (options_.idle_interval > duration::zero() && options_.idle_interval <= options_.idle_for)
        idle_due_ = deadline_after(call.now, options_.idle_interval);
    owed_ = std::min(owed_ + options_.probes_per_call, 16.0);
    return choose_probes(nodes, call.random, into);
}

inline std::size_t prequal::idle_probes(const node_set& nodes, pick_context& call, std::span<node*> into) noexcept {
    idle_due_ = deadline_after(call.now, options_.idle_interval);
    if (idle_due_ > deadline_after(last_call_, options_.idle_for)) idle_due_ = no_deadline;
    if (!is_probed(nodes)) return 0;
    owed_ = std::clamp(owed_ + options_.probes_per_call, 2.0, 16.0);  // One report alone is not compared with anything.
    return choose_probes(nodes, call.random, into);
}

inline std::size_t prequal::choose_probes(const node_set& nodes, dice& random, std::span<node*> into) noexcept {
    std::size_t count = 0;
    // A few throws that hit what is not usable or chosen already are let go; they stay owed.
    for (int throws = 0; throws < 32 && owed_ >= 1 && count < into.size(); ++throws) {
        auto* const one = &nodes[random.below(nodes.size())];
        if (!nodes.usable(*one) || std::find(into.begin(), into.begin() + static_cast<std::ptrdiff_t>(count), one) !=
                                       into.begin() + static_cast<std::ptrdiff_t>(count))
            continue;
        into[count++] = one;
        owed_ -= 1;
    }
    return count;
}

inline void prequal::probed(node& n, const load_report& report, time_point now) noexcept {
    if (n.slot >= members_.size() || members_[n.slot] != &n) return;
    const auto in_flight = static_cast<float>(report.in_flight);
    usual_load_.take(in_flight);
    auto at = pooled_;
    for (std::size_t i = 0; i < pooled_; ++i)
        if (pool_[i].of == &n) at = i;
    if (at == pool_size) at = oldest();
    pooled_ = std::max(pooled_, at + 1);
    const auto latency = detail::in_seconds(report.latency);
    if (latency > 0) typical_.take(latency / (in_flight + 1));
    pool_[at] = {&n, now, in_flight, latency, 0};
}

inline void prequal::rebuild(const node_set& nodes) {
    otherwise_.rebuild(nodes);
    std::fill(members_.begin(), members_.end(), nullptr);
    for (auto* n : nodes) {
        if (n->slot >= members_.size()) members_.resize(n->slot + std::size_t{1});
        members_[n->slot] = n;
    }
    for (std::size_t i = 0; i < pooled_;) {
        const auto* const of = pool_[i].of;
        const bool stays = std::find(members_.begin(), members_.end(), of) != members_.end();
        if (stays) {
            ++i;
        } else {
            drop(i);
        }
    }
}

}  // namespace futon
