// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Medians with their intervals, and a writer for the figures as JSON.

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace benchmark {

/// Of the values of several rounds.
struct summary {
    double median = 0;
    double low = 0;  ///< With `high`, an interval that holds the true median in at least 95 of 100 such runs.
    double high = 0;
};

/// The interval is between two order statistics: it assumes nothing about how the values are spread, only that rounds
/// do not depend on each other. Of nine rounds it is the second least to the second greatest (96 %); of fewer than six
/// there is none, and it is the least to the greatest.
[[nodiscard]] inline summary summarise(std::vector<double> values) {
    if (values.empty()) return {};
    std::sort(values.begin(), values.end());
    const auto count = values.size();
    const auto middle = count / 2;
    const auto median = count % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    // The true median lies below the k-th least with the probability that at most k of `count` coins show heads.
    std::size_t cut = 0;
    double chance = std::pow(0.5, static_cast<double>(count));
    for (double tail = chance; 2 * tail <= 0.05 && cut < middle; tail += chance) {
        chance *= static_cast<double>(count - cut) / static_cast<double>(cut + 1);
        ++cut;
    }
    const auto outermost = cut > 0 ? cut - 1 : 0;
    return {median, values[outermost], values[count - 1 - outermost]};
}

/// Objects and arrays written one after the other; names and texts must need no escapes.
class json_writer {
public:
    json_writer& open(char bracket, std::string_view name = {}) {
        begin(name);
        text_ += bracket;
        first_ = true;
        return *this;
    }
    json_writer& close(char bracket) {
        text_ += bracket;
        first_ = false;
        return *this;
    }
    json_writer& add(std::string_view name, std::string_view value) {
        begin(name);
        ((text_ += '"') += value) += '"';
        return *this;
    }
    json_writer& add(std::string_view name, double value) {
        char digits[32];
        std::snprintf(digits, sizeof digits, "%.6g", value);
        begin(name);
        text_ += digits;
        return *this;
    }
    json_writer& add(std::string_view name, const summary& value) {
        return open('{', name).add("median", value.median).add("low", value.low).add("high", value.high).close('}');
    }
    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    /// Errors: throws `std::system_error` where it cannot be written. An empty name is none: nothing is done.
    void save(const std::string& file) const {
        if (file.empty()) return;
        std::FILE* const out = std::fopen(file.c_str(), "w");
        const bool written =
            out && std::fwrite(text_.data(), 1, text_.size(), out) == text_.size() && std::fputc('\n', out) != EOF;
        if (!out || std::fclose(out) != 0 || !written)
            throw std::system_error{errno, std::generic_category(), "cannot write " + file};
    }

private:
    void begin(std::string_view name) {
        if (!first_) text_ += ", ";
        first_ = false;
        if (!name.empty()) ((text_ += '"') += name) += "\": ";
    }

    std::string text_;
    bool first_ = true;
};

}  // namespace benchmark
