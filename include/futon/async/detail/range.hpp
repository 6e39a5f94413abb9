// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What combinators ask of a range. <ranges> has all of it, too, and is among the dearest headers there are to compile.

#include <iterator>
#include <utility>

namespace futon::detail {

template <class R>
using range_iterator = decltype(std::begin(std::declval<R&>()));
template <class R>
using range_reference = std::iter_reference_t<range_iterator<R>>;
template <class R>
using range_value = std::iter_value_t<range_iterator<R>>;

template <class R>
concept readable_range = requires(R& range) {
    requires std::input_iterator<decltype(std::begin(range))>;
    requires std::sentinel_for<decltype(std::end(range)), decltype(std::begin(range))>;
};
/// Told its size without being walked through, and may be walked through again.
template <class R>
concept counted_range =
    readable_range<R> && std::forward_iterator<range_iterator<R>> && requires(R& range) { std::size(range); };

}  // namespace futon::detail
