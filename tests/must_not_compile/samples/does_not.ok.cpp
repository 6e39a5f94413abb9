// SPDX-License-Identifier: Apache-2.0
// verdict: it must compile
int broken = missing;
