// SPDX-License-Identifier: Apache-2.0
// A service without methods.
// error: futon: FUTON_SERVICE(Greeter) names no method
#include <futon/contract.hpp>

struct Greeter {};
FUTON_SERVICE(Greeter)  // HERE
