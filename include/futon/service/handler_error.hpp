// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a caller is told of an exception in a handler.

#include <futon/core/error.hpp>

#include <exception>
#include <string>
#include <typeinfo>

namespace futon::detail {

/// The name of a type as its author spelled it, where the platform can tell.
[[nodiscard]] std::string type_name(const std::type_info& type);

/// The error that a caller sees for an exception in a handler: `executed::yes`, its type and its text.
///
/// An `rpc_error` was thrown for the caller to see; the text of any other can be hidden.
[[nodiscard]] error handler_error(std::exception_ptr thrown, bool hide_text);

}  // namespace futon::detail

#if !defined(FUTON_COMPILED)
#include <futon/service/detail/handler_error_bodies.hpp>
#endif
