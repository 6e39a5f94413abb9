// SPDX-License-Identifier: Apache-2.0

/// \file
/// What futures cost: the life of one, a stage attached and run, beside a callback that is sent through the same
/// executor by hand. Everything happens on one I/O thread, in batches; see docs/performance.md.

#include "support/counters.hpp"
#include "support/options.hpp"
#include "support/process.hpp"
#include "support/statistics.hpp"

#include <futon/async.hpp>
#include <futon/core/runtime.hpp>

#include <asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <future>
#include <latch>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace {

/// Few enough for one turn of an executor.
constexpr int batch = 50;
constexpr int chain = 10;
constexpr int long_chain = 1000;
constexpr int wide = 100;

/// What somebody would write who had only the executor: a block with a function, queued and run.
template <class F>
struct hop final : futon::detail::work, futon::detail::recycled {
    explicit hop(F what) : f{std::move(what)} {}
    void run(bool accepted) noexcept override {
        auto what = std::move(f);
        delete this;
        if (accepted) what();
    }
    F f;
};
template <class F>
void send(futon::executor& where, F what) {
    futon::detail::schedule(where, *new hop<F>{std::move(what)});
}

std::uint64_t sum = 0;  // Of what arrives; on the I/O thread.

/// A chain of callbacks, each of which sends the next.
struct countdown {
    futon::executor* where;
    int left;
    void operator()() const {
        if (left == 0) {
            ++sum;
        } else {
            send(*where, countdown{where, left - 1});
        }
    }
};

void stages(const futon::executor_ref& where, int count) {
    futon::promise<int> source{where};
    auto last = source.get_future();
    for (int i = 0; i < count; ++i) last = std::move(last).then([](int n) { return n + 1; });
    std::move(last).on_complete([](futon::result<int> n) { sum += static_cast<unsigned>(*n); });
    source.set_value(1);
}

/// Does its operation `batch` times in each of many turns, each turn after all of the last one has run.
class repeated final : public futon::detail::work {
public:
    repeated(futon::executor_ref where, std::function<void(const futon::executor_ref&)> operation)
        : where_{std::move(where)}, operation_{std::move(operation)} {}

    /// Nanoseconds for one operation.
    double run_turns(int turns) {
        std::latch done{1};
        left_ = turns;
        done_ = &done;
        const auto begun = std::chrono::steady_clock::now();
        futon::detail::schedule(*where_, *this);
        done.wait();
        const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begun;
        return took.count() / (static_cast<double>(turns) * batch);
    }

private:
    void run(bool) noexcept override {
        if (left_-- == 0) return done_->count_down();
        for (int i = 0; i < batch; ++i) operation_(where_);
        futon::detail::schedule(*where_, *this);
    }

    futon::executor_ref where_;
    std::function<void(const futon::executor_ref&)> operation_;
    int left_ = 0;
    std::latch* done_ = nullptr;
};

