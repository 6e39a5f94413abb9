// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The policy `weighted_round_robin`: turns in proportion to
/// weights, told by the registry or worked out from load reports.

#include <futon/cluster/load_balancer.hpp>
#include <futon/core/time.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace futon {

/// Of `weighted_round_robin`.
struct weighted_round_robin_options {
    /// Weights from the providers' load reports instead of those that the registry tells.
    bool from_reports = false;
    /// No node counts as more than so many times the mean weight: what bounds the length of a pick. Below 1: 1.
    double most_over_mean = 10;
    // The rest is for `from_reports`.
    /// How often weights are worked out, +-20 % so that clients do not turn as one. Zero: for each pick.
    duration update_every = std::chrono::seconds{1};
    /// For so long the first reports of a connection are not believed. Zero: at once.
    duration blackout = std::chrono::seconds{10};
    /// A report counts for so long. Zero: like no report.
    duration expires = std::chrono::seconds{180};
    /// How much utilisation a share of failed requests stands for. 0: failures do not count.
    double error_penalty = 1.0;
};

/// Static stride scheduling: within 65535 rounds each node gets
/// its exact share, spread evenly, with a few steps a pick.
///
/// A reported weight is qps / (utilisation + error_penalty * eps / qps); nodes
/// without one count as the mean of the others. Its weak spot: reports are old
/// when they are used; against load that moves it is no better than `round_robin`.
class weighted_round_robin {
public:
    explicit weighted_round_robin(weighted_round_robin_options options = {}) noexcept : options_{options} {}

    [[nodiscard]] node* pick(const node_set& nodes, pick_context& call) noexcept {
        if (strides_.empty() || strides_.size() != nodes.size()) return nodes.draw(call);
        if (options_.from_reports && call.now >= next_update_) {
            const auto every =
                static_cast<double>(options_.update_every.count()) * (0.8 + 0.4 * call.random.fraction());
            next_update_ = deadline_after(call.now, duration{static_cast<duration::rep>(every)});
            weigh(nodes, call.now);
        }
        if (!started_) {
            started_ = true;
            index_ = call.random.below(strides_.size());
            round_ = call.random.below(full);
        }
        for (std::size_t unusable = 0; unusable < 8;) {
            const auto index = turn();
            if (nodes.usable(nodes[index], call)) return &nodes[index];
            ++unusable;
        }
        return nodes.draw(call);
    }
    /// With `from_reports` every node is asked once in `update_every`, a few beside each call.
    [[nodiscard]] bool probes() const noexcept { return options_.from_reports; }
    [[nodiscard]] std::size_t next_probes(const node_set& nodes, pick_context& call, std::span<node*> into) noexcept {
        if (!options_.from_reports || nodes.empty()) return 0;
        const auto all = static_cast<double>(nodes.size());
        const std::chrono::duration<double> gone = call.now - asked_at_;
        if (options_.update_every <= duration::zero() || asked_at_ == time_point{}) {
            owed_ = all;
        } else {
            owed_ = std::min(owed_ + all * (gone / options_.update_every), all);
        }
        asked_at_ = call.now;
        std::size_t count = 0;
        for (; owed_ >= 1 && count < into.size(); owed_ -= 1) {
            if (ask_next_ >= nodes.size()) ask_next_ = 0;
            auto& one = nodes[ask_next_++];
            if (nodes.usable(one)) into[count++] = &one;
        }
        return count;
    }
    void rebuild(const node_set& nodes) {
        strides_.resize(nodes.size());
        std::size_t slots = 0;
        for (const auto* n : nodes) slots = std::max<std::size_t>(slots, n->slot + 1);
        reports_since_.resize(std::max(slots, reports_since_.size()));
        weights_.resize(nodes.size());
        if (index_ >= strides_.size()) index_ = 0;
        if (!options_.from_reports) {
            for (std::size_t i = 0; i < nodes.size(); ++i) weights_[i] = nodes[i].weight;
            set_strides();
        } else {
            std::fill(strides_.begin(), strides_.end(), full);  // Until the next pick, which knows the time.
            next_update_ = {};
        }
    }

private:
    static constexpr std::uint32_t full = 0xffff;

    /// In round r node i has a turn if adding its stride to (stride * r + an offset) passes a multiple of `full`.
    [[nodiscard]] std::size_t turn() noexcept {
        while (true) {
            const auto index = index_;
            const auto round = round_;
            if (++index_ == strides_.size()) {
                index_ = 0;
                ++round_;
            }
            const auto stride = strides_[index];
            // The offset spreads the turns of equal nodes over the rounds.
            const auto place = (std::uint64_t{stride} * round + std::uint64_t{index} * (full / 2)) % full;
            if (place >= full - stride) return index;
        }
    }
    void weigh(const node_set& nodes, time_point now) noexcept {
        double sum = 0;
        std::size_t known = 0;
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            weights_[i] = reported(nodes[i], now);
            if (weights_[i] <= 0) continue;
            sum += static_cast<double>(weights_[i]);
            ++known;
        }
        const auto mean = known > 0 ? static_cast<float>(sum / static_cast<double>(known)) : 1.0f;
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            if (weights_[i] <= 0) weights_[i] = mean;
            // Ramps, and an operator's 0, count all the same.
            const auto told = static_cast<float>(nodes[i].told.weight);
            weights_[i] *= told > 0 ? nodes[i].weight / told : 0;
        }
        set_strides();
    }
    [[nodiscard]] float reported(const node& n, time_point now) noexcept {
        auto& since = reports_since_[n.slot];
        if (n.reported_at == time_point{} || now - n.reported_at >= options_.expires) {
            since = {};
            return 0;
        }
        if (since == time_point{}) since = n.reported_at;
        if (now - since < options_.blackout || n.report.qps <= 0 || n.report.utilisation <= 0) return 0;
        const auto cost =
            n.report.utilisation + static_cast<float>(options_.error_penalty) * n.report.eps / n.report.qps;
        return n.report.qps / cost;
    }
    void set_strides() noexcept {
        double sum = 0;
        float greatest = 0;
        for (const auto w : weights_) {
            sum += static_cast<double>(w);
            greatest = std::max(greatest, w);
        }
        const auto cap = static_cast<float>(sum / static_cast<double>(std::max<std::size_t>(weights_.size(), 1)) *
                                            std::max(options_.most_over_mean, 1.0));
        greatest = std::min(greatest, cap);
        for (std::size_t i = 0; i < weights_.size(); ++i) {
            const auto share = greatest > 0 ? std::min(weights_[i], greatest) / greatest : 1.0f;
            const auto stride = static_cast<std::uint32_t>(std::lround(share * static_cast<float>(full)));
            strides_[i] = static_cast<std::uint16_t>(weights_[i] > 0 ? std::max(stride, 1u) : stride);
        }
    }

    weighted_round_robin_options options_;
    std::vector<std::uint16_t> strides_;
    std::vector<float> weights_;
    std::vector<time_point> reports_since_;  // By slot.
    std::size_t index_ = 0;
    std::uint64_t round_ = 0;
    time_point next_update_{};
    time_point asked_at_{};
    double owed_ = 0;  // Probes.
    std::size_t ask_next_ = 0;
    bool started_ = false;
};
static_assert(load_balancer<weighted_round_robin>);

}  // namespace futon
