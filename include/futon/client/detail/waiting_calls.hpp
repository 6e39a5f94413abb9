// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Calls that wait for a connection, first come first served, within limits of count and bytes.

#include <futon/client/detail/call_list.hpp>
#include <futon/core/time.hpp>
#include <futon/message/call.hpp>
#include <futon/wire/limits.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

namespace futon::detail {

/// Pure; not thread-safe.
///
/// Ordered by the turns of the calls: whatever their number, one comes, goes or expires without a walk over the others,
/// and a call has no place for any of this, which few of them need.
class waiting_calls {
public:
    using list = call_list;

    [[nodiscard]] bool has_room(const call& which, const limits& bounds) const noexcept {
        return calls_.size() < bounds.max_queued_calls &&
               which.request.arguments.size() <= bounds.max_queued_bytes - std::min(bytes_, bounds.max_queued_bytes);
    }
    /// Behind those that were made before it: one that comes back stands where it would have stood.
    /// Errors: `bad_alloc`, and it is not here.
    void push(const intrusive_ptr<call>& which) {
        const auto at = calls_.emplace_hint(calls_.end(), which->turn, which);
        bytes_ += which->request.arguments.size();
        routed_ += which->request.towards ? 1u : 0u;
        try {
            remember_deadline(*which);
        } catch (...) {
            static_cast<void>(take(at));
            throw;
        }
    }
    [[nodiscard]] bool empty() const noexcept { return calls_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return calls_.size(); }
    /// Whether some of them may not go just anywhere.
    [[nodiscard]] bool has_routes() const noexcept { return routed_ > 0; }
    template <class See>
    void for_each(See see) const {
        for (const auto& [unused, each] : calls_) see(*each);
    }
    /// Null if it is not here.
    [[nodiscard]] intrusive_ptr<call> take(const call& which) noexcept {
        const auto [first, last] = calls_.equal_range(which.turn);
        const auto found = std::find_if(first, last, [&](const auto& each) { return each.second.get() == &which; });
        return found == last ? nullptr : take(found);
    }
    /// What to do with a call that waits.
    enum class look : std::uint8_t { take, pass, stop };
    /// Takes out the first one for which `at(call)` says so; null if none.
    template <class Look>
    [[nodiscard]] intrusive_ptr<call> take_first(Look at) {
        for (auto it = calls_.begin(); it != calls_.end(); ++it) {
            const auto what = at(*it->second);
            if (what == look::take) return take(it);
            if (what == look::stop) return nullptr;
        }
        return nullptr;
    }
    [[nodiscard]] list take_all() noexcept {
        return take_if([](const call&) { return true; });
    }
    /// Takes out those for which `which(call)` holds, in order.
    template <class Predicate>
    [[nodiscard]] list take_if(Predicate which) {
        list taken;
        for (auto it = calls_.begin(); it != calls_.end();) {
            const auto here = it++;
            if (which(*here->second)) taken.push(take(here));
        }
        return taken;
    }
    /// Takes out those whose deadline has come, the earliest first.
    [[nodiscard]] list take_expired(time_point now) noexcept {
        list taken;
        for (auto next = earliest(); next != calls_.end() && next->second->request.deadline <= now; next = earliest())
            taken.push(take(next));
        return taken;
    }
    /// `no_deadline` if none has one.
    [[nodiscard]] time_point earliest_deadline() noexcept {
        const auto next = earliest();
        return next == calls_.end() ? no_deadline : next->second->request.deadline;
    }

    /// How many it remembers, those of calls that are gone included.
    [[nodiscard]] std::size_t deadlines_held() const noexcept { return expiries_.size(); }

private:
    using by_turn = std::multimap<std::uint64_t, intrusive_ptr<call>>;
    // When which turn expires. Of a call that is gone, one stays until its time comes or there are too many.
    using expiry = std::pair<time_point, std::uint64_t>;
    static constexpr std::size_t most_stale = 64;  // And as many as there are calls.
    static constexpr std::size_t most_kept = 1024;

    intrusive_ptr<call> take(by_turn::iterator at) noexcept {
        auto taken = std::move(at->second);
        calls_.erase(at);
        bytes_ -= taken->request.arguments.size();
        routed_ -= taken->request.towards ? 1u : 0u;
        if (calls_.empty()) {
            expiries_.clear();
            if (expiries_.capacity() > most_kept) expiries_ = {};
        }
        return taken;
    }
    void remember_deadline(const call& which) {
        if (which.request.deadline == no_deadline) return;
        if (expiries_.size() >= 2 * calls_.size() + most_stale) {
            expiries_.clear();
            for (const auto& [turn, each] : calls_)
                if (each->request.deadline != no_deadline) expiries_.emplace_back(each->request.deadline, turn);
            std::make_heap(expiries_.begin(), expiries_.end(), std::greater{});
            return;
        }
        expiries_.emplace_back(which.request.deadline, which.turn);
        std::push_heap(expiries_.begin(), expiries_.end(), std::greater{});
    }
    // The call whose deadline comes first.
    [[nodiscard]] by_turn::iterator earliest() noexcept {
        for (; !expiries_.empty(); expiries_.pop_back()) {
            const auto [deadline, turn] = expiries_.front();
            const auto [first, last] = calls_.equal_range(turn);
            const auto found = std::find_if(
                first, last, [at = deadline](const auto& each) { return each.second->request.deadline == at; });
            if (found != last) return found;
            std::pop_heap(expiries_.begin(), expiries_.end(), std::greater{});
        }
        return calls_.end();
    }

    by_turn calls_;
    std::vector<expiry> expiries_;  // A heap, the earliest in front.
    std::size_t bytes_ = 0;
    std::size_t routed_ = 0;
};

}  // namespace futon::detail
