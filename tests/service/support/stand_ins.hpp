// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What the compile-time half of this room only declares: the real thing where there is one, else the least of it.

#include <futon/contract.hpp>
#include <futon/core/result.hpp>
#include <futon/service/call_context.hpp>

#if __has_include(<futon/async/future.hpp>)
#include <futon/async/future.hpp>
#else
namespace futon {
template <class T>
class future {};
}  // namespace futon
#endif

#if __has_include(<futon/async/task.hpp>)
#include <futon/async/task.hpp>
#else
namespace futon {
template <class T>
class task {};
}  // namespace futon
#endif

#if __has_include( \
    <futon/wire/encode.hpp>) && __has_include(<futon/wire/decode.hpp>) && __has_include(<futon/wire/signature.hpp>)
#include <futon/service/packability.hpp>
#include <futon/service/responder.hpp>
#else
namespace futon {
template <class T>
class responder {};
}  // namespace futon
template <class T>
struct futon::detail::travels {
    using as_argument = void;
    using as_result = void;
};
#endif
