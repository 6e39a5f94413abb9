// SPDX-License-Identifier: Apache-2.0
#include "fuzz/session_target.hpp"

#include <cstdio>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto wrong = futon::testing::play_session(std::as_bytes(std::span{data, size}));
    if (wrong.empty()) return 0;
    std::fprintf(stderr, "session fuzz: %s\n", wrong.c_str());
    std::abort();
}