struct row {
    std::string_view name;
    void (*operation)(const futon::executor_ref& where);
    int weight = 1;  ///< How many times as long as the shortest it takes, roughly.
};
enum : std::size_t { own_hop, asio_hop, ready, one_promise, short_chain, short_countdown };
asio::any_io_executor asio_place;  // Of the same thread.
const row rows[] = {
    {"a callback through the executor", [](const futon::executor_ref& where) { send(*where, [] { ++sum; }); }},
    {"a callback through asio::post", [](const futon::executor_ref&) { asio::post(asio_place, [] { ++sum; }); }},
    {"a ready future and its callback",
     [](const futon::executor_ref& where) {
         futon::make_ready(where, 1).on_complete([](futon::result<int> n) { sum += static_cast<unsigned>(*n); });
     }},
    {"a promise, its future and its callback", [](const futon::executor_ref& where) { stages(where, 0); }},
    {"the same with 10 stages between", [](const futon::executor_ref& where) { stages(where, chain); }, 20},
    {"10 callbacks, each sending the next",
     [](const futon::executor_ref& where) {
         countdown{where.get(), chain}();
     },
     10},
    {"the same with 1000 stages between", [](const futon::executor_ref& where) { stages(where, long_chain); }, 2000},
    {"1000 callbacks, each sending the next",
     [](const futon::executor_ref& where) {
         countdown{where.get(), long_chain}();
     },
     1000},
    {"when_all of two, ready",
     [](const futon::executor_ref& where) {
         futon::when_all(where, futon::make_ready(where, 1), futon::make_ready(where, 2)).on_complete([](auto both) {
             sum += static_cast<unsigned>(std::get<0>(*both));
         });
     },
     4},
    {"when_all of 100 promises",
     [](const futon::executor_ref& where) {
         std::vector<futon::promise<int>> sources;
         std::vector<futon::future<int>> all;
         sources.reserve(wide);
         all.reserve(wide);
         for (int i = 0; i < wide; ++i) all.push_back(sources.emplace_back(where).get_future());
         futon::when_all(where, std::move(all)).on_complete([](auto each) {
             sum += static_cast<unsigned>(each->front());
         });
         for (auto& each : sources) each.set_value(1);
     },
     200},
    {"100 callbacks that count down by hand",
     [](const futon::executor_ref& where) {
         auto missing = std::make_shared<int>(wide);
         for (int i = 0; i < wide; ++i) send(*where, [missing] { sum += --*missing == 0 ? 1u : 0u; });
     },
     100},
    {"a std::promise and its std::future, ready",
     [](const futon::executor_ref&) {
         std::promise<int> source;
         auto there = source.get_future();
         source.set_value(1);
         sum += static_cast<unsigned>(there.get());
     },
     4},
};

int run(const benchmark::options& with) {
    const bool real_time = benchmark::may_use_real_time_priority();
    benchmark::counters counters;
    benchmark::pin_to(0);
    if (real_time) benchmark::use_real_time_priority();
    const futon::runtime threads;
    asio_place = threads.state()->next_place().asio;
    const int turns = with.smoke ? 100 : 20'000;

    std::vector<std::vector<double>> nanoseconds(std::size(rows));
    std::vector<double> allocations(std::size(rows));
    // In turn, so that a disturbance of the machine falls on all rows alike.
    for (int round = 0; round < with.rounds; ++round) {
        for (std::size_t i = 0; i < std::size(rows); ++i) {
            repeated one{threads.executor(), rows[i].operation};
            const int some = std::max(2, turns / rows[i].weight);
            static_cast<void>(one.run_turns(std::max(1, some / 10)));
            nanoseconds[i].push_back(one.run_turns(some));
            benchmark::counted = &counters;
            const auto before = counters.allocations.load();
            const int counted = std::max(2, 100 / rows[i].weight);
            static_cast<void>(one.run_turns(counted));
            allocations[i] =
                static_cast<double>(counters.allocations.load() - before) / (counted * static_cast<double>(batch));
            benchmark::counted = nullptr;
        }
    }

    std::printf(
        "one I/O thread, %s, %d rounds, medians; ratios to the callbacks of the first two rows\n\n%-40s %10s %9s %9s "
        "%12s\n",
        benchmark::priority_name(real_time), with.rounds, "", "ns", "executor", "asio::post", "allocations");
    benchmark::json_writer json;
    json.open('{').add("real_time", real_time ? 1 : 0).add("rounds", with.rounds).open('[', "rows");
    const auto median = [&](std::size_t i) { return benchmark::summarise(nanoseconds[i]).median; };
    const auto print = [&](std::string_view name, double took) {
        std::printf("%-40.*s %10.1f %9.2f %9.2f", static_cast<int>(name.size()), name.data(), took,
                    took / median(own_hop), took / median(asio_hop));
    };
    for (std::size_t i = 0; i < std::size(rows); ++i) {
        print(rows[i].name, median(i));
        std::printf(" %12.2f\n", allocations[i]);
        json.open('{')
            .add("name", rows[i].name)
            .add("nanoseconds", benchmark::summarise(nanoseconds[i]))
            .add("allocations", allocations[i])
            .close('}');
    }
    const auto stage = (median(short_chain) - median(one_promise)) / chain;
    const auto by_hand = (median(short_countdown) - median(own_hop)) / (chain - 1);
    print("each further stage", stage);
    print("\neach further callback", by_hand);
    std::printf("\n");
    json.close(']')
        .add("nanoseconds_per_further_stage", stage)
        .add("nanoseconds_per_further_callback", by_hand)
        .close('}');
    if (sum == 0) return 1;
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
