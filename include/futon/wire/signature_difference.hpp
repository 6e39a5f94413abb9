// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// In what two signatures that do not fit differ first, for people.

#include <string>
#include <string_view>

namespace futon {

/// " in parameter 2, str and i32", " in the number of parameters, 2 and 1", " in the result, ..."; what is long is not
/// quoted. Empty where that cannot be told, e.g. of a malformed text.
[[nodiscard]] std::string signature_difference(std::string_view theirs, std::string_view ours);

}  // namespace futon

#if !defined(FUTON_COMPILED)
#include <futon/wire/detail/signature_difference_bodies.hpp>
#endif
