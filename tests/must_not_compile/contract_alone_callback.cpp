// SPDX-License-Identifier: Apache-2.0
// The same with a callback.
// error: futon: include <futon/calls.hpp> where calls are made
#include <futon/contract.hpp>

struct Greeter {
    int count(int from);
};
FUTON_SERVICE(Greeter, count)

void use(const futon::stub<Greeter>& greeter) {
    greeter.count(1, [](auto) {});  // HERE
}
