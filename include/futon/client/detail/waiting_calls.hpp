// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Calls that wait for a connection, first come first served, within limits of count and bytes.

#include <futon/core/time.hpp>
#include <futon/message/call.hpp>
#include <futon/wire/limits.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <list>
#include <utility>

namespace futon::detail {

/// Pure; not thread-safe.
class waiting_calls {
public:
    using list = std::list<intrusive_ptr<call>>;

    [[nodiscard]] bool has_room(const call& which, const limits& bounds) const noexcept {
        return calls_.size() < bounds.max_queued_calls &&
               which.request.arguments.size() <= bounds.max_queued_bytes - std::min(bytes_, bounds.max_queued_bytes);
    }
    /// Behind those that were made before it: one that comes back stands where it would have stood.
    void push(intrusive_ptr<call> which) {
        bytes_ += which->request.arguments.size();
        routed_ += which->request.towards ? 1u : 0u;
        auto place = calls_.end();
        while (place != calls_.begin() && (*std::prev(place))->turn > which->turn) --place;
        calls_.insert(place, std::move(which));
    }
    [[nodiscard]] bool empty() const noexcept { return calls_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return calls_.size(); }
    /// Whether some of them may not go just anywhere.
    [[nodiscard]] bool has_routes() const noexcept { return routed_ > 0; }
    [[nodiscard]] auto begin() const noexcept { return calls_.begin(); }
    [[nodiscard]] auto end() const noexcept { return calls_.end(); }
    /// What to do with a call that waits.
    enum class look : std::uint8_t { take, pass, stop };
    /// Takes out the first one for which `at(call)` says so; null if none.
    template <class Look>
    [[nodiscard]] intrusive_ptr<call> take_first(Look at) {
        for (auto it = calls_.begin(); it != calls_.end(); ++it) {
            const auto what = at(**it);
            if (what == look::stop) return nullptr;
            if (what == look::pass) continue;
            auto taken = std::move(*it);
            calls_.erase(it);
            forget(*taken);
            return taken;
        }
        return nullptr;
    }
    [[nodiscard]] list take_all() noexcept {
        bytes_ = routed_ = 0;
        return std::exchange(calls_, {});
    }
    /// Takes out those for which `which(call)` holds, in order.
    template <class Predicate>
    [[nodiscard]] list take_if(Predicate which) {
        list taken;
        for (auto it = calls_.begin(); it != calls_.end();) {
            const auto here = it++;
            if (!which(**here)) continue;
            forget(**here);
            taken.splice(taken.end(), calls_, here);
        }
        return taken;
    }
    [[nodiscard]] time_point earliest_deadline() const noexcept {
        auto earliest = no_deadline;
        for (const auto& each : calls_) earliest = std::min(earliest, each->request.deadline);
        return earliest;
    }

private:
    void forget(const call& which) noexcept {
        bytes_ -= which.request.arguments.size();
        routed_ -= which.request.towards ? 1u : 0u;
    }

    list calls_;
    std::size_t bytes_ = 0;
    std::size_t routed_ = 0;
};

}  // namespace futon::detail
