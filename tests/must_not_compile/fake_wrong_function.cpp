// SPDX-License-Identifier: Apache-2.0
// A fake's function that does not take what the method takes.
// error: futon: this function cannot answer the method: it must take the method's parameters
#include <futon/futon.hpp>
#include <futon/testing.hpp>

struct Greeter {
    std::string greet(std::string name);
};
FUTON_SERVICE(Greeter, greet)

void answer(futon::testing::fake<Greeter>& fake) {
    fake.on<&Greeter::greet>([](int number) { return std::to_string(number); });  // HERE
}
