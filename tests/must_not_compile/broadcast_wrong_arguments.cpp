// SPDX-License-Identifier: Apache-2.0
// A broadcast with an argument that the method does not take.
// error: futon: these are not the arguments of the method
#include <futon/futon.hpp>

struct Cache {
    int forget(std::string key);
    int secret(std::string key);
};
FUTON_SERVICE(Cache, forget)

void call(const futon::stub<Cache>& cache) {
    static_cast<void>(futon::broadcast<&Cache::forget>(cache, 5));  // HERE
}
