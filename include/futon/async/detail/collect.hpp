// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What becomes of results that arrive in any order: all values in theirs, all results, or nothing.

#include <futon/core/error.hpp>
#include <futon/core/result.hpp>

#include <cstddef>
#include <deque>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace futon::detail {

/// Puts items in order. Of those that came early only what stands behind a missing one is kept apart.
template <class V>
class in_order {
public:
    void keep(std::size_t index, V value) {
        const auto place = index - all_.size();
        while (early_.size() <= place) early_.emplace_back();
        early_[place].emplace(std::move(value));
        while (!early_.empty() && early_.front()) {
            all_.push_back(*std::move(early_.front()));
            early_.pop_front();
        }
    }
    [[nodiscard]] std::vector<V> take() noexcept { return std::move(all_); }

private:
    std::vector<V> all_;
    std::deque<std::optional<V>> early_;
};

/// Fails with the first error; else all values.
template <class T>
struct collect_values {
    using type = std::vector<T>;
    in_order<T> values;
    std::optional<error> keep(std::size_t index, result<T> got) {
        if (!got) return std::move(got).error();
        values.keep(index, *std::move(got));
        return std::nullopt;
    }
    result<type> take() noexcept { return values.take(); }
};
/// Fails with the first error; values are dropped.
template <class T>
struct collect_nothing {
    using type = void;
    std::optional<error> keep(std::size_t, result<T> got) {
        if (!got) return std::move(got).error();
        return std::nullopt;
    }
    result<void> take() noexcept { return {}; }
};
template <>
struct collect_values<void> : collect_nothing<void> {};
/// Goes on after errors.
template <class T>
struct collect_results {
    using type = std::vector<result<T>>;
    in_order<result<T>> results;
    std::optional<error> keep(std::size_t index, result<T> got) {
        results.keep(index, std::move(got));
        return std::nullopt;
    }
    result<type> take() noexcept { return results.take(); }
};

}  // namespace futon::detail
