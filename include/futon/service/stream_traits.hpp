// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Which parameters and results of a method are streams. Light: contracts see it.

#include <futon/async/stream_fwd.hpp>

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace futon::detail {

template <class T>
struct stream_parts {
    static constexpr bool is_stream = false;
    using item = void;
    using final_result = T;
};
template <class T, class R>
struct stream_parts<stream<T, R>> {
    static constexpr bool is_stream = true;
    using item = T;
    using final_result = R;
};

template <class T>
inline constexpr bool is_stream = stream_parts<std::remove_cvref_t<T>>::is_stream;

/// Of a method's declaration, without references.
template <class R, class... A>
struct method_streams {
    static constexpr std::size_t count = (std::size_t{0} + ... + std::size_t{is_stream<A>});
    static constexpr bool gives_items = is_stream<R>;
    static constexpr bool takes_items = count > 0;
    static constexpr bool any = gives_items || takes_items;
    using item = typename stream_parts<R>::item;
    /// What the call yields at its end.
    using final_result = typename stream_parts<R>::final_result;
};

/// The items of the parameter that is a stream; `void` if none is.
template <class... A>
struct taken_item {
    using type = void;
};
template <class First, class... Rest>
struct taken_item<First, Rest...> : taken_item<Rest...> {};
template <class T, class R, class... Rest>
struct taken_item<stream<T, R>, Rest...> {
    using type = T;
};

/// The parameters that travel in the request: all but the stream. A tuple of `std::type_identity`.
template <class... A>
using plain_arguments = decltype(std::tuple_cat(
    std::declval<std::conditional_t<is_stream<A>, std::tuple<>, std::tuple<std::type_identity<A>>>>()...));

/// Puts the stream back between the other arguments.
template <class... A>
struct argument_merger {
    /// `f(arguments...)`, each as an rvalue.
    template <class Plain, class Taken, class F>
    static void apply(Plain& plain, Taken& taken, F&& f) {
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            f(at<I>(plain, taken)...);
        }(std::index_sequence_for<A...>{});
    }

private:
    static constexpr bool stream_at(std::size_t index) noexcept {
        const bool all[] = {is_stream<A>..., false};
        return all[index];
    }
    static constexpr std::size_t plain_before(std::size_t index) noexcept {
        std::size_t count = 0;
        for (std::size_t i = 0; i < index; ++i) count += stream_at(i) ? 0u : 1u;
        return count;
    }
    template <std::size_t I, class Plain, class Taken>
    static decltype(auto) at(Plain& plain, Taken& taken) noexcept {
        if constexpr (stream_at(I)) {
            return std::move(taken);
        } else {
            return std::move(std::get<plain_before(I)>(plain));
        }
    }
};

}  // namespace futon::detail
