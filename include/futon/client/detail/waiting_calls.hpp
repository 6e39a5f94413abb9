// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Calls that wait for a connection, first come first served, within limits of count and bytes.

#include <futon/client/detail/call_list.hpp>
#include <futon/cluster/stable_hash.hpp>
#include <futon/core/time.hpp>
#include <futon/message/call.hpp>
#include <futon/message/endpoint.hpp>
#include <futon/wire/limits.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace futon::detail {

/// Pure; not thread-safe.
///
/// Ordered by the turns of the calls: whatever their number, one comes, goes or expires without a walk over the others,
/// and a call has no place for any of this, which few of them need. Thousands may wait at once each for a provider of
/// its own, as those of a broadcast do, so these can be looked at provider by provider.
class waiting_calls {
public:
    using list = call_list;

    [[nodiscard]] bool has_room(const call& which, const limits& bounds) const noexcept {
        return size() < bounds.max_queued_calls &&
               which.request.arguments.size() <= bounds.max_queued_bytes - std::min(bytes_, bounds.max_queued_bytes);
    }
    /// Behind those that were made before it: one that comes back stands where it would have stood. Returns the
    /// provider that it names, as `part` has it.
    /// Errors: `bad_alloc`, and it is not here.
    std::uint64_t push(const intrusive_ptr<call>& which) {
        auto& among = turns_of(*which);
        const auto provider = provider_of(*which);
        const auto at = among.emplace_hint(among.end(), which->turn, waiter{which, provider});
        bytes_ += which->request.arguments.size();
        routed_ += is_routed(*which) ? 1u : 0u;
        try {
            if (&among == &bound_) by_provider_.emplace(key{provider, which->turn}, at);
            remember_deadline(*which);
        } catch (...) {
            static_cast<void>(take(at));
            throw;
        }
        return provider;
    }
    [[nodiscard]] bool empty() const noexcept { return free_.empty() && bound_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return free_.size() + bound_.size(); }
    /// Whether there are calls that name no provider.
    [[nodiscard]] bool has_free() const noexcept { return !free_.empty(); }
    /// Whether some may not go just anywhere.
    [[nodiscard]] bool has_routes() const noexcept { return routed_ > 0 || !bound_.empty(); }
    template <class See>
    void for_each(See see) const {
        merge(free_.begin(), free_.end(), bound_.begin(), bound_.end(),
              [&](auto at) { return see(*at->second.which), true; });
    }
    /// Null if it is not here.
    [[nodiscard]] intrusive_ptr<call> take(const call& which) noexcept {
        auto& among = turns_of(which);
        const auto [first, last] = among.equal_range(which.turn);
        const auto found =
            std::find_if(first, last, [&](const auto& each) { return each.second.which.get() == &which; });
        return found == last ? nullptr : take(found);
    }
    /// Those that name the provider with this `stable_hash`, and those that name none; or all.
    struct part {
        std::uint64_t provider = 0;
        bool all = false;
    };
    /// What to do with a call that waits. `stop`: nor with those behind it which name a provider, or none, as it does.
    enum class look : std::uint8_t { take, pass, stop };
    /// Takes out the first of these for which `at(call)` says so; null if none.
    template <class Look>
    [[nodiscard]] intrusive_ptr<call> take_first(part these, Look at) {
        std::optional<by_turn::iterator> found;
        merge_of(these, [&](by_turn::iterator here) {
            if (found) return false;
            const auto what = at(*here->second.which);
            if (what == look::take) found = here;
            return what == look::pass;
        });
        return found ? take(*found) : nullptr;
    }
    [[nodiscard]] list take_all() noexcept {
        return take_if({.all = true}, [](const call&) { return true; });
    }
    /// Takes out those of these for which `which(call)` holds, in order.
    template <class Predicate>
    [[nodiscard]] list take_if(part these, Predicate which) {
        list taken;
        merge_of(these, [&](by_turn::iterator here) {
            if (which(*here->second.which)) taken.push(take(here));
            return true;
        });
        return taken;
    }
    /// Takes out those whose deadline has come, the earliest first.
    [[nodiscard]] list take_expired(time_point now) noexcept {
        list taken;
        for (auto next = earliest(); next && (*next)->second.which->request.deadline <= now; next = earliest())
            taken.push(take(*next));
        return taken;
    }
    /// `no_deadline` if none has one.
    [[nodiscard]] time_point earliest_deadline() noexcept {
        const auto next = earliest();
        return next ? (*next)->second.which->request.deadline : no_deadline;
    }

