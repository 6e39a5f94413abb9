// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What the clients and the servers of a simulated cluster share:
/// the clock, what is planned, and what is on its way between them.

#include <futon/cluster/node.hpp>
#include <futon/cluster/provider.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/time.hpp>
#include <futon/message/load_report.hpp>
#include <futon/testing/cluster_options.hpp>
#include <futon/testing/cluster_scenario.hpp>
#include <futon/testing/cluster_truth.hpp>
#include <futon/testing/detail/chance.hpp>
#include <futon/testing/detail/cluster_tally.hpp>
#include <futon/testing/detail/event_queue.hpp>
#include <futon/testing/detail/prefetch.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace futon::detail {

/// Each event happens either to a client or to a server.
enum class happening : std::uint8_t {
    call,
    reply,
    deadline,
    retry,
    hedge,
    probe_reply,
    lost,
    reconnect,
    drain_notice,
    change,
    idle_probes,
    health,  // to a client
    request,
    work_done,
    probe,
    fault_begins,
    fault_ends,
    start,
    antagonists,
    second,
    sample  // to a server
};

/// Where events queue up that come a constant time after they were planned; and the next call, of which there is one.
enum class event_lane : std::uint8_t { calls, to_server, to_client, deadlines, count };

/// Things by number; numbers of what has ended are used again.
template <class T>
class numbered {
public:
    std::uint32_t add() {
        if (free_.empty()) {
            items_.emplace_back();
            return static_cast<std::uint32_t>(items_.size() - 1);
        }
        const auto number = free_.back();
        free_.pop_back();
        return number;
    }
    void remove(std::uint32_t number) { free_.push_back(number); }
    [[nodiscard]] T& operator[](std::uint32_t number) noexcept { return items_[number]; }
    /// All numbers are below it.
    [[nodiscard]] std::uint32_t end() const noexcept { return static_cast<std::uint32_t>(items_.size()); }
    [[nodiscard]] std::size_t live() const noexcept { return items_.size() - free_.size(); }

private:
    std::vector<T> items_;
    std::vector<std::uint32_t> free_;
};

/// One request on its way to a server, there, or on its way back. Held by its client until it has ended there, and by
/// network and server until nothing of it is left.
struct simulated_attempt {
    std::uint32_t call = 0;
    std::uint32_t client = 0;
    std::uint32_t server = 0;
    std::uint32_t found = 0;  ///< In flight at the server when it came.
    node* at = nullptr;
    duration began{};
    duration arrived{};
    duration deadline{};
    duration demand{};
    duration cancelled = duration::max();  ///< When the server learns that nobody wants it any more.
    std::optional<errc> failure{};         ///< Of the reply.
    executed ran = executed::yes;          ///< What the reply says of execution.
    bool ended = false;                    ///< For its client.
    bool gone = false;                     ///< From network and server.
    load_report report{};
};

struct simulated_probe {
    static constexpr std::uint32_t none = 0xFFFFFFFF;

    std::uint32_t client = 0;
    std::uint32_t server = 0;
    std::uint32_t next = none;  ///< Sent at the same time and as long under way: one event for all of them.
    node* at = nullptr;
    load_report report{};
};

/// Plain data: what the two sides may do with it, they do themselves.
struct cluster_state {
    struct occurrence {
        happening what{};
        std::uint32_t a = 0;
        std::uint32_t b = 0;
    };

    cluster_state(const testing::cluster_scenario& scenario, const testing::cluster_options& options)
        : what{scenario},
          how{options},
          end{what.warm_up + what.measured},
          tally{what},
          delays_{how.seed, chance::network} {
        auto count = what.servers;
        for (const auto& each : what.changes) count = std::max(count, each.first + each.count);
        for (int i = 0; i < count; ++i) {
            provider told;
            told.address.host = "server";
            told.address.port = static_cast<std::uint16_t>(i + 1);
            if (!what.zones.empty()) told.zone = what.zones[static_cast<std::size_t>(i) % what.zones.size()];
            for (const auto& each : what.changes)
                if (each.listed && i >= each.first && i < each.first + each.count) told.warm_up = each.warm_up;
            providers.push_back(std::move(told));
        }
        truth = {.in_flight = std::vector<std::uint32_t>(providers.size()),
                 .slowness = std::vector<double>(providers.size()),
                 .up = std::vector<std::uint8_t>(providers.size())};
    }
    cluster_state(const cluster_state&) = delete;
    cluster_state& operator=(const cluster_state&) = delete;

    [[nodiscard]] time_point now() const noexcept { return epoch + at; }
    void plan(duration when, happening event, std::uint32_t a = 0, std::uint32_t b = 0) {
        queue.plan(when.count(), {event, a, b});
    }
    void plan(event_lane in, duration when, happening event, std::uint32_t a = 0, std::uint32_t b = 0) {
        queue.plan(static_cast<std::size_t>(in), when.count(), {event, a, b});
    }
    /// When what is sent now arrives.
    [[nodiscard]] duration after_network() noexcept {
        if (what.network_jitter <= 0) return at + what.network;
        const auto number = next_delay_++;
        const auto normal = std::sqrt(2 * delays_.exponential(2 * number)) *
                            std::cos(6.283185307179586 * delays_.fraction(2 * number + 1));
        return at + duration{std::llround(static_cast<double>(what.network.count()) *
                                          std::exp(what.network_jitter * normal))};
    }
    /// What a server says goes to its client, which then needs the node.
    void answer(std::uint32_t attempt, duration after) {
        prefetch(attempts[attempt].at);
        plan(event_lane::to_client, after_network() + after, happening::reply, attempt);
    }
    void answer_probes(std::uint32_t first) {
        for (auto each = first; each != simulated_probe::none; each = probes[each].next) {
            prefetch(probes[each].at);
            prefetch(&probes[each].at->report);
        }
        plan(event_lane::to_client, after_network(), happening::probe_reply, first);
    }
    /// Nothing of it is left on the network or in a server.
    void release(std::uint32_t attempt) {
        auto& a = attempts[attempt];
        a.gone = true;
        if (a.ended) attempts.remove(attempt);
    }

    // Not zero: policies take that time for "never".
    static constexpr time_point epoch{std::chrono::hours{1}};

    const testing::cluster_scenario& what;
    const testing::cluster_options& how;
    const duration end;    ///< Of arrivals.
    bool reports = false;  ///< Clients want to know what requests take.
    duration at{};
    event_queue<occurrence, static_cast<std::size_t>(event_lane::count)> queue;
    numbered<simulated_attempt> attempts;
    numbered<simulated_probe> probes;
    std::vector<provider> providers;
    testing::cluster_truth truth;
    cluster_tally tally;

private:
    chance_stream delays_;
    std::uint64_t next_delay_ = 0;
};

}  // namespace futon::detail
