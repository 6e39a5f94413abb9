// SPDX-License-Identifier: Apache-2.0
#include <futon/session/detail/pending_calls.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <set>
#include <vector>

namespace {

using futon::detail::call;
using futon::detail::intrusive_ptr;

std::uint64_t open(futon::detail::pending_calls& in) {
    auto made = intrusive_ptr<call>::adopt(new call{nullptr, nullptr, nullptr});
    return in.open(made);
}

TEST_CASE("pending_calls: no id comes twice, also where the memory was given back between") {
    futon::detail::pending_calls calls;
    std::set<std::uint64_t> seen;
    for (const int at_once : {3, 1, 7, 2}) {
        std::vector<std::uint64_t> ids;
        for (int i = 0; i < at_once; ++i) ids.push_back(open(calls));
        calls.give_back();  // Not while one waits.
        for (const auto id : ids) {
            CHECK(seen.insert(id).second);
            CHECK(calls.find(id));
            CHECK(calls.close(futon::detail::pending_calls::index_of(id)));
        }
        calls.give_back();
        CHECK(calls.end() == 0);
        for (const auto id : ids) CHECK_FALSE(calls.find(id));
    }
}

}  // namespace
