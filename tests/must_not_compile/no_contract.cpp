// SPDX-License-Identifier: Apache-2.0
// A stub of a type that has no FUTON_SERVICE.
// error: futon: this type is no contract: add FUTON_SERVICE(X, ...) beside it, in its namespace
#include <futon/futon.hpp>

struct Greeter {
    std::string greet(std::string name);
};

void use(futon::client& client) {
    client.stub<Greeter>();  // HERE
}
