// SPDX-License-Identifier: Apache-2.0
#include "comparison.hpp"

#include "counters.hpp"
#include "process.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <thread>
#include <utility>

namespace benchmark {
namespace {

template <class Figure>
summary summarise_each(const std::vector<sample>& of, Figure figure) {
    std::vector<double> values;
    for (const auto& each : of) values.push_back(figure(each));
    return summarise(std::move(values));
}
template <class Figure>
summary summarise_ratios(const comparison& of, Figure figure) {
    std::vector<double> values;
    for (std::size_t i = 0; i < of.base.size(); ++i) values.push_back(figure(of.subject[i]) / figure(of.base[i]));
    return summarise(std::move(values));
}

using server_process = child_process<std::uint16_t>;

}  // namespace

summary comparison::calls(const std::vector<sample>& of) {
    return summarise_each(of, [](const sample& each) { return each.calls_per_second; });
}
summary comparison::client_cpu(const std::vector<sample>& of) {
    return summarise_each(of, [](const sample& each) { return each.client_cpu_us; });
}
summary comparison::server_cpu(const std::vector<sample>& of) {
    return summarise_each(of, [](const sample& each) { return each.server_cpu_us; });
}
summary comparison::calls_ratio() const {
    return summarise_ratios(*this, [](const sample& each) { return each.calls_per_second; });
}
summary comparison::cpu_ratio() const {
    return summarise_ratios(*this, [](const sample& each) { return each.client_cpu_us + each.server_cpu_us; });
}

comparer::comparer(const options& with) : with_{with}, real_time_{may_use_real_time_priority()} {}

void comparer::take_place(placement where, bool is_server) const {
    if (where != placement::anywhere) pin_to(is_server || where == placement::one_core ? 0 : 1);
    if (real_time_) use_real_time_priority();
}

void comparer::breathe() const { std::this_thread::sleep_for((with_.warm_up + with_.window) / 8); }

sample comparer::measure(const caller& running, pid_t server) const {
    using seconds = std::chrono::duration<double>;
    std::this_thread::sleep_for(with_.warm_up);
    const auto first = running.done();
    const auto client_before = cpu_time_of(::getpid());
    const auto server_before = cpu_time_of(server);
    const auto begun = std::chrono::steady_clock::now();
    std::this_thread::sleep_for(with_.window);
    const auto calls = static_cast<double>(running.done() - first);
    const auto client_spent = cpu_time_of(::getpid()) - client_before;
    const auto server_spent = cpu_time_of(server) - server_before;
    const seconds took = std::chrono::steady_clock::now() - begun;
    if (calls == 0) throw std::runtime_error{"no call completed in the window"};
    const auto each = [&](nanoseconds spent) { return static_cast<double>(spent.count()) / 1e3 / calls; };
    return {calls / took.count(), each(client_spent), each(server_spent)};
}

comparison comparer::compare(const side& base, const side& subject, const load& of, placement where) const {
    const auto serving = [&](const side& which) {
        return [&](const auto& report) {
            take_place(where, true);
            which.serve(report);
        };
    };
    server_process base_server{serving(base)};
    server_process subject_server{serving(subject)};
    const auto base_port = base_server.report();
    const auto subject_port = subject_server.report();
    const auto round = [&](const side& which, const server_process& server, std::uint16_t port) {
        child_process<sample> client{[&](const auto& report) {
            take_place(where, false);
            const auto running = which.start(port, of);
            report(measure(*running, server.id()));
            std::_Exit(0);
        }};
        const auto measured = client.report();
        breathe();
        return measured;
    };
    comparison made;
    for (int i = 0; i < with_.rounds; ++i) {
        if (i % 2 == 0) made.base.push_back(round(base, base_server, base_port));
        made.subject.push_back(round(subject, subject_server, subject_port));
        if (i % 2 != 0) made.base.push_back(round(base, base_server, base_port));
    }
    return made;
}

call_counts comparer::count(const side& subject, const load& of, placement where) const {
    struct both {
        shared_memory<counters> client, server;
    } kept;
    struct snapshot {
        double calls = 0;
        call_counts::of_process client{}, server{};
    };
    server_process server{[&](const auto& report) {
        counted = &*kept.server;
        take_place(where, true);
        subject.serve(report);
    }};
    const auto port = server.report();
    child_process<snapshot> client{[&](const auto& report) {
        counted = &*kept.client;
        take_place(where, false);
        const auto running = subject.start(port, of);
        const auto read = [](const counters& from) {
            return call_counts::of_process{static_cast<double>(from.allocations.load()),
                                           static_cast<double>(from.allocated_bytes.load()),
                                           static_cast<double>(from.system_calls.load())};
        };
        const auto now = [&] {
            return snapshot{static_cast<double>(running->done()), read(*kept.client), read(*kept.server)};
        };
        std::this_thread::sleep_for(with_.warm_up);
        const auto before = now();
        std::this_thread::sleep_for(with_.window / 4);
        const auto after = now();
        const auto less = [](call_counts::of_process all, const call_counts::of_process& earlier) {
            all.allocations -= earlier.allocations;
            all.allocated_bytes -= earlier.allocated_bytes;
            all.system_calls -= earlier.system_calls;
            return all;
        };
        report({after.calls - before.calls, less(after.client, before.client), less(after.server, before.server)});
        std::_Exit(0);
    }};
    const auto seen = client.report();
    const auto calls = std::max(1.0, seen.calls);
    const auto each = [&](const call_counts::of_process& all) {
        return call_counts::of_process{all.allocations / calls, all.allocated_bytes / calls, all.system_calls / calls};
    };
    return {each(seen.client), each(seen.server)};
}

}  // namespace benchmark
