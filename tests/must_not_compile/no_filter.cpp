// SPDX-License-Identifier: Apache-2.0
// A class without any of a filter's functions among the filters of a client.
// error: futon: this is no filter: it has none of before(call), starting(call) on servers, and after(call, outcome)
#include <futon/futon.hpp>

struct access_log {
    void log(futon::client_call&) {}
};

futon::client_filters filters() {
    return {access_log{}};  // HERE
}
