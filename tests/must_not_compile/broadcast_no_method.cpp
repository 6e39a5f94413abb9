// SPDX-License-Identifier: Apache-2.0
// A broadcast of a method which the contract does not offer.
// error: futon: this is no method of the stub's contract
#include <futon/futon.hpp>

struct Cache {
    int forget(std::string key);
    int secret(std::string key);
};
FUTON_SERVICE(Cache, forget)

void call(const futon::stub<Cache>& cache) {
    static_cast<void>(futon::broadcast<&Cache::secret>(cache, "x"));  // HERE
}
