// SPDX-License-Identifier: Apache-2.0
// error: a fraction is needed
// verdict: the output does not say: a fraction is needed
static_assert(sizeof(int) == 0, "a whole number is needed");  // HERE
