// SPDX-License-Identifier: Apache-2.0
#include <futon/cluster/detail/recent_quantile.hpp>

#include <futon/cluster/dice.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <limits>
#include <vector>

namespace {

TEST_CASE("recent_quantile: it is the one of the last 64 numbers, whatever they are") {
    for (const double share : {-1.0, 0.0, 0.25, 0.6, 0.84, 1.0, 7.0, std::numeric_limits<double>::quiet_NaN()}) {
        CAPTURE(share);
        futon::dice random{3};
        futon::detail::recent_quantile rule{share};
        CHECK(rule.empty());
        std::deque<float> last;
        // At first few that are often the same, then many, then one that stands alone.
        for (int i = 0; i < 3000; ++i) {
            const auto number = static_cast<float>(i < 1000   ? random.below(4)
                                                   : i < 2000 ? random.below(100'000)
                                                              : i % 500 == 0 ? 0u : 9u);
            rule.take(number);
            last.push_back(number);
            if (last.size() > 64) last.pop_front();
            std::vector<float> sorted{last.begin(), last.end()};
            std::sort(sorted.begin(), sorted.end());
            const auto top = static_cast<double>(sorted.size() - 1);
            const auto rank = share >= 0 ? static_cast<std::size_t>(std::min(share * top, top)) : 0;
            REQUIRE(rule.value() == sorted[rank]);
        }
        CHECK_FALSE(rule.empty());
    }
}

}  // namespace
