// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Looks into an executor of any type.

#include <typeinfo>

namespace futon::detail {

/// What `any`, e.g. an `asio::any_io_executor`, holds if that is a `T`; else null. `target` of Asio 1.22 alone does not
/// look at the type, and gives a pointer to something else.
template <class T, class AnyExecutor>
[[nodiscard]] const T* target_of(const AnyExecutor& any) noexcept {
    return any && any.target_type() == typeid(T) ? any.template target<T>() : nullptr;
}

}  // namespace futon::detail
