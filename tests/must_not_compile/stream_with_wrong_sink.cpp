// SPDX-License-Identifier: Apache-2.0
// A handler whose sink takes other items than the contract's stream has.
// error: futon: the implementation has no public method count that can be called with the parameters of Feed::count
#include <futon/futon.hpp>

#include <string>

struct Feed {
    futon::stream<int> count(int last);
};
FUTON_SERVICE(Feed, count)  // HERE

struct feed {
    void count(int, futon::sink<std::string>) {}
};

void serve(futon::server& server) { server.provide<Feed>(feed{}); }
