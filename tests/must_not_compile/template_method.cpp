// SPDX-License-Identifier: Apache-2.0
// Which instance would travel?
// error: futon: Greeter::greet is overloaded, a template or not public: a remote method has one signature
#include <futon/contract.hpp>

struct Greeter {
    template <class Name>
    std::string greet(Name name);
};
FUTON_SERVICE(Greeter, greet)  // HERE
