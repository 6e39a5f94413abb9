// SPDX-License-Identifier: Apache-2.0
// Compiled so that containers have other sizes. Uses nothing: including a header is enough to be checked.
#include <futon/client.hpp>

int main() {}
