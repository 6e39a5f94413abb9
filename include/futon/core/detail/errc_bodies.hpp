// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Bodies of errc.hpp: the categories behind the codes.

#include <futon/core/bodies.hpp>
#include <futon/core/errc.hpp>

#include <string>
#include <system_error>

namespace futon {

namespace detail {

class condition_category final : public std::error_category {
public:
    const char* name() const noexcept override { return "futon.condition"; }
    std::string message(int value) const override {
        switch (static_cast<cond>(value)) {
            case cond::timeout: return "timeout";
            case cond::cancelled: return "cancelled";
            case cond::unavailable: return "unavailable";
            case cond::retryable: return "retryable";
            case cond::caller_bug: return "caller bug";
        }
        return "unknown condition " + std::to_string(value);
    }
    bool equivalent(const std::error_code& code, int group) const noexcept override {
        return code.category() == futon_category() &&
               belongs_to(static_cast<errc>(code.value()), static_cast<cond>(group));
    }
};

class error_category final : public std::error_category {
public:
    const char* name() const noexcept override { return "futon"; }
    std::string message(int value) const override {
        const auto text = futon::name(static_cast<errc>(value));
        return text.empty() ? "unknown error " + std::to_string(value) : std::string{text};
    }
};

}  // namespace detail

FUTON_DETAIL_BODY const std::error_category& futon_category() noexcept {
    static const detail::error_category category;
    return category;
}

FUTON_DETAIL_BODY std::error_condition make_error_condition(cond group) noexcept {
    static const detail::condition_category category;
    return {static_cast<int>(group), category};
}

}  // namespace futon
