// SPDX-License-Identifier: Apache-2.0
// A named future is used up by get() and by stages, and says so by std::move.
// error: unavailable: futon: this uses the future up: write std::move(f).get(), std::move(f).then(...)
#include <futon/async.hpp>

int use(futon::future<int> answer) {
    return answer.get();  // HERE
}
