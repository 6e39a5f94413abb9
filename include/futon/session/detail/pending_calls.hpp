// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The calls from here that wait for their answers: a flat table whose places are used again.

#include <futon/core/intrusive_ptr.hpp>
#include <futon/message/call.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace futon::detail {

/// A call's id is `generation << 32 | index`: a late answer to a place that was used again fits no generation.
class pending_calls {
public:
    struct slot {
        intrusive_ptr<detail::call> call;  ///< Null: free.
        std::uint32_t generation = 0;
        std::uint32_t next_free = 0;
        std::uint64_t ordinal = 0;  ///< Counts the requests of this connection, from 1.
        std::uint64_t batch = 0;    ///< In which batch of outgoing bytes the request stands,
        std::size_t offset = 0;     ///< where,
        std::size_t size = 0;       ///< and with how many bytes there.
    };

    /// Takes a call and gives it an id, which is never zero.
    [[nodiscard]] std::uint64_t open(intrusive_ptr<call>& which) {
        if (first_free_ == none) {
            auto& fresh = slots_.emplace_back();
            fresh.next_free = none;
            fresh.generation = least_generation_;
            first_free_ = static_cast<std::uint32_t>(slots_.size() - 1);
        }
        const auto index = first_free_;
        auto& it = slots_[index];
        first_free_ = it.next_free;
        if (++it.generation == 0) it.generation = 1;
        it.call = std::move(which);
        ++count_;
        return std::uint64_t{it.generation} << 32 | index;
    }
    /// Null if there is no such call (any more).
    [[nodiscard]] slot* find(std::uint64_t id) noexcept {
        const auto index = index_of(id);
        if (index >= slots_.size()) return nullptr;
        auto& it = slots_[index];
        return it.call && it.generation == static_cast<std::uint32_t>(id >> 32) ? &it : nullptr;
    }
    /// The place is free afterwards.
    [[nodiscard]] intrusive_ptr<call> close(std::uint32_t index) noexcept {
        auto& it = slots_[index];
        it.next_free = std::exchange(first_free_, index);
        --count_;
        return std::move(it.call);
    }

    /// Gives its memory back where no call waits. Ids do not repeat for that.
    void give_back() noexcept {
        if (count_ != 0) return;
        for (const auto& it : slots_) least_generation_ = std::max(least_generation_, it.generation);
        decltype(slots_){}.swap(slots_);
        first_free_ = none;
    }

    [[nodiscard]] static std::uint32_t index_of(std::uint64_t id) noexcept { return static_cast<std::uint32_t>(id); }
    [[nodiscard]] std::uint64_t id_of(std::uint32_t index) const noexcept {
        return std::uint64_t{slots_[index].generation} << 32 | index;
    }
    [[nodiscard]] slot& at(std::uint32_t index) noexcept { return slots_[index]; }
    [[nodiscard]] const slot& at(std::uint32_t index) const noexcept { return slots_[index]; }
    /// How many calls wait.
    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    /// Past the last place, free ones included.
    [[nodiscard]] std::uint32_t end() const noexcept { return static_cast<std::uint32_t>(slots_.size()); }

private:
    static constexpr std::uint32_t none = 0xFFFFFFFF;
    std::vector<slot> slots_;
    std::uint32_t first_free_ = none;
    std::uint32_t least_generation_ = 0;  // Of places that are new.
    std::size_t count_ = 0;
};

}  // namespace futon::detail