    /// How many it remembers, those of calls that are gone included.
    [[nodiscard]] std::size_t deadlines_held() const noexcept { return expiries_.size(); }

private:
    struct waiter {
        intrusive_ptr<call> which;
        std::uint64_t provider;  // Of one that names it.
    };
    using by_turn = std::multimap<std::uint64_t, waiter>;
    using key = std::pair<std::uint64_t, std::uint64_t>;  // The provider, and the turn.
    using by_provider = std::multimap<key, by_turn::iterator>;
    // When which turn expires. Of a call that is gone, one stays until its time comes or there are too many.
    using expiry = std::pair<time_point, std::uint64_t>;
    static constexpr std::size_t most_stale = 64;  // And as many as there are calls.
    static constexpr std::size_t most_kept = 1024;

    [[nodiscard]] static bool is_routed(const call& which) noexcept {
        return which.request.towards && !which.request.names_provider();
    }
    [[nodiscard]] by_turn& turns_of(const call& which) noexcept {
        return which.request.names_provider() ? bound_ : free_;
    }
    // However the address is spelled. What is none is a provider that never changes.
    [[nodiscard]] static std::uint64_t provider_of(const call& which) {
        if (!which.request.names_provider()) return 0;
        const auto address = endpoint::parse(which.request.towards->address);
        return address ? stable_hash(*address) : 0;
    }
    [[nodiscard]] static by_turn::iterator place(by_turn::iterator at) noexcept { return at; }
    [[nodiscard]] static by_turn::const_iterator place(by_turn::const_iterator at) noexcept { return at; }
    [[nodiscard]] static by_turn::iterator place(by_provider::iterator at) noexcept { return at->second; }

    // Shows `see` both sequences as one by turn; it may take out what it sees. False: no more of that sequence.
    template <class Free, class Bound, class See>
    static void merge(Free free, Free free_end, Bound bound, Bound bound_end, See see) {
        while (free != free_end || bound != bound_end) {
            if (bound == bound_end || (free != free_end && free->first <= place(bound)->first)) {
                if (!see(free++)) free = free_end;
            } else if (!see(place(bound++))) {
                bound = bound_end;
            }
        }
    }
    template <class See>
    void merge_of(part these, See see) {
        if (these.all) return merge(free_.begin(), free_.end(), bound_.begin(), bound_.end(), see);
        merge(free_.begin(), free_.end(), by_provider_.lower_bound({these.provider, 0}),
              by_provider_.upper_bound({these.provider, std::numeric_limits<std::uint64_t>::max()}), see);
    }

    intrusive_ptr<call> take(by_turn::iterator at) noexcept {
        auto taken = std::move(at->second.which);
        auto& among = turns_of(*taken);
        if (&among == &bound_) forget_provider({at->second.provider, at->first}, at);
        among.erase(at);
        bytes_ -= taken->request.arguments.size();
        routed_ -= is_routed(*taken) ? 1u : 0u;
        if (empty()) {
            expiries_.clear();
            if (expiries_.capacity() > most_kept) expiries_ = {};
        }
        return taken;
    }
    void forget_provider(const key& at_provider, by_turn::iterator at) noexcept {
        const auto [first, last] = by_provider_.equal_range(at_provider);
        const auto found = std::find_if(first, last, [&](const auto& each) { return each.second == at; });
        if (found != last) by_provider_.erase(found);
    }
    void remember_deadline(const call& which) {
        if (which.request.deadline == no_deadline) return;
        if (expiries_.size() >= 2 * size() + most_stale) {
            expiries_.clear();
            for (const auto* among : {&free_, &bound_})
                for (const auto& [turn, each] : *among)
                    if (const auto due = each.which->request.deadline; due != no_deadline)
                        expiries_.emplace_back(due, turn);
            std::make_heap(expiries_.begin(), expiries_.end(), std::greater{});
            return;
        }
        expiries_.emplace_back(which.request.deadline, which.turn);
        std::push_heap(expiries_.begin(), expiries_.end(), std::greater{});
    }
    // The call whose deadline comes first.
    [[nodiscard]] std::optional<by_turn::iterator> earliest() noexcept {
        for (; !expiries_.empty(); expiries_.pop_back()) {
            const auto [deadline, turn] = expiries_.front();
            for (auto* among : {&free_, &bound_}) {
                const auto [first, last] = among->equal_range(turn);
                const auto found = std::find_if(first, last, [at = deadline](const auto& each) {
                    return each.second.which->request.deadline == at;
                });
                if (found != last) return found;
            }
            std::pop_heap(expiries_.begin(), expiries_.end(), std::greater{});
        }
        return std::nullopt;
    }

    by_turn free_;                  // Those that name no provider,
    by_turn bound_;                 // and those that do,
    by_provider by_provider_;       // which are also found by it.
    std::vector<expiry> expiries_;  // A heap, the earliest in front.
    std::size_t bytes_ = 0;
    std::size_t routed_ = 0;
};

}  // namespace futon::detail
