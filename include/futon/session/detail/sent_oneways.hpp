// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// One-way calls that were written, and of which nothing proves yet that the peer took them.

#include <futon/core/intrusive_ptr.hpp>
#include <futon/message/call.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace futon::detail {

/// Nobody answers them, so they are kept until an answer to what was sent after them, or the peer's goodbye, tells.
/// Those that the peer did not take are given back, to be sent elsewhere.
class sent_oneways {
public:
    /// So many, and so many bytes of arguments, are kept at most; the oldest are let go of first. That bounds the
    /// memory of a caller that makes nothing but one-way calls, of which little tells.
    static constexpr std::size_t most_calls = 4096, most_bytes = 4u << 20;

    [[nodiscard]] bool empty() const noexcept { return first_ == entries_.size(); }
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size() - first_; }
    /// How many of `batch`, which must be the latest, are kept.
    [[nodiscard]] std::size_t count_in(std::uint64_t batch) const noexcept { return batch == batch_ ? in_batch_ : 0; }

    /// So that `add` cannot fail. Throws `std::bad_alloc`.
    void make_room() {
        if (entries_.size() < entries_.capacity()) return;
        if (first_ > entries_.size() / 2) {
            entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(first_));
            first_ = 0;
        } else {
            entries_.reserve(std::max<std::size_t>(16, 2 * entries_.capacity()));
        }
    }
    /// `ordinal` is its place among the requests of the connection, `batch` that of the bytes in which it stands.
    void add(intrusive_ptr<call> which, std::uint64_t ordinal, std::uint64_t batch) noexcept {
        if (batch_ != batch) {
            batch_ = batch;
            in_batch_ = dropped_in_batch_ = 0;
        }
        ++in_batch_;
        bytes_ += which->request.arguments.size();
        entries_.push_back({std::move(which), ordinal, batch});
        while (size() > most_calls || (bytes_ > most_bytes && size() > 1)) drop_first();
    }

    /// A ping was written behind `ordinal` requests, as the connection's `number`th.
    void ping_sent(std::uint64_t number, std::uint64_t ordinal) noexcept {
        if (ping_ != 0 || empty()) return;
        ping_ = number;
        before_ping_ = ordinal;
    }
    /// The peer answers pings in their order.
    void ping_answered(std::uint64_t number) noexcept {
        if (ping_ == 0 || number < ping_) return;
        ping_ = 0;
        taken_through(before_ping_);
    }
    /// The peer has taken the requests up to this one.
    void taken_through(std::uint64_t ordinal) noexcept {
        while (!empty() && entries_[first_].ordinal <= ordinal) static_cast<void>(take_first());
        if (dropped_through_ <= ordinal) dropped_ = 0;
    }

    /// Gives those back that the peer did not take. Returns how many more there may be, which were let go of.
    template <class F>
    [[nodiscard]] std::uint64_t refuse_past(std::uint64_t accepted, F&& give_back) {
        const auto from = std::find_if(entries_.begin() + static_cast<std::ptrdiff_t>(first_), entries_.end(),
                                       [&](const entry& it) { return it.ordinal > accepted; });
        for (auto it = from; it != entries_.end(); ++it) give_back(let_go(*it));
        entries_.erase(from, entries_.end());
        if (dropped_through_ <= accepted) return 0;
        const auto lost = std::min(dropped_, dropped_through_ - accepted);
        dropped_through_ = accepted;
        dropped_ -= lost;
        return lost;
    }
    /// The end of the connection: gives those back that stand in `batch`, which was never written, and forgets the
    /// others. Returns how many more of these were let go of.
    template <class F>
    [[nodiscard]] std::uint64_t end(std::uint64_t batch, F&& give_back) {
        while (!empty()) {
            const bool unsent = entries_[first_].batch == batch;
            auto which = take_first();
            if (unsent) give_back(std::move(which));
        }
        return batch == batch_ ? std::exchange(dropped_in_batch_, 0) : 0;
    }

    void give_back() noexcept {
        if (!empty()) return;
        decltype(entries_){}.swap(entries_);
        first_ = 0;
    }

private:
    struct entry {
        intrusive_ptr<call> which;
        std::uint64_t ordinal;
        std::uint64_t batch;
    };

    [[nodiscard]] intrusive_ptr<call> let_go(entry& it) noexcept {
        bytes_ -= it.which->request.arguments.size();
        if (it.batch == batch_) --in_batch_;
        return std::move(it.which);
    }
    [[nodiscard]] intrusive_ptr<call> take_first() noexcept {
        auto taken = let_go(entries_[first_++]);
        if (empty()) {
            entries_.clear();
            first_ = 0;
        }
        return taken;
    }
    void drop_first() noexcept {
        ++dropped_;
        dropped_through_ = entries_[first_].ordinal;
        if (entries_[first_].batch == batch_) ++dropped_in_batch_;
        static_cast<void>(take_first());
    }

    std::vector<entry> entries_;
    std::size_t first_ = 0;  // Before it are places that are free.
    std::size_t bytes_ = 0;
    std::uint64_t batch_ = 0;  // The latest.
    std::size_t in_batch_ = 0;
    std::uint64_t dropped_in_batch_ = 0;
    std::uint64_t dropped_ = 0;          // Since the peer is known to have taken them all;
    std::uint64_t dropped_through_ = 0;  // the last one's ordinal.
    std::uint64_t ping_ = 0;             // Zero: none is awaited.
    std::uint64_t before_ping_ = 0;
};

}  // namespace futon::detail
