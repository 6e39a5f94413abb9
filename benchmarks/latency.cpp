// SPDX-License-Identifier: Apache-2.0

/// \file
/// How long calls take at a given rate, from the moment at which each was due: futon beside the raw Asio floor.
///
/// The loop is open: calls are due at times that were drawn in advance (independent of each other, at a mean rate), and
/// whatever keeps a call from being made at its time counts as its latency, so that a stall is not measured once but by
/// all the calls that it delays (no coordinated omission). The client never sleeps: between two looks at the sockets it
/// makes the calls that have become due.

#include "support/comparison.hpp"
#include "support/futon_side.hpp"
#include "support/histogram.hpp"
#include "support/open_caller.hpp"
#include "support/options.hpp"
#include "support/process.hpp"
#include "support/statistics.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using benchmark::placement;

constexpr benchmark::load one_connection{};
/// What the peak is measured with; more does not get more through.
constexpr benchmark::load closed_loop{.in_flight = 512};
/// Calls that are made, late as they may be, before the sockets have a turn again: who is behind must not stop reading.
constexpr int most_in_a_turn = 256;

std::uint64_t nanoseconds_in(std::chrono::nanoseconds time) { return static_cast<std::uint64_t>(time.count()); }
std::uint64_t nanoseconds_now() { return nanoseconds_in(std::chrono::steady_clock::now().time_since_epoch()); }

/// The times at which calls are due. The gaps between them are exponential, by a generator of its own so that the same
/// times are drawn everywhere; over the warm-up the rate rises from a tenth to all of it, for a process that was idle
/// has to ask the kernel for the memory of each further call in flight.
class schedule {
public:
    schedule(std::uint64_t begin, std::uint64_t full_from, double per_second)
        : begin_{static_cast<double>(begin)},
          rise_{static_cast<double>(full_from - begin)},
          next_{begin_},
          mean_gap_{1e9 / per_second} {}
    [[nodiscard]] std::uint64_t next() const noexcept { return static_cast<std::uint64_t>(next_); }
    void pop() noexcept {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 7;
        state_ ^= state_ << 17;
        const auto uniform = static_cast<double>((state_ >> 11) + 1) * 0x1p-53;
        next_ -= mean_gap_ * std::log(uniform) / std::clamp((next_ - begin_) / rise_, 0.1, 1.0);
    }

private:
    double begin_;
    double rise_;
    double next_;
    double mean_gap_;
    std::uint64_t state_ = 0x9e3779b97f4a7c15;
};

/// What a client saw in one window.
struct outcome {
    benchmark::histogram times;
    std::uint64_t due = 0;     ///< Calls that were to be made in the window;
    std::uint64_t failed = 0;  ///< of them, those that failed,
    std::uint64_t lost = 0;    ///< and those that had no answer a second after it.
};

struct quantile {
    std::string_view name;
    double part;
};
constexpr std::array<quantile, 3> quantiles{{{"p50_us", 0.5}, {"p99_us", 0.99}, {"p999_us", 0.999}}};

using opener = std::unique_ptr<benchmark::open_caller> (*)(std::uint16_t, const benchmark::load&, benchmark::arrival);

/// In a process of its own: makes the calls of one window, and calls `finish` on
/// the thread that made them. No other thread of the process has anything to do
/// meanwhile: this one never sleeps, and may be the only one that the core runs.
template <class Finish>
[[noreturn]] void run_client(opener open, std::uint16_t port, double per_second, const benchmark::options& with,
                             outcome& seen, Finish finish) {
    const auto begin = nanoseconds_now() + 2'000'000;
    const auto counted_from = begin + nanoseconds_in(with.warm_up);
    const auto end = counted_from + nanoseconds_in(with.window);
    const auto give_up = end + nanoseconds_in(std::chrono::seconds{1});
    schedule times{begin, counted_from, per_second};
    // The number that a call carries is the time at which it was due.
    const auto caller = open(port, one_connection, [&](std::optional<std::uint64_t> was_due) {
        if (!was_due) {
            ++seen.failed;
        } else if (*was_due >= counted_from) {
            seen.times.record(nanoseconds_now() - *was_due);
        }
    });
    caller->repeat([&] {
        const auto now = nanoseconds_now();
        for (int made = 0; made < most_in_a_turn && times.next() <= now && times.next() < end; times.pop(), ++made) {
            if (times.next() >= counted_from) ++seen.due;
            caller->call(times.next());
        }
        const auto answered = seen.times.count() + seen.failed;
        if (times.next() < end || (answered < seen.due && now < give_up)) return;
        seen.lost = seen.due - std::min(seen.due, answered);
        finish();
    });
    for (;;) std::this_thread::sleep_for(std::chrono::hours{1});
}

struct contestant {
    benchmark::side served;
    opener open;
};

