// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a filter decides of a call before it goes on.

#include <futon/core/bytes.hpp>
#include <futon/core/error.hpp>

#include <utility>
#include <variant>

namespace futon {

/// The call goes on, ends with an error, or ends with a value, in which case nobody behind the filter hears of it.
///
/// A filter returns one, or an `error` or an `errc`, which is one: `if (full()) return errc::overloaded; return {};`.
class [[nodiscard]] decision {
public:
    /// The call goes on.
    decision() noexcept = default;
    /// It ends with this error, as surely not executed, whatever the error says of that.
    decision(error why) : what_{std::move(why)} {}
    decision(errc code) : what_{error{code, executed::no}} {}
    /// It ends with this value of the method's result, encoded: one msgpack value, as `call_outcome::value` shows it.
    [[nodiscard]] static decision answer(bytes value) {
        decision made;
        made.what_ = std::move(value);
        return made;
    }

    [[nodiscard]] bool goes_on() const noexcept { return what_.index() == 0; }
    /// Null unless the call ends with an error.
    [[nodiscard]] const error* failure() const noexcept { return std::get_if<error>(&what_); }
    /// Null unless it ends with a value.
    [[nodiscard]] bytes* value() noexcept { return std::get_if<bytes>(&what_); }

private:
    std::variant<std::monostate, error, bytes> what_;
};

}  // namespace futon
