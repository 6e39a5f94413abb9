// SPDX-License-Identifier: Apache-2.0
/// \file
/// libFuzzer: text that a registry holds, read as a provider. Its corpus is replayed by
/// tests/cluster/provider_text_test.cpp.

#include "fuzz/provider_target.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (!provider_target::holds({reinterpret_cast<const char*>(data), size})) std::abort();
    return 0;
}
