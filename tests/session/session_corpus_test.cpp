// SPDX-License-Identifier: Apache-2.0
#include <futon/session/any_session.hpp>

#include "fuzz/session_target.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

TEST_CASE("session: every script of the fuzzer's corpus ends well") {
    int count = 0;
    for (const auto& file : std::filesystem::directory_iterator{FUTON_CORPUS_DIR "/session"}) {
        std::ifstream in{file.path(), std::ios::binary};
        const std::string script{std::istreambuf_iterator<char>{in}, {}};
        CAPTURE(file.path().string());
        CHECK(futon::testing::play_session(futon::as_bytes(script)) == "");
        ++count;
    }
    CHECK(count > 20);
}
