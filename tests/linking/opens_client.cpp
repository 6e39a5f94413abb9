// SPDX-License-Identifier: Apache-2.0
#include "counter.hpp"

#include <futon/futon.hpp>

#include <cstdio>

namespace {

struct counter {
    int next(int number) { return number + 1; }
    void count_to(int last, futon::sink<int> out) {
        for (int i = 1; i <= last; ++i) out.send(i).get();
    }
};

}  // namespace

int main() {
    futon::server server{"tcp://127.0.0.1:0"};
    server.provide<Counter>(counter{});
    server.start();
    futon::client client{server.addresses()};
    const auto right = make_calls(client.stub<Counter>());
    if (right != kinds_of_call) std::printf("%d of %d kinds of call gave what they should\n", right, kinds_of_call);
    return right == kinds_of_call ? 0 : 1;
}
