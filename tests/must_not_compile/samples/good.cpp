// SPDX-License-Identifier: Apache-2.0
// error: a whole number is needed
template <class T>
constexpr bool whole = false;
template <>
inline constexpr bool whole<int> = true;

static_assert(whole<char>, "a whole number is needed");  // HERE
