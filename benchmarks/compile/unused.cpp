// SPDX-License-Identifier: Apache-2.0

/// \file
/// Includes all of futon and uses nothing of it.

#include <futon/futon.hpp>

int main() {}
