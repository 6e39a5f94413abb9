// SPDX-License-Identifier: Apache-2.0
// error: a whole number is needed
// verdict: the case must mark exactly one line with '// HERE'
static_assert(sizeof(int) == 0, "a whole number is needed");
