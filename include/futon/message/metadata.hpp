// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Text that travels beside a call: a few pairs of key and value, in the order they were set.

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace futon {

/// Pairs of key and value, searched linearly: it is meant for a handful.
///
/// The limits of a connection (64 entries and 16 KiB in all, unless set otherwise) are checked when a
/// call is sent. Keys are unique; setting one again replaces its value.
class metadata {
public:
    using entry = std::pair<std::string, std::string>;

    metadata() = default;
    metadata(std::initializer_list<entry> entries) {
        for (const auto& [key, value] : entries) set(key, value);
    }

    void set(std::string_view key, std::string_view value) {
        for (auto& [present, old] : entries_) {
            if (present == key) {
                old = value;
                return;
            }
        }
        entries_.emplace_back(key, value);
    }
    /// Valid until the entry is set again or the metadata ends.
    [[nodiscard]] std::optional<std::string_view> get(std::string_view key) const noexcept {
        for (const auto& [present, value] : entries_)
            if (present == key) return value;
        return std::nullopt;
    }
    [[nodiscard]] bool contains(std::string_view key) const noexcept { return get(key).has_value(); }
    void clear() noexcept { entries_.clear(); }
    [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
    [[nodiscard]] auto begin() const noexcept { return entries_.begin(); }
    [[nodiscard]] auto end() const noexcept { return entries_.end(); }

    friend bool operator==(const metadata&, const metadata&) = default;

private:
    std::vector<entry> entries_;
};

}  // namespace futon
