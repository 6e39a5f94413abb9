// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The words for what had not completed when somebody stopped waiting for it.

#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/operation.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace futon::detail {

/// What `from` waits for, or the nearest thing upstream that has a name: a call, or a combinator's inputs; or nothing.
[[nodiscard]] inline std::string unfinished_in(intrusive_ptr<cancellable> from, int levels) {
    std::string text;
    for (; from && text.empty(); from = from->upstream()) text = from->unfinished(levels);
    return text;
}

/// Lists the inputs of a combinator that have not completed, as "2 of 3 inputs (#1 Rates.rate, #2)".
class unfinished_inputs {
public:
    /// See `cancellable::unfinished`.
    explicit unfinished_inputs(int levels) noexcept : levels_{levels} {}

    /// The next one.
    void add(bool completed, intrusive_ptr<cancellable> input) {
        const auto index = count_++;
        if (completed) return;
        ++unfinished_;
        if (levels_ == 0 || text_.size() >= enough) return;
        ++listed_;
        text_.append(text_.empty() ? " (#" : ", #").append(std::to_string(index));
        if (const auto name = unfinished_in(std::move(input), levels_ - 1); !name.empty())
            text_.append(" ").append(name);
    }
    /// Empty if all have.
    [[nodiscard]] std::string text() const {
        if (unfinished_ == 0) return {};
        auto all = std::to_string(unfinished_) + " of " + std::to_string(count_) + " inputs" + text_;
        if (listed_ == 0) return all;
        if (listed_ < unfinished_) all.append(", and ").append(std::to_string(unfinished_ - listed_)).append(" more");
        return all.append(")");
    }

private:
    static constexpr std::size_t enough = 512;  // Bytes: of thousands of replicas the first ones will do.

    const int levels_;
    std::string text_;
    std::size_t count_ = 0;
    std::size_t unfinished_ = 0;
    std::size_t listed_ = 0;
};

}  // namespace futon::detail
