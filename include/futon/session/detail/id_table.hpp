// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A hash table of what is under way, by the ids that one side of the connection made.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

namespace futon::detail {

/// Open addressing in a power of two, at most half full, without tombstones. An entry has an `id`, which is never
/// zero; one of id zero is an empty place.
///
/// Where an id stands depends on a seed that the peer does not know, so that it cannot choose ids that collide
/// (multiplicative hashing by the highest bits, which is universal: Dietzfelbinger and others, 1997).
template <class Entry>
class id_table {
public:
    explicit id_table(std::uint64_t seed) noexcept : multiplier_{seed == 0 ? golden : seed | 1} {}

    /// Null if the id is in it already. Good until the next `add` or `remove`.
    [[nodiscard]] Entry* add(Entry&& fresh) {
        if (2 * (count_ + 1) > table_.size()) grow();
        auto& place = table_[search(fresh.id)];
        if (place.id != 0) return nullptr;
        place = std::move(fresh);
        ++count_;
        return &place;
    }
    /// Null if it is not in it.
    [[nodiscard]] Entry* find(std::uint64_t id) noexcept {
        return const_cast<Entry*>(static_cast<const id_table*>(this)->find(id));
    }
    [[nodiscard]] const Entry* find(std::uint64_t id) const noexcept {
        if (count_ == 0 || id == 0) return nullptr;
        const auto& place = table_[search(id)];
        return place.id != 0 ? &place : nullptr;
    }
    /// What the entry holds goes last, so that whatever its end causes finds the table whole.
    void remove(Entry& which) noexcept {
        [[maybe_unused]] std::conditional_t<std::is_trivially_copyable_v<Entry>, char, Entry> removed{};
        if constexpr (!std::is_trivially_copyable_v<Entry>) removed = std::move(which);
        // What stands behind it may move up, unless that is before its own place.
        auto hole = static_cast<std::size_t>(&which - table_.data());
        for (auto next = (hole + 1) & mask(); table_[next].id != 0; next = (next + 1) & mask()) {
            const auto home = place_of(table_[next].id);
            if (((next - home) & mask()) < ((next - hole) & mask())) continue;
            table_[hole] = std::move(table_[next]);
            hole = next;
        }
        table_[hole] = Entry{};
        --count_;
    }
    template <class F>
    void for_each(F&& f) {
        for (auto& it : table_)
            if (it.id != 0) f(it);
    }
    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    /// Gives its memory back where it is empty.
    void give_back() noexcept {
        if (count_ == 0) decltype(table_){}.swap(table_);
    }
    /// Everything that was in it.
    [[nodiscard]] std::vector<Entry> take_all() noexcept {
        count_ = 0;
        return std::exchange(table_, {});
    }

private:
    static constexpr std::uint64_t golden = 0x9E37'79B9'7F4A'7C15u;

    [[nodiscard]] std::size_t mask() const noexcept { return table_.size() - 1; }
    [[nodiscard]] std::size_t place_of(std::uint64_t id) const noexcept {
        return static_cast<std::size_t>((id * multiplier_) >> shift_);
    }
    [[nodiscard]] std::size_t search(std::uint64_t id) const noexcept {
        auto at = place_of(id);
        while (table_[at].id != 0 && table_[at].id != id) at = (at + 1) & mask();
        return at;
    }
    void grow() {
        std::vector<Entry> larger(table_.empty() ? 16 : table_.size() * 2);
        auto old = std::exchange(table_, std::move(larger));
        shift_ = std::countl_zero(table_.size()) + 1;
        for (auto& it : old)
            if (it.id != 0) table_[search(it.id)] = std::move(it);
    }

    std::vector<Entry> table_;
    std::size_t count_ = 0;
    std::uint64_t multiplier_;
    int shift_ = 0;  // Leaves as many bits as the size has.
};

}  // namespace futon::detail
