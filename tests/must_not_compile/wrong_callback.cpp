// SPDX-License-Identifier: Apache-2.0
// A callback that does not take the method's result.
// error: futon: a callback of Greeter::greet takes futon::result<R>, R being what the method returns, or, in futon::with_reply_headers, futon::replied of that
#include <futon/futon.hpp>

struct Greeter {
    std::string greet(std::string name);
};
FUTON_SERVICE(Greeter, greet)

void use(futon::stub<Greeter> greeter) {
    greeter.greet("ann", [](int) {});  // HERE
}
