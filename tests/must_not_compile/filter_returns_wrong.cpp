// SPDX-License-Identifier: Apache-2.0
// A filter that says something that means nothing.
// error: futon: before() of a filter must return nothing or a decision, or a result, future or task of either
#include <futon/futon.hpp>

#include <string>

struct gatekeeper {
    std::string before(futon::server_call&) { return "no"; }
};

futon::server_filters filters() {
    return {gatekeeper{}};  // HERE
}
