// SPDX-License-Identifier: Apache-2.0
// A stream that would not be moved into the call.
// error: futon: Feed::total takes a stream by reference: take it by value, it is moved into the call
#include <futon/contract.hpp>

struct Feed {
    int total(const futon::stream<int>& numbers);
};
FUTON_SERVICE(Feed, total)  // HERE
