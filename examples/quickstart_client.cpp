// SPDX-License-Identifier: Apache-2.0
// Calls quickstart_server, which must run already: quickstart_client [ADDRESS]
// expected output:
//   hello ann
//   tom is 3

// [client]
#include "greeter.hpp"

#include <futon/client.hpp>

#include <iostream>

int main(int argc, char** argv) {
    futon::client client{argc > 1 ? argv[1] : "tcp://127.0.0.1:12200"};
    auto greeter = client.stub<Greeter>();  // a cheap value; safe to share between threads

    std::cout << greeter.greet("ann").get() << "\n";  // the value, or throws futon::rpc_error

    const Person tom = greeter.older({"tom", 1}, 2).get();
    std::cout << tom.name << " is " << tom.age << "\n";
}
// [/client]
