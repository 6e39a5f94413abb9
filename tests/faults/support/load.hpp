// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Calls that come by a schedule, whatever becomes of those before them, and what is true of them afterwards.
///
/// The load is open: a call that is late because the caller, or the machine, was busy is made as soon as it can be, and
/// its latency counts from when it was due. So a stall is seen in all calls that fell into it, not in one.

#include "faults/support/fleet.hpp"
#include "faults/support/ledger.hpp"
#include "faults/support/work.hpp"

#include <futon/filters.hpp>
#include <futon/futon.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iomanip>
#include <map>
#include <mutex>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace futon_tests {

/// What is known of one call.
struct call_note {
    futon::time_point due{};
    futon::time_point ended{};
    bool idempotent = false;
    std::atomic<int> endings{0};
    int attempts = 0;
    Done answer{};
    std::optional<futon::error> why{};  ///< Empty: it succeeded.

    [[nodiscard]] futon::duration latency() const { return ended - due; }
};

/// Writes down how often a call was tried.
struct attempts_into {
    call_note* note;
    void before(futon::client_call&) {}
    void after(futon::client_call& call, futon::call_outcome&) { note->attempts = call.attempts(); }
};

/// Longer than this neither the caller nor a server may be kept from running; a fraction of the shortest timeout.
inline constexpr auto steady = 150ms;

struct load_options {
    double per_second = 500;
    futon::duration timeout = 10s;  ///< Of each call: longer than any stall of a busy machine.
    bool both_kinds = true;        ///< Every other call is idempotent; else none is.
};

/// Begins when it is made. Thread-safety: used by one thread; calls are made by another, of its own.
class open_load {
public:
    open_load(const futon::stub<Work>& stub, ledger& book, const load_options& how = {})
        : stub_{stub}, book_{&book}, how_{how}, began_{futon::clock::now()}, maker_{[this] { make_calls(); }} {}
    open_load(const open_load&) = delete;
    open_load& operator=(const open_load&) = delete;
    ~open_load() {
        stop();
        // The endings refer to the notes.
        static_cast<void>(eventually([&] { return ended_.load() == notes_.size(); }));
    }

    /// Returns when the calls of so much more time are made.
    void goes_on(futon::duration more) {
        const auto until =
            made() + static_cast<std::size_t>(std::chrono::duration<double>(more).count() * how_.per_second);
        REQUIRE(eventually([&] { return made() >= until; }));
    }
    /// The same, until something holds.
    template <class Predicate>
    [[nodiscard]] bool goes_on_until(Predicate holds) {
        return eventually(std::move(holds));
    }
    [[nodiscard]] std::size_t made() const { return made_.load(); }

    /// Makes no more calls, and returns when each has ended.
    void finish() {
        stop();
        REQUIRE_MESSAGE(eventually([&] { return ended_.load() >= notes_.size(); }),
                        "calls that never ended: " << notes_.size() - ended_.load());
    }

    // After `finish`.

    [[nodiscard]] const std::deque<call_note>& calls() const { return notes_; }
    template <class Predicate>
    [[nodiscard]] std::size_t count(Predicate which) const {
        return static_cast<std::size_t>(std::count_if(notes_.begin(), notes_.end(), which));
    }
    [[nodiscard]] std::size_t failed() const {
        return count([](const call_note& each) { return each.why.has_value(); });
    }
    [[nodiscard]] std::size_t answered_by(std::size_t server, futon::time_point from = {}) const {
        return count([&](const call_note& each) {
            return !each.why && each.due >= from && each.answer.server == static_cast<std::int32_t>(server);
        });
    }
    [[nodiscard]] std::size_t due_from(futon::time_point from) const {
        return count([&](const call_note& each) { return each.due >= from; });
    }
    [[nodiscard]] std::int64_t attempts() const {
        std::int64_t sum = 0;
        for (const auto& each : notes_) sum += each.attempts;
        return sum;
    }
    /// Each kind of failure, and how often.
    [[nodiscard]] std::string failures() const {
        std::map<std::string, int> kinds;
        for (const auto& each : notes_)
            if (each.why)
                ++kinds[(each.idempotent ? "look: " : "buy: ") + each.why->describe() +
                        " (ran: " + std::string{name(each.why->ran())} + ")"];
        std::string text;
        for (const auto& [kind, times] : kinds) text += "\n  " + std::to_string(times) + " x " + kind;
        return text.empty() ? "none" : text;
    }
    /// Of the calls that were due in a time; zero if there were none.
    [[nodiscard]] futon::duration quantile(double q, futon::time_point from = {},
                                           futon::time_point to = futon::time_point::max()) const {
        std::vector<futon::duration> all;
        for (const auto& each : notes_)
            if (!each.why && each.due >= from && each.due < to) all.push_back(each.latency());
        if (all.empty()) return {};
        const auto at = all.begin() + static_cast<std::ptrdiff_t>(q * static_cast<double>(all.size() - 1));
        std::nth_element(all.begin(), at, all.end());
        return *at;
    }
    /// How long after `from` it begins that of the calls of a second (or of all that are left) 99 % succeed.
    [[nodiscard]] futon::duration recovers_after(futon::time_point from) const {
        for (const auto& first : notes_) {
            if (first.due < from) continue;
            std::size_t good = 0;
            std::size_t all = 0;
            for (const auto& each : notes_) {
                if (each.due < first.due || each.due >= first.due + 1s) continue;
                ++all;
                good += each.why ? 0u : 1u;
            }
            if (static_cast<double>(good) >= 0.99 * static_cast<double>(all)) return first.due - from;
        }
        return futon::duration::max();
    }

