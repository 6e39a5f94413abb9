// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Outgoing bytes in two batches: one is being written, the next is being filled.

#include <futon/core/bytes.hpp>
#include <futon/core/held_bytes.hpp>
#include <futon/core/intrusive_ptr.hpp>
#include <futon/message/call.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace futon::detail {

/// A batch is one buffer that small frames are written into, with large bodies standing between its parts.
class out_queue {
public:
    /// Bodies from this size on stay where they are.
    static constexpr std::size_t large_body = 16u << 10;

    /// The end of the batch that is being filled. Offsets into it are good until it is given out.
    [[nodiscard]] byte_buffer& filling() noexcept { return filling_.bytes; }
    /// Distinguishes batches: what stands in the present one has not begun to leave.
    [[nodiscard]] std::uint64_t batch() const noexcept { return number_; }

    /// Puts a body behind what was written, held alive by its call until it is written.
    void attach(bytes_view body, intrusive_ptr<call> holder) {
        filling_.segments.push_back({filling_.bytes.size(), body, std::move(holder)});
        filling_.attached += body.size();
    }
    void attach(intrusive_ptr<held_bytes> body) {
        const auto view = body->view();
        filling_.segments.push_back({filling_.bytes.size(), view, std::move(body)});
        filling_.attached += view.size();
    }
    /// Takes the body of a call whose request stands in the filling batch back out, if it has one.
    void detach(const call& holder) noexcept {
        auto& segments = filling_.segments;
        const auto found =
            std::find_if(segments.begin(), segments.end(), [&](const segment& s) { return s.holder.get() == &holder; });
        if (found == segments.end()) return;
        filling_.attached -= found->body.size();
        segments.erase(found);
    }
    /// Notes how much of the filling batch was caused by the peer.
    void count_answer_bytes(std::size_t count) noexcept { filling_.answers += count; }
    /// Has `write(buffer)` append what the peer caused.
    template <class F>
    void write_answer(F&& write) {
        const auto before = filling_size();
        write(filling());
        count_answer_bytes(filling_size() - before);
    }
    [[nodiscard]] std::size_t filling_size() const noexcept { return filling_.size(); }

    /// What is to be written; see `any_session::to_send`.
    [[nodiscard]] std::span<const bytes_view> to_send() {
        if (left_ == 0) {
            if (filling_.size() == 0) return {};
            std::swap(filling_, writing_);
            ++number_;
            left_ = writing_.size();
            view_all();
        }
        return std::span{views_}.subspan(first_view_);
    }
    void sent(std::size_t count) noexcept {
        count = std::min(count, left_);
        left_ -= count;
        while (count > 0) {
            auto& view = views_[first_view_];
            const auto part = std::min(count, view.size());
            view = view.subspan(part);
            count -= part;
            if (view.empty()) ++first_view_;
        }
        if (left_ == 0) writing_.clear();
    }
    [[nodiscard]] std::size_t unsent() const noexcept { return left_ + filling_.size(); }
    [[nodiscard]] std::size_t unsent_answers() const noexcept {
        return std::min(writing_.answers, left_) + filling_.answers;
    }
    /// Forgets what was never given out.
    void drop_filling() noexcept { filling_.clear(); }

    /// Gives its memory back where everything was sent.
    void give_back() noexcept {
        if (unsent() != 0) return;
        filling_ = {};
        writing_ = {};
        decltype(views_){}.swap(views_);
        first_view_ = 0;
    }

private:
    static constexpr std::size_t kept_capacity = 64u << 10;

    struct segment {
        std::size_t at;  // In the buffer, before which byte.
        bytes_view body;
        intrusive_ptr<ref_counted> holder;
    };
    struct batch_of_bytes {
        byte_buffer bytes;
        std::vector<segment> segments;
        std::size_t attached = 0;
        std::size_t answers = 0;

        [[nodiscard]] std::size_t size() const noexcept { return bytes.size() + attached; }
        void clear() noexcept {
            // A burst keeps its memory; the first small batch after it, a ping at the latest, gives it back.
            const bool oversized = bytes.capacity() > kept_capacity && bytes.size() < bytes.capacity() / 8;
            bytes.clear();
            if (oversized) bytes.reset();
            segments.clear();
            attached = answers = 0;
        }
    };

    void view_all() {
        views_.clear();
        first_view_ = 0;
        std::size_t from = 0;
        const auto add = [&](bytes_view view) {
            if (!view.empty()) views_.push_back(view);
        };
        for (const auto& it : writing_.segments) {
            add(writing_.bytes.view().subspan(from, it.at - from));
            add(it.body);
            from = it.at;
        }
        add(writing_.bytes.view().subspan(from));
    }

    batch_of_bytes filling_;
    batch_of_bytes writing_;
    std::uint64_t number_ = 1;
    std::size_t left_ = 0;
    std::vector<bytes_view> views_;
    std::size_t first_view_ = 0;
};

}  // namespace futon::detail
