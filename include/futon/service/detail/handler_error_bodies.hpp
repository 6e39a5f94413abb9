// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Bodies of handler_error.hpp.

#include <futon/core/bodies.hpp>
#include <futon/core/error.hpp>
#include <futon/service/handler_error.hpp>

#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <typeinfo>

#if __has_include(<cxxabi.h>)
#include <cxxabi.h>
#endif

namespace futon::detail {

FUTON_DETAIL_BODY std::string type_name(const std::type_info& type) {
#if __has_include(<cxxabi.h>)
    int status = 0;
    const std::unique_ptr<char, void (*)(void*)> name{abi::__cxa_demangle(type.name(), nullptr, nullptr, &status),
                                                      &std::free};
    if (status == 0) return name.get();
#endif
    return type.name();
}

FUTON_DETAIL_BODY error handler_error(std::exception_ptr thrown, bool hide_text) {
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
