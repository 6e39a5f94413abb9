// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a caller is told of an exception in a handler.

#include <futon/core/error.hpp>

#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <typeinfo>

#if __has_include(<cxxabi.h>)
#include <cxxabi.h>
#endif

namespace futon::detail {

/// The name of a type as its author spelled it, where the platform can tell.
[[nodiscard]] inline std::string type_name(const std::type_info& type) {
#if __has_include(<cxxabi.h>)
    int status = 0;
    const std::unique_ptr<char, void (*)(void*)> name{abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), &std::free};
    if (status == 0) return name.get();
#endif
    return type.name();
}

/// The error that a caller sees for an exception in a handler: `executed::yes`, its type and its text.
///
/// An `rpc_error` was thrown for the caller to see; the text of any other can be hidden.
[[nodiscard]] inline error handler_error(std::exception_ptr thrown, bool hide_text) {
    auto made = error::from_exception(thrown, executed::yes).with_executed(executed::yes);
    if (!made.exception()) return made;
    const error plain{made.code(), hide_text ? "the handler failed" : made.message(), executed::yes};
    try {
        std::rethrow_exception(thrown);
    } catch (const std::exception& e) {
        return hide_text ? plain : plain.with_remote_type(type_name(typeid(e)));
    } catch (...) {
        return plain;
    }
}

}  // namespace futon::detail
