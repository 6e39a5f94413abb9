// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Parts of a JSON text that somebody else wrote: what is missing, or of another kind, is empty.

#include <nlohmann/json.hpp>

#include <charconv>
#include <cstdint>
#include <string>

namespace futon::detail {

/// A text of `object`; empty if it has none of that name.
[[nodiscard]] inline std::string json_text(const nlohmann::json& object, const char* name) {
    const auto found = object.is_object() ? object.find(name) : object.end();
    return object.is_object() && found != object.end() && found->is_string() ? found->get<std::string>()
                                                                             : std::string{};
}
/// A number of `object`, which may be written as text; 0 if it has none of that name.
[[nodiscard]] inline std::int64_t json_number(const nlohmann::json& object, const char* name) {
    if (!object.is_object()) return 0;
    const auto found = object.find(name);
    if (found == object.end()) return 0;
    if (found->is_number_integer()) return found->get<std::int64_t>();
    if (!found->is_string()) return 0;
    const auto& text = found->get_ref<const std::string&>();
    std::int64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}
[[nodiscard]] inline bool json_flag(const nlohmann::json& object, const char* name) {
    if (!object.is_object()) return false;
    const auto found = object.find(name);
    return found != object.end() && found->is_boolean() && found->get<bool>();
}
/// A member that is itself an object or a list; null if there is none.
[[nodiscard]] inline const nlohmann::json& json_part(const nlohmann::json& object, const char* name) {
    static const nlohmann::json none;
    if (!object.is_object()) return none;
    const auto found = object.find(name);
    return found == object.end() ? none : *found;
}

}  // namespace futon::detail
