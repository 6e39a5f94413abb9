// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The words for what had not completed when somebody stopped waiting for it.

#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/operation.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace futon::detail {

/// What `from` waits for, or the nearest thing upstream that has a name: a call, or a combinator's inputs; or nothing.
[[nodiscard]] inline std::string unfinished_in(intrusive_ptr<cancellable> from, int levels) {
    std::string text;
    for (; from && text.empty(); from = from->upstream()) text = from->unfinished(levels);
    return text;
}

/// Lists what has not completed, as " (#1 Rates.rate, #2, and 7 more)".
class unfinished_list {
public:
    /// See `cancellable::unfinished`.
    explicit unfinished_list(int levels) noexcept : levels_{levels} {}

    /// The next one. Of one without a number a name is worth saying, and nothing else.
    void add(std::optional<std::size_t> number, intrusive_ptr<cancellable> what) {
        ++count_;
        if (levels_ == 0 || text_.size() >= enough) return;
        const auto name = unfinished_in(std::move(what), levels_ - 1);
        if (!number && name.empty()) return;
        ++listed_;
        text_.append(text_.empty() ? " (" : ", ");
        if (number) text_.append("#").append(std::to_string(*number));
        if (number && !name.empty()) text_.append(" ");
        text_.append(name);
    }
    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    /// `whole` is the number of all there are.
    [[nodiscard]] std::string text(std::size_t whole) const {
        if (listed_ == 0) return {};
        return text_ + (listed_ < whole ? ", and " + std::to_string(whole - listed_) + " more)" : ")");
    }

private:
    static constexpr std::size_t enough = 512;  // Bytes: of thousands of replicas the first ones will do.

    const int levels_;
    std::string text_;
    std::size_t count_ = 0;
    std::size_t listed_ = 0;
};

/// Lists the inputs of a combinator that have not completed, as "2 of 3 inputs (#1 Rates.rate, #2)"; or its attempts.
class unfinished_inputs {
public:
    /// `first`: the number of the first one.
    explicit unfinished_inputs(int levels, std::string_view are = "inputs", std::size_t first = 0) noexcept
        : list_{levels}, are_{are}, first_{first} {}

    /// The next one.
    template <class Input>
    void add(Input& one) {
        const auto number = first_ + count_++;
        if (!one.state().is_ready()) list_.add(number, one.target());
    }
    /// Empty if all have.
    [[nodiscard]] std::string text() const {
        const auto unfinished = list_.count();
        if (unfinished == 0) return {};
        return std::to_string(unfinished) + " of " + std::to_string(count_) + " " + std::string{are_} +
               list_.text(unfinished);
    }

private:
    unfinished_list list_;
    const std::string_view are_;
    const std::size_t first_;
    std::size_t count_ = 0;
};

}  // namespace futon::detail
