// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The error of what a callable of the user's has thrown, with its place in the program.

#include <futon/core/error.hpp>
#include <futon/core/spelled_name.hpp>

#include <exception>
#include <string>

namespace futon::detail {

/// Of the exception that is being handled. Names `F`, unless the error says itself where it comes from: in a log that
/// is often all there is to find the stage by, and it costs nothing where nothing is thrown.
/// To be passed on when the `catch` is left, not within it: until then this thread holds the exception as well, and
/// might be the one that destroys it, while whoever got the error believes to be its last owner.
template <class F>
[[nodiscard]] [[gnu::cold]] error thrown_by(executed ran) {
    const auto why = error::from_exception(std::current_exception(), ran);
    if (!why.exception()) return why;
    return why.with_where("in " + std::string{spelled_name<F>()});
}

template <class Step>
struct callable_of {
    using type = Step;
};
template <template <class...> class Step, class T, class F, class... More>
struct callable_of<Step<T, F, More...>> {
    using type = F;
};
/// The same for the step of a stage, which holds the callable.
template <class Step>
[[nodiscard]] [[gnu::cold]] error thrown_by_step(executed ran) {
    return thrown_by<typename callable_of<Step>::type>(ran);
}

}  // namespace futon::detail