class runner {
public:
    explicit runner(const benchmark::options& with) : with_{with}, comparer_{with} {
        with_.rounds = (with.rounds + 1) / 2;
    }

    int run() {
        const auto peak = peak_rate();
        std::printf(
            "server and client on a core each, %s, %d rounds of %lld ms each%s\n"
            "peak: %.0f calls/s, futon's with 512 in flight; latency in us, from when a call was due: medians of the "
            "rounds' quantiles\n\n",
            benchmark::priority_name(comparer_.real_time()), with_.rounds, static_cast<long long>(with_.window.count()),
            with_.smoke ? ", SMOKE: the figures mean nothing" : "", peak);
        std::printf("%-18s %29s %29s %20s\n", "", "floor", "futon", "without an answer");
        std::printf("%8s %9s %9s %9s %9s %9s %9s %9s %20s\n", "of peak", "calls/s", "p50", "p99", "p99.9", "p50", "p99",
                    "p99.9", "floor, futon");
        json_.open('{').add("real_time", comparer_.real_time() ? 1 : 0).add("rounds", with_.rounds);
        json_.add("window_ms", static_cast<double>(with_.window.count()))
            .add("peak_calls_per_second", peak)
            .open('[', "rows");
        for (const int percent : {10, 20, 30, 40, 50, 60, 70, 80, 90}) {
            if (with_.smoke && percent % 50 != 0) continue;
            at_rate(percent, peak * percent / 100);
        }
        json_.close(']').close('}');
        json_.save(with_.json);
        return 0;
    }

private:
    [[nodiscard]] double peak_rate() const {
        const auto futon = benchmark::futon_side(benchmark::ending::callback);
        return benchmark::comparison::calls(comparer_.compare(futon, futon, closed_loop, placement::two_cores).base)
            .median;
    }
    outcome at_rate(const contestant& who, double per_second) const;
    void at_rate(int percent, double per_second);

    benchmark::options with_;
    benchmark::comparer comparer_;
    benchmark::json_writer json_;
    contestant floor_{benchmark::floor_side(), &benchmark::open_floor};
    contestant futon_{benchmark::futon_side(benchmark::ending::callback), &benchmark::open_futon};
};

outcome runner::at_rate(const contestant& who, double per_second) const {
    benchmark::child_process<std::uint16_t> server{[&](const auto& report) {
        comparer_.take_place(placement::two_cores, true);
        who.served.serve(report);
    }};
    const auto port = server.report();
    benchmark::shared_memory<outcome> seen;
    benchmark::child_process<char> client{[&](const auto& report) {
        comparer_.take_place(placement::two_cores, false);
        run_client(who.open, port, per_second, with_, *seen, [&report] {
            report('.');
            std::_Exit(0);
        });
    }};
    static_cast<void>(client.report());
    comparer_.breathe();
    return *seen;
}

void runner::at_rate(int percent, double per_second) {
    struct rounds {
        std::array<std::vector<double>, quantiles.size()> us;
        double calls = 0, failed = 0, lost = 0;
    };
    std::array<rounds, 2> of;
    for (int round = 0; round < with_.rounds; ++round) {
        for (std::size_t i = 0; i < of.size(); ++i) {
            // Either begins in turn.
            const auto which = (i + static_cast<std::size_t>(round)) % of.size();
            const auto seen = at_rate(which == 0 ? floor_ : futon_, per_second);
            for (std::size_t k = 0; k < quantiles.size(); ++k)
                of[which].us[k].push_back(static_cast<double>(seen.times.quantile(quantiles[k].part)) / 1e3);
            of[which].calls += static_cast<double>(seen.due);
            of[which].failed += static_cast<double>(seen.failed);
            of[which].lost += static_cast<double>(seen.lost);
        }
    }
    std::printf("%7d%% %9.0f", percent, per_second);
    json_.open('{').add("percent_of_peak", percent).add("calls_per_second", per_second);
    for (std::size_t i = 0; i < of.size(); ++i) {
        json_.open('{', i == 0 ? "floor" : "futon");
        for (std::size_t k = 0; k < quantiles.size(); ++k) {
            const auto times = benchmark::summarise(of[i].us[k]);
            std::printf(" %9.1f", times.median);
            json_.add(quantiles[k].name, times);
        }
        json_.add("calls", of[i].calls).add("failed", of[i].failed).add("lost", of[i].lost).close('}');
    }
    json_.close('}');
    std::printf(" %12.0f, %6.0f\n", of[0].failed + of[0].lost, of[1].failed + of[1].lost);
    std::fflush(stdout);
}

}  // namespace

int main(int count, char** arguments) try {
    return runner{benchmark::read_options(count, arguments)}.run();
} catch (const std::exception& e) {
    std::fprintf(stderr, "benchmark: %s\n", e.what());
    return 1;
}
