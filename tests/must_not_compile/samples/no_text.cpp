// SPDX-License-Identifier: Apache-2.0
// verdict: the case has no line '// error: TEXT'
static_assert(sizeof(int) == 0, "a whole number is needed");  // HERE
