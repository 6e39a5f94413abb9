// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Many deadlines, each added and removed in constant time: eight wheels of 64 buckets, the finest of 1 ms.

#include <futon/core/time.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace futon::detail {

/// Deadlines of the entries 0, 1, 2... of some table. One fires at the first whole millisecond that is not before it.
///
/// An entry stands in the wheel in whose unit its deadline first differs from the present, and moves to a
/// finer one as time comes near; a call that is answered in time never moves.
class deadline_wheel {
public:
    explicit deadline_wheel(time_point origin) noexcept : origin_{origin} {}

    /// `index` must not be in it. `no_deadline` adds nothing. `now`: not after what `advance` is told next.
    void add(std::uint32_t index, time_point deadline, time_point now) {
        if (index >= nodes_.size()) nodes_.resize(index + std::size_t{1});
        if (deadline == no_deadline) return;
        // Seen from the time of the last advance, which may be long ago, the deadline stands in
        // a bucket that may have begun: the owner would be woken at once, and for nothing.
        if (linked_ == 0) now_ = std::max(now_, ticks_down(now));
        if (!heads_) [[unlikely]]
            make_heads();
        nodes_[index].due = std::max(now_, ticks_up(deadline));
        link(index);
    }
    void remove(std::uint32_t index) noexcept {
        if (index < nodes_.size() && nodes_[index].level != nowhere) unlink(index);
    }

    /// Calls `expired(index)` for each deadline that has passed; it may add and remove.
    template <class F>
    void advance(time_point now, F&& expired) {
        const auto target = ticks_down(now);
        if (target < now_) return;
        for (;;) {
            const auto next = earliest();
            if (!next || next->tick > target) break;
            now_ = next->tick;
            while (head(next->level, next->bucket) != none) {
                const auto index = head(next->level, next->bucket);
                unlink(index);
                if (nodes_[index].due <= now_) {
                    expired(index);
                } else {
                    link(index);
                }
            }
        }
        now_ = target;
    }

    /// Not later than the first deadline; that of one that stands alone in its bucket, as where calls are few.
    [[nodiscard]] std::optional<time_point> next() const noexcept {
        const auto first = earliest();
        if (!first) return std::nullopt;
        const auto& entry = nodes_[(*heads_)[first->level][first->bucket]];
        const auto tick = entry.after == none ? std::max(first->tick, entry.due) : first->tick;
        return deadline_after(origin_, std::chrono::milliseconds{static_cast<std::int64_t>(tick)});
    }

    /// Gives its memory back where nothing stands in it.
    void give_back() noexcept {
        if (linked_ != 0) return;
        heads_ = nullptr;
        decltype(nodes_){}.swap(nodes_);
    }

private:
    static constexpr std::uint32_t none = 0xFFFFFFFF;
    static constexpr std::uint8_t nowhere = 0xFF;
    static constexpr std::size_t levels = 8;  // 2^48 ms, more than a time point holds.

    struct node {
        std::uint64_t due = 0;
        std::uint32_t before = none;
        std::uint32_t after = none;
        std::uint8_t level = nowhere;
        std::uint8_t bucket = 0;
    };
    struct place {
        std::uint64_t tick;
        std::size_t level;
        std::size_t bucket;
    };

    [[nodiscard]] std::uint64_t ticks_down(time_point at) const noexcept {
        return at <= origin_ ? 0 : static_cast<std::uint64_t>((at - origin_).count()) / 1'000'000;
    }
    [[nodiscard]] std::uint64_t ticks_up(time_point at) const noexcept {
        return at <= origin_ ? 0 : (static_cast<std::uint64_t>((at - origin_).count()) + 999'999) / 1'000'000;
    }

    using heads = std::array<std::array<std::uint32_t, 64>, levels>;

    // Two KiB: a side that makes no calls does without.
    void make_heads() {
        heads_ = std::make_unique<heads>();
        for (auto& wheel : *heads_) wheel.fill(none);
    }
    [[nodiscard]] std::uint32_t& head(std::size_t level, std::size_t bucket) noexcept {
        return (*heads_)[level][bucket];
    }

    void link(std::uint32_t index) noexcept {
        auto& added = nodes_[index];
        const auto level = (static_cast<std::size_t>(std::bit_width((added.due ^ now_) | 1)) - 1) / 6;
        const auto bucket = static_cast<std::size_t>(added.due >> (6 * level)) & 63;
        added.level = static_cast<std::uint8_t>(level);
        added.bucket = static_cast<std::uint8_t>(bucket);
        added.before = none;
        auto& first = head(level, bucket);
        added.after = first;
        if (added.after != none) nodes_[added.after].before = index;
        first = index;
        ++linked_;
        occupied_[level] |= std::uint64_t{1} << bucket;
    }
    void unlink(std::uint32_t index) noexcept {
        auto& removed = nodes_[index];
        if (removed.after != none) nodes_[removed.after].before = removed.before;
        if (removed.before != none) {
            nodes_[removed.before].after = removed.after;
        } else {
            head(removed.level, removed.bucket) = removed.after;
            if (removed.after == none) occupied_[removed.level] &= ~(std::uint64_t{1} << removed.bucket);
        }
        removed.level = nowhere;
        --linked_;
    }
    // Within a wheel no bucket is behind the present, and a finer wheel is always earlier.
    [[nodiscard]] std::optional<place> earliest() const noexcept {
        for (std::size_t level = 0; level < levels; ++level) {
            if (occupied_[level] == 0) continue;
            const auto bucket = static_cast<std::size_t>(std::countr_zero(occupied_[level]));
            const auto unit = 6 * level;
            const auto tick = (now_ >> (unit + 6) << (unit + 6)) | (std::uint64_t{bucket} << unit);
            return place{std::max(tick, now_), level, bucket};
        }
        return std::nullopt;
    }

    time_point origin_;
    std::uint64_t now_ = 0;
    std::array<std::uint64_t, levels> occupied_{};
    std::size_t linked_ = 0;        // Entries.
    std::unique_ptr<heads> heads_;  // Null until the first is added.
    std::vector<node> nodes_;
};

}  // namespace futon::detail
