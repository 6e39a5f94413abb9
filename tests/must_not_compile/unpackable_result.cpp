// SPDX-License-Identifier: Apache-2.0
// A result whose type msgpack has no adaptor for.
// error: futon: the result of Depot::take has a type that cannot be packed: give it MSGPACK_DEFINE
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
    Crate take(int shelf);
};
FUTON_SERVICE(Depot, take)  // HERE

void use(futon::stub<Depot> depot) {
    depot.take(1).get();
}
