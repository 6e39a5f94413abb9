// SPDX-License-Identifier: Apache-2.0
#include <futon/async/cancel_handle.hpp>

#include <futon/async/promise.hpp>

#include <doctest/doctest.h>

#include <utility>

namespace {

TEST_CASE("cancel_handle: an empty one does nothing, copies cancel the same future") {
    futon::cancel_handle{}.cancel();
    futon::promise<int> p;
    auto f = p.get_future();
    const auto handle = f.get_cancel_handle();
    const auto copy = handle;
    copy.cancel();
    handle.cancel();
    CHECK(std::move(f).get_result().error() == futon::errc::cancelled);
}

}  // namespace
