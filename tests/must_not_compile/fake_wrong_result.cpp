// SPDX-License-Identifier: Apache-2.0
// A fake's function that returns something else.
// error: futon: this function cannot answer the method: it must take the method's parameters
#include <futon/futon.hpp>
#include <futon/testing.hpp>

struct Person {
    std::string name;
};
struct Greeter {
    std::string greet(std::string name);
};
FUTON_SERVICE(Greeter, greet)

void answer(futon::testing::fake<Greeter>& fake) {
    fake.on<&Greeter::greet>([](const std::string& name) { return Person{name}; });  // HERE
}