    /// Whether the machine let the calls be made when they were due, and the servers
    /// run: or what they come to says nothing of futon. `stalled`: the servers' own
    /// worst; `bearable`: what is too short to matter. Prints why it did not.
    [[nodiscard]] bool may_be_judged(futon::duration stalled, futon::duration bearable = steady) const {
        const auto worst = std::max(stalled, late_);
        if (worst <= bearable) return true;
        MESSAGE("SKIPPED: only what holds for every call was checked, since the machine stood still for ",
                std::chrono::duration_cast<std::chrono::milliseconds>(worst).count(), " ms");
        return false;
    }
    /// What must be true of every call, whatever happened: it ended once, got its own answer, and was told the truth
    /// about whether it ran; what may run once ran at most once. When all servers have ended or are idle.
    void check_truth() const {
        std::size_t not_once = 0;
        std::size_t wrong_answers = 0;
        std::size_t untrue = 0;
        std::size_t ran_twice = 0;
        std::size_t ran_without_attempt = 0;
        for (std::size_t i = 0; i < notes_.size(); ++i) {
            const auto& each = notes_[i];
            const int ran = book_->ran[i].load();
            not_once += each.endings.load() != 1;
            if (each.why) {
                untrue += each.why->ran() == futon::executed::no && ran != 0;
                untrue += each.why->ran() == futon::executed::yes && ran == 0;
            } else {
                wrong_answers += each.answer.id != static_cast<std::int64_t>(i);
                untrue += ran == 0;
            }
            ran_twice += !each.idempotent && ran > 1;
            ran_without_attempt += ran > each.attempts;
        }
        CHECK(not_once == 0);
        CHECK(wrong_answers == 0);
        CHECK(untrue == 0);
        CHECK(ran_twice == 0);
        CHECK(ran_without_attempt == 0);
    }

private:
    void make_calls() {
        const auto gap =
            std::chrono::duration_cast<futon::duration>(std::chrono::duration<double>(1.0 / how_.per_second));
        const auto stub = stub_.with({.timeout = how_.timeout});
        for (std::size_t i = 0; i < most_calls; ++i) {
            const auto due = began_ + gap * static_cast<std::int64_t>(i);
            {
                std::unique_lock lock{mutex_};
                if (stopping_.wait_until(lock, due, [&] { return stop_; })) return;
            }
            late_ = std::max(late_, futon::clock::now() - due);
            auto& note = notes_.emplace_back();
            note.due = due;
            note.idempotent = how_.both_kinds && i % 2 == 1;
            const auto ending = [this, &note](futon::result<Done> got) {
                note.ended = futon::clock::now();
                if (got) {
                    note.answer = *got;
                } else {
                    note.why = std::move(got).error();
                }
                note.endings.fetch_add(1);
                ended_.fetch_add(1);
            };
            const auto noted = stub.with({.filters = {attempts_into{&note}}});
            const auto id = static_cast<std::int64_t>(i);
            note.idempotent ? noted.look(id, ending) : noted.buy(id, ending);
            made_.store(i + 1);
        }
    }
    void stop() {
        {
            const std::lock_guard lock{mutex_};
            stop_ = true;
        }
        stopping_.notify_all();
        if (maker_.joinable()) maker_.join();
    }

    futon::stub<Work> stub_;
    ledger* book_;
    load_options how_;
    futon::time_point began_;
    std::deque<call_note> notes_;  // Those that are there stay where they are.
    futon::duration late_{};  // The worst, of making a call.
    std::atomic<std::size_t> made_{0};
    std::atomic<std::size_t> ended_{0};
    std::mutex mutex_;
    std::condition_variable stopping_;
    bool stop_ = false;
    std::thread maker_;
};

/// "12.3 ms".
[[nodiscard]] inline std::string ms(futon::duration time) {
    if (time == futon::duration::max()) return "never";
    std::ostringstream text;
    text << std::fixed << std::setprecision(1) << std::chrono::duration<double, std::milli>(time).count() << " ms";
    return text.str();
}

/// Options of a client whose log would only repeat what a test does.
[[nodiscard]] inline futon::client_options quiet_client(futon::any_registry registry = {}) {
    futon::client_options options;
    options.registry = std::move(registry);
    options.threads.log = [](const futon::log_record&) {};
    return options;
}

/// Returns when the client can use so many providers. Calls must
/// be made meanwhile: they have it connect to those that are new.
inline void wait_for_providers(const futon::client& client, std::size_t count) {
    const bool came = eventually([&] { return client.stats().usable_providers == count; });
    const auto seen = client.stats();
    REQUIRE_MESSAGE(came, "usable: " << seen.usable_providers << ", listed: " << seen.providers
                                     << ", suspect: " << seen.suspect_providers
                                     << ", ejected: " << seen.ejected_providers << ", connected: " << seen.connections);
}

}  // namespace futon_tests
