// SPDX-License-Identifier: Apache-2.0
#include "fuzz/decode_target.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

namespace {

TEST_CASE("decode: everything that the fuzzer ever found interesting goes as it must") {
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator{FUTON_CORPUS_DIR "/decode"}) {
        CAPTURE(entry.path().string());
        std::ifstream file{entry.path(), std::ios::binary};
        const std::vector<char> input{std::istreambuf_iterator<char>{file}, {}};
        CHECK(decode_target::run(reinterpret_cast<const std::uint8_t*>(input.data()), input.size()));
        ++files;
    }
    CHECK(files > 10);
}

}  // namespace
