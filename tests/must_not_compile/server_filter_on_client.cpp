// SPDX-License-Identifier: Apache-2.0
// A filter of servers among the filters of a client: it would never be asked.
// error: futon: this filter cannot work on this side: its functions must take client_call& on a client
#include <futon/futon.hpp>

struct gatekeeper {
    futon::decision before(futon::server_call&) { return {}; }
    void after(futon::filtered_call&, futon::call_outcome&) {}
};

futon::client_filters filters() {
    return {gatekeeper{}};  // HERE
}
