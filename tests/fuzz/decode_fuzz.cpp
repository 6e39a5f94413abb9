// SPDX-License-Identifier: Apache-2.0
/// \file
/// libFuzzer: received bytes into a dozen argument lists. Its corpus is replayed by tests/wire/decode_corpus_test.cpp.

#include "fuzz/decode_target.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (!decode_target::run(data, size)) std::abort();
    return 0;
}
