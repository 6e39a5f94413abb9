// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Figures with what they should be, and whether they are.

#include "statistics.hpp"

#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace benchmark {

/// What a figure should be.
struct bound {
    enum class kind { at_least, at_most } what;
    double value;

    /// A figure passes unless all of its interval is on the wrong side.
    [[nodiscard]] bool holds(const summary& figure) const noexcept {
        return what == kind::at_least ? figure.high >= value : figure.low <= value;
    }
};
[[nodiscard]] constexpr bound at_least(double value) noexcept { return {bound::kind::at_least, value}; }
[[nodiscard]] constexpr bound at_most(double value) noexcept { return {bound::kind::at_most, value}; }

/// The targets of a program, in the order in which they were judged.
class target_table {
public:
    void judge(std::string_view row, std::string_view figure, const summary& measured, const bound& target) {
        lines_.push_back({std::string{row} + ": " + std::string{figure}, measured, target});
    }
    /// `meaningful`: false in a run too short to tell anything, which then gets no verdicts.
    void print(bool meaningful) const {
        if (lines_.empty()) return;
        std::printf("\n%-62s %9s  %-19s %9s\n", "targets", "median", "95 % interval", "target");
        for (const auto& each : lines_) {
            char interval[48];
            std::snprintf(interval, sizeof interval, "%.3f..%.3f", each.measured.low, each.measured.high);
            std::printf("%-62s %9.3f  %-19s %s %6.3g  %s\n", each.name.c_str(), each.measured.median, interval,
                        each.target.what == bound::kind::at_least ? ">=" : "<=", each.target.value,
                        !meaningful                        ? "-"
                        : each.target.holds(each.measured) ? "PASS"
                                                           : "MISS");
        }
    }
    void write(json_writer& to) const {
        to.open('[', "targets");
        for (const auto& each : lines_) {
            to.open('{').add("name", each.name).add("measured", each.measured);
            to.add(each.target.what == bound::kind::at_least ? "at_least" : "at_most", each.target.value);
            to.add("verdict", each.target.holds(each.measured) ? "PASS" : "MISS").close('}');
        }
        to.close(']');
    }

private:
    struct line {
        std::string name;
        summary measured;
        bound target;
    };
    std::vector<line> lines_;
};

}  // namespace benchmark
