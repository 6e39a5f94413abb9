// SPDX-License-Identifier: Apache-2.0
// error: a whole number is needed
// verdict: the first place named is
#include "needs_whole.hpp"
int x = 0;  // HERE
