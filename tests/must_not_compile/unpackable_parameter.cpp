// SPDX-License-Identifier: Apache-2.0
// A parameter whose type msgpack has no adaptor for.
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

void use(futon::stub<Depot> depot) {
    depot.put(1, Crate{2}).get();
}
