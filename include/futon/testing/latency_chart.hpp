// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Draws latencies by percentile, one line for each of several runs.

#include <futon/core/time.hpp>
#include <futon/testing/latency_histogram.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace futon::testing {

/// One line of a chart: its name and what it shows.
using latency_series = std::pair<std::string, latency_histogram>;

/// An SVG image. To the right each step is ten times rarer: the median, one call of ten, of a hundred, ... up to what
/// the smallest number of calls still tells; upwards each step is ten times slower.
///
/// Names stand beside the ends of their lines. Text is taken as it is, but for the characters that XML reserves.
[[nodiscard]] std::string latency_chart(std::string_view title, const std::vector<latency_series>& series);

}  // namespace futon::testing

namespace futon::detail {

class latency_plot {
public:
    latency_plot(std::string_view title, const std::vector<testing::latency_series>& series) : series_{series} {
        auto calls = 1e9;
        auto slowest = 1e-6;
        auto quickest = 1e9;
        for (const auto& [name, latencies] : series) {
            if (latencies.size() == 0) continue;
            calls = std::min(calls, static_cast<double>(latencies.size()));
            slowest = std::max(slowest, ms(latencies.percentile(1)));
            quickest = std::min(quickest, ms(latencies.percentile(0.5)));
        }
        // Ten calls are the least that make a percentile.
        rarest_ = std::clamp(std::floor(std::log10(calls / 10)), 1.0, 5.0);
        lowest_ = std::floor(std::log10(std::min(quickest, slowest)));
        highest_ = std::max(std::ceil(std::log10(slowest) - 1e-6), lowest_ + 1);

        out_ << R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 )" << width << ' ' << height
             << R"(" font-family="system-ui, sans-serif" font-size="13">)" << '\n'
             << R"(<rect width="100%" height="100%" fill="#ffffff"/>)" << '\n';
        text(left, 28, "start", title, "#1f2328", R"( font-size="16" font-weight="600")");
        grid();
        lines();
        out_ << "</svg>\n";
    }
    [[nodiscard]] std::string image() const { return out_.str(); }

private:
    static constexpr int width = 860;
    static constexpr int height = 460;
    static constexpr double left = 70;
    static constexpr double right = 690;
    static constexpr double top = 50;
    static constexpr double bottom = 400;
    static constexpr double label_height = 17;
    // Told apart by those who do not see all colours (Okabe and Ito).
    static constexpr std::array<std::string_view, 8> colours{"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                             "#e69f00", "#56b4e9", "#000000", "#8c6d31"};

    static double ms(duration d) { return std::chrono::duration<double, std::milli>(d).count(); }
    [[nodiscard]] double x(double rarity) const {
        const auto first = std::log10(2.0);
        return left + (right - left) * (rarity - first) / (rarest_ - first);
    }
    [[nodiscard]] double y(double milliseconds) const {
        const auto place = (std::log10(std::max(milliseconds, 1e-6)) - lowest_) / (highest_ - lowest_);
        return bottom - (bottom - top) * std::clamp(place, 0.0, 1.0);
    }
    static std::string escaped(std::string_view plain) {
        std::string made;
        for (const char c : plain) {
            if (c == '<')
                made += "&lt;";
            else if (c == '&')
                made += "&amp;";
            else
                made += c;
        }
        return made;
    }
    void text(double at_x, double at_y, std::string_view anchor, std::string_view what, std::string_view fill,
              std::string_view more = {}) {
        out_ << "<text x=\"" << at_x << "\" y=\"" << at_y << "\" text-anchor=\"" << anchor << "\" fill=\"" << fill
             << '"' << more << '>' << escaped(what) << "</text>\n";
    }
    void line(double x1, double y1, double x2, double y2, std::string_view stroke) {
        out_ << "<line x1=\"" << x1 << "\" y1=\"" << y1 << "\" x2=\"" << x2 << "\" y2=\"" << y2 << "\" stroke=\""
             << stroke << "\"/>\n";
    }
    void grid() {
        for (auto power = lowest_; power <= highest_; ++power) {
            for (const double part : {2.0, 5.0})
                if (power < highest_)
                    line(left, y(part * std::pow(10, power)), right, y(part * std::pow(10, power)), "#f0f0f0");
            const auto value = std::pow(10, power);
            line(left, y(value), right, y(value), "#d0d7de");
            std::ostringstream label;
            if (value >= 1000) {
                label << value / 1000 << " s";
            } else {
                label << value << " ms";
            }
            text(left - 8, y(value) + 4, "end", label.str(), "#57606a");
        }
        const std::array<std::pair<double, std::string_view>, 6> marks{
            {{std::log10(2.0), "50 %"}, {1, "90 %"}, {2, "99 %"}, {3, "99.9 %"}, {4, "99.99 %"}, {5, "99.999 %"}}};
        for (const auto& [rarity, label] : marks) {
            if (rarity > rarest_) break;
            line(x(rarity), top, x(rarity), bottom, "#d0d7de");
            text(x(rarity), bottom + 20, "middle", label, "#57606a");
        }
        text((left + right) / 2, bottom + 44, "middle", "of calls take at most so long", "#57606a");
    }
    void lines() {
        std::vector<double> ends;
        for (std::size_t i = 0; i < series_.size(); ++i) {
            out_ << "<polyline fill=\"none\" stroke-width=\"2.2\" stroke-linejoin=\"round\" stroke=\""
                 << colours[i % colours.size()] << "\" points=\"";
            constexpr int steps = 120;
            auto last = bottom;
            for (int step = 0; step <= steps; ++step) {
                const auto rarity = std::log10(2.0) + (rarest_ - std::log10(2.0)) * step / steps;
                last = y(ms(series_[i].second.percentile(1 - std::pow(10, -rarity))));
                out_ << std::round(x(rarity) * 10) / 10 << ',' << std::round(last * 10) / 10 << ' ';
            }
            out_ << "\"/>\n";
            ends.push_back(last);
        }
        // From the top down, each at its line's end or just below the one before; then back up from the bottom edge.
        std::vector<std::size_t> order(series_.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return ends[a] < ends[b]; });
        auto free_from = top - label_height;
        for (const auto i : order) free_from = ends[i] = std::max(ends[i], free_from + label_height);
        auto free_to = bottom + label_height;
        for (auto at = order.rbegin(); at != order.rend(); ++at)
            free_to = ends[*at] = std::min(ends[*at], free_to - label_height);
        for (const auto i : order)
            text(right + 8, ends[i] + 4, "start", series_[i].first, colours[i % colours.size()],
                 R"( font-weight="600")");
    }

    const std::vector<testing::latency_series>& series_;
    std::ostringstream out_;
    double rarest_ = 1;
    double lowest_ = 0;
    double highest_ = 1;
};

}  // namespace futon::detail

inline std::string futon::testing::latency_chart(std::string_view title, const std::vector<latency_series>& series) {
    return detail::latency_plot{title, series}.image();
}
