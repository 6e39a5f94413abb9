// SPDX-License-Identifier: Apache-2.0
// A fake that is to answer a method which the contract does not offer.
// error: futon: this is no method of the fake's contract
#include <futon/futon.hpp>
#include <futon/testing.hpp>

struct Greeter {
    std::string greet(std::string name);
    std::string secret(std::string name);
};
FUTON_SERVICE(Greeter, greet)

void answer(futon::testing::fake<Greeter>& fake) {
    fake.on<&Greeter::secret>([](const std::string& name) { return name; });  // HERE
}
