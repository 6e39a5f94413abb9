// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Which types may travel, asked where calls are made and where services are provided: contracts stay light.

#include <futon/async/stream_fwd.hpp>
#include <futon/service/method.hpp>
#include <futon/wire/decode.hpp>
#include <futon/wire/encode.hpp>

#include <type_traits>

namespace futon::detail {

/// Stands in compilers' messages.
template <class T, refusal Why>
struct cannot_travel;

template <class T, refusal Why>
using decision_on = std::conditional_t<Why == refusal::none, void, cannot_travel<T, Why>>;

// Both ways at once: a contract is compiled by both sides, and should fail on the first.
template <class T>
struct travels {
    using as_argument = decision_on<T, first_refusal(judge<purpose::packing, T>(), judge<purpose::argument, T>())>;
    using as_result = decision_on<T, first_refusal(judge<purpose::packing, T>(), judge<purpose::result, T>())>;
};
template <>
struct travels<void> {
    using as_result = void;
};

/// Stands in compilers' messages: only a method's result ends with a value of its own.
template <class T>
struct parameter_with_final_result;

// Items wait in a queue, so they own what they hold, as a result does.
template <class T, class R>
struct travels<stream<T, R>> {
    using as_argument =
        std::conditional_t<std::is_void_v<R>, typename travels<T>::as_result, parameter_with_final_result<R>>;
    using as_result = typename first_decision<typename travels<T>::as_result, typename travels<R>::as_result>::type;
};

}  // namespace futon::detail
