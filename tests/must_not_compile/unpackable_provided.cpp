// SPDX-License-Identifier: Apache-2.0
// The server says the same of a type that cannot travel as the client does.
// error: futon: a parameter of Depot::put has a type that cannot be packed: give it MSGPACK_DEFINE
// error: cannot_travel<Crate, futon::detail::refusal::unknown>
#include <futon/futon.hpp>

class Crate {
public:
    explicit Crate(int weight) : weight_{weight} {}
    int weight() const { return weight_; }

private:
    int weight_;
};
struct Depot {
    void put(int shelf, Crate crate);
};
FUTON_SERVICE(Depot, put)  // HERE

struct depot_impl {
    void put(int, Crate) {}
};

void serve(futon::server& server) { server.provide<Depot>(depot_impl{}); }
