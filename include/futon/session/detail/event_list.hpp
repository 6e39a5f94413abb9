// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The events of one batch and what they point to; its memory is used again for the next.

#include <futon/core/result.hpp>
#include <futon/session/event.hpp>
#include <futon/wire/metadata_codec.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <utility>
#include <vector>

namespace futon::detail {

class event_list {
public:
    void clear() noexcept {
        events_.clear();
        left_ = events_.capacity();
        names_used_ = headers_used_ = 0;
    }
    /// Gives its memory back but for that of `kept` events. Nothing may look at what it holds any more.
    void give_back(std::size_t kept) noexcept {
        clear();
        decltype(headers_){}.swap(headers_);
        decltype(names_){}.swap(names_);
        if (events_.capacity() <= kept) return;
        try {
            std::vector<event> few;
            few.reserve(kept);
            events_.swap(few);
        } catch (const std::bad_alloc&) {  // Then it stays.
        }
        left_ = events_.capacity();
    }
    /// Makes room for `count` more events, so that adding them cannot fail.
    void reserve(std::size_t count) {
        if (left_ < count) [[unlikely]] {
            events_.reserve(std::max(events_.size() + count, 2 * events_.capacity()));
            left_ = events_.capacity() - events_.size();
        }
    }
    /// Good until the next `add`.
    event& add(event::kind what) {
        if (left_ == 0) [[unlikely]]
            reserve(1);
        --left_;
        auto& it = events_.emplace_back();
        it.what = what;
        return it;
    }
    event& add(event::kind what, error why) {
        auto& it = add(what);
        it.why = std::move(why);
        return it;
    }
    [[nodiscard]] const method_names* keep(const method_names& names) {
        if (names_used_ == names_.size()) names_.push_back(std::make_unique<method_names>());
        auto& into = *names_[names_used_++];
        into = names;
        return &into;
    }
    /// Null where the frame has none.
    [[nodiscard]] result<const metadata*> decode(const frame& from, const metadata_limits& limits) {
        if (!from.has_metadata) return static_cast<const metadata*>(nullptr);
        if (headers_used_ == headers_.size()) headers_.push_back(std::make_unique<metadata>());
        auto& into = *headers_[headers_used_];
        if (auto decoded = decode_metadata(from.metadata, into, limits); !decoded) return std::move(decoded).error();
        ++headers_used_;
        return &into;
    }
    [[nodiscard]] std::span<event> all() noexcept { return events_; }

private:
    std::vector<event> events_;
    std::size_t left_ = 0;  // How many more it has room for.
    std::vector<std::unique_ptr<metadata>> headers_;
    std::size_t headers_used_ = 0;
    std::vector<std::unique_ptr<method_names>> names_;
    std::size_t names_used_ = 0;
};

}  // namespace futon::detail
