// SPDX-License-Identifier: Apache-2.0
// error: missing_1
// verdict: the output has
int a[] = {missing_1, missing_2, missing_3, missing_4, missing_5, missing_6, missing_7, missing_8, missing_9};  // HERE
