// SPDX-License-Identifier: Apache-2.0
// A method with two streams that come in.
// error: futon: Feed::merge takes more than one stream: a call has one in each direction
#include <futon/contract.hpp>

struct Feed {
    int merge(futon::stream<int> left, futon::stream<int> right);
};
FUTON_SERVICE(Feed, merge)  // HERE
