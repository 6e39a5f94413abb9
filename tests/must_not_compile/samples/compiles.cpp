// SPDX-License-Identifier: Apache-2.0
// error: never said
// verdict: it compiled
int unused_but_fine = 0;  // HERE
