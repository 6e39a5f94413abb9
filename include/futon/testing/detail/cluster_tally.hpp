// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Makes the report of a simulation, from what the engine tells of it.

#include <futon/core/time.hpp>
#include <futon/testing/cluster_report.hpp>
#include <futon/testing/cluster_scenario.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace futon::detail {

class cluster_tally {
public:
    explicit cluster_tally(const testing::cluster_scenario& what)
        : what_{what}, from_{what.warm_up}, until_{what.warm_up + what.measured}, in_flight_(1024) {
        made.windows.resize(static_cast<std::size_t>((until_ + what.timeout) / window::length) + 2);
        for (const auto& fault : what.faults)
            for (int i = fault.bad ? 0 : fault.count; i < fault.count; ++i) bad_.push_back(fault.first + i);
        std::sort(bad_.begin(), bad_.end());
        bad_.erase(std::unique(bad_.begin(), bad_.end()), bad_.end());
    }

    [[nodiscard]] bool measures(duration began) const noexcept { return began >= from_ && began < until_; }

    void attempted(duration now, std::uint32_t server, bool measured) noexcept {
        const bool bad = is_bad(server);
        made.picks_hash = (made.picks_hash ^ (server + 1)) * 0x100000001B3u;
        auto& w = at(now);
        ++w.attempts;
        w.bad_attempts += bad;
        made.attempts += measured;
        made.bad_attempts += measured && bad;
    }
    void ended(duration began, duration now, bool failed, bool refused) noexcept {
        auto& w = at(now);
        ++w.ended;
        w.failed += failed;
        w.refused += refused;
        if (!measures(began)) return;
        ++made.calls;
        made.failed += failed;
        const auto took = failed ? what_.timeout : now - began;
        made.latencies.add(took);
        sum_ += took;
    }
    void sampled(std::uint32_t in_flight) noexcept {
        ++in_flight_[std::min<std::size_t>(in_flight, in_flight_.size() - 1)];
    }
    void newcomer_holds(std::uint32_t in_flight) noexcept {
        made.newcomer_in_flight = std::max(made.newcomer_in_flight, static_cast<int>(in_flight));
    }
    /// How long each server that is up was busy in the second that ended now.
    void second(duration most, duration sum, int servers) noexcept {
        if (sum <= duration::zero()) return;
        busiest_ += static_cast<double>(most.count()) * servers / static_cast<double>(sum.count());
        ++seconds_;
    }

    /// Fills in what is known only at the end.
    [[nodiscard]] testing::cluster_report finish() {
        if (made.calls > 0) made.mean = sum_ / static_cast<duration::rep>(made.calls);
        made.p50 = made.latencies.percentile(0.5);
        made.p90 = made.latencies.percentile(0.9);
        made.p99 = made.latencies.percentile(0.99);
        made.p999 = made.latencies.percentile(0.999);
        made.busiest = seconds_ > 0 ? busiest_ / seconds_ : 0;
        std::uint64_t samples = 0;
        for (const auto count : in_flight_) samples += count;
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < in_flight_.size() && samples > 0; ++i) {
            seen += in_flight_[i];
            made.p99_in_flight = static_cast<int>(i);
            if (seen * 100 >= samples * 99) break;
        }
        if (!bad_.empty()) find_shedding();
        return std::move(made);
    }

    testing::cluster_report made;

private:
    using window = testing::cluster_window;

    [[nodiscard]] bool is_bad(std::uint32_t server) const noexcept {
        return !bad_.empty() && std::binary_search(bad_.begin(), bad_.end(), static_cast<int>(server));
    }
    window& at(duration now) noexcept {
        return made.windows[std::min(static_cast<std::size_t>(now / window::length), made.windows.size() - 1)];
    }
    void find_shedding() {
        auto began = duration::max();
        auto healed = duration::zero();
        for (const auto& fault : what_.faults) {
            if (!fault.bad) continue;
            began = std::min(began, fault.from);
            healed = std::max(healed, fault.until);
        }
        const auto fair = static_cast<double>(bad_.size()) / what_.servers;
        const auto last = static_cast<std::size_t>(until_ / window::length);
        const auto share = [&](std::size_t i) {
            const auto& w = made.windows[i];
            return w.attempts ? static_cast<double>(w.bad_attempts) / static_cast<double>(w.attempts) : fair;
        };
        const auto well = [&](std::size_t i) {
            return share(i) >= fair / 2 && made.windows[i].failed * 100 <= made.windows[i].ended;
        };
        for (auto i = first_whole(began); i + 1 < last; ++i) {
            if (share(i) >= 0.3 * fair || share(i + 1) >= 0.3 * fair) continue;
            made.time_to_shed = static_cast<duration::rep>(i) * window::length - began;
            break;
        }
        if (healed >= until_) return;
        for (auto i = first_whole(healed); i + 1 < last; ++i) {
            if (!well(i) || !well(i + 1)) continue;
            made.time_to_recover = static_cast<duration::rep>(i) * window::length - healed;
            break;
        }
    }
    static std::size_t first_whole(duration from) noexcept {
        return static_cast<std::size_t>((from + window::length - duration{1}) / window::length);
    }

    const testing::cluster_scenario& what_;
    duration from_;
    duration until_;
    std::vector<int> bad_;
    duration sum_{};
    std::vector<std::uint64_t> in_flight_;
    double busiest_ = 0;
    int seconds_ = 0;
};

}  // namespace futon::detail
