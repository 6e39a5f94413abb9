// SPDX-License-Identifier: Apache-2.0
#pragma once
static_assert(sizeof(int) == 0, "a whole number is needed");
