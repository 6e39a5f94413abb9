// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Compares two signatures in step. Hostile text costs at most the product of both lengths, and 64 stack frames.

#include <cstddef>
#include <string_view>

namespace futon::detail {

/// What is left of a signature.
class signature_cursor {
    // First: clang 16 wants to see it before it is used in a constant.
    template <class Belongs>
    constexpr std::string_view run(Belongs belongs) noexcept {
        std::size_t size = 0;
        while (size != rest_.size() && belongs(rest_[size])) ++size;
        const auto found = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return found;
    }

public:
    explicit constexpr signature_cursor(std::string_view text) noexcept : rest_{text} {}

    [[nodiscard]] constexpr bool at_end() const noexcept { return rest_.empty(); }
    [[nodiscard]] constexpr char peek() const noexcept { return rest_.empty() ? '\0' : rest_.front(); }
    constexpr bool take(std::string_view part) noexcept {
        if (!rest_.starts_with(part)) return false;
        rest_.remove_prefix(part.size());
        return true;
    }
    /// The longest run of `[a-z0-9]`; may be empty.
    constexpr std::string_view word() noexcept {
        return run([](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
    }
    /// The name of a field, as it is escaped.
    constexpr std::string_view name() noexcept {
        return run([](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '%';
        });
    }
    /// A decimal number of at most nine digits, without leading zeros.
    constexpr bool number(std::size_t& out) noexcept {
        const auto digits = run([](char c) { return c >= '0' && c <= '9'; });
        if (digits.empty() || digits.size() > 9 || (digits.size() > 1 && digits.front() == '0')) return false;
        out = 0;
        for (const char c : digits) out = out * 10 + static_cast<std::size_t>(c - '0');
        return true;
    }

    enum class step { element, close, malformed };
    /// Moves to the next element of a list, or past its end.
    constexpr step next(char close, bool first) noexcept {
        if (peek() == close) {
            rest_.remove_prefix(1);
            return step::close;
        }
        return first || take(",") ? step::element : step::malformed;
    }

private:
    std::string_view rest_;
};

/// The functions move past what they looked at, and return false for malformed text.
class signature_match {
public:
    using step = signature_cursor::step;

    /// The parenthesis at the front of a signature. Streams stand only here and as the result.
    static constexpr bool parameters(signature_cursor& a, signature_cursor& b, std::size_t depth) noexcept {
        if (!a.take("(") || !b.take("(")) return false;
        for (bool first = true;; first = false) {
            const auto in_a = a.next(')', first);
            if (in_a != b.next(')', first) || in_a == step::malformed) return false;
            if (in_a == step::close) return true;
            if (a.take("*") != b.take("*") || !types(a, b, depth - 1, 0)) return false;
        }
    }
    static constexpr bool result(signature_cursor& a, signature_cursor& b, std::size_t depth) noexcept {
        const bool streamed = a.take("*");
        if (streamed != b.take("*") || !types(a, b, depth, 0)) return false;
        if (!streamed) return true;
        const bool ends_with_value = a.take(";");
        return ends_with_value == b.take(";") && (!ends_with_value || types(a, b, depth, 0));
    }

    /// Whether a value of either type can be read as the other.
    static constexpr bool types(signature_cursor& a, signature_cursor& b, std::size_t depth,
                                std::size_t structs) noexcept {
        if (depth == 0) return false;
        if (a.take("?")) return skip(b, depth, structs);
        if (b.take("?")) return skip(a, depth, structs);
        if (a.peek() != b.peek() && (bracket(a.peek()) || bracket(b.peek()))) return false;
        if (a.take("^")) {
            std::size_t up = 0;
            std::size_t other_up = 0;
            return b.take("^") && reference(a, up, structs) && reference(b, other_up, structs) && up == other_up;
        }
        if (a.take("(")) return b.take("(") && exact(a, b, ')', depth - 1, structs);
        if (a.take("[")) return b.take("[") && prefix(a, b, depth - 1, structs + 1);
        if (a.take("{")) return b.take("{") && names(a, b, depth - 1, structs + 1);
        const auto mine = a.word();
        const auto other = b.word();
        if (group(mine) == 0 || group(mine) != group(other)) return false;
        if (!compound(mine)) return true;
        if (!a.take("<") || !b.take("<")) return false;
        if (mine == "array") {
            std::size_t size = 0;
            std::size_t other_size = 0;
            if (!extent(a, size) || !extent(b, other_size) || size != other_size) return false;
        }
        return exact(a, b, '>', depth - 1, structs, arity(mine));
    }

    static constexpr bool skip(signature_cursor& in, std::size_t depth, std::size_t structs) noexcept {
        if (depth == 0) return false;
        if (in.take("?")) return true;
        std::size_t number = 0;
        if (in.take("^")) return reference(in, number, structs);
        if (in.take("(")) return skip_list(in, ')', depth - 1, structs);
        if (in.take("[")) return skip_list(in, ']', depth - 1, structs + 1);
        if (in.take("{")) return skip_names(in, depth - 1, structs + 1);
        const auto word = in.word();
        if (!compound(word)) return group(word) != 0;
        if (!in.take("<")) return false;
        if (word == "array" && !extent(in, number)) return false;
        return skip_list(in, '>', depth - 1, structs, true, arity(word));
    }

private:
    static constexpr bool bracket(char c) noexcept { return c == '(' || c == '[' || c == '{' || c == '^'; }

    static constexpr bool compound(std::string_view word) noexcept {
        return word == "list" || word == "map" || word == "opt" || word == "one" || word == "array";
    }

    // Words of one group stand for each other. 0: not a word.
    static constexpr int group(std::string_view word) noexcept {
        constexpr std::string_view integers[] = {"i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64"};
        for (const auto each : integers) {
            if (word == each) return 1;
        }
        if (word == "f32" || word == "f64") return 2;
        constexpr std::string_view others[] = {"nil",  "bool", "str", "bin", "duration", "time",
                                               "list", "map",  "opt", "one", "array"};
        int number = 3;
        for (const auto each : others) {
            if (word == each) return number;
            ++number;
        }
        return 0;
    }

    static constexpr bool reference(signature_cursor& in, std::size_t& up, std::size_t structs) noexcept {
        return in.number(up) && up != 0 && up <= structs;
    }
    static constexpr bool extent(signature_cursor& in, std::size_t& size) noexcept {
        return in.number(size) && in.take(",");
    }

    static constexpr std::size_t any_number = static_cast<std::size_t>(-1);
    static constexpr std::size_t arity(std::string_view word) noexcept {
        return word == "one" ? any_number : word == "map" ? 2 : 1;
    }

    static constexpr bool exact(signature_cursor& a, signature_cursor& b, char close, std::size_t depth,
                                std::size_t structs, std::size_t wanted = any_number) noexcept {
        for (std::size_t count = 0;; ++count) {
            const auto in_a = a.next(close, count == 0);
            if (in_a != b.next(close, count == 0) || in_a == step::malformed) return false;
            if (in_a == step::close) return wanted == any_number || wanted == count;
            if (!types(a, b, depth, structs)) return false;
        }
    }

    static constexpr bool prefix(signature_cursor& a, signature_cursor& b, std::size_t depth,
                                 std::size_t structs) noexcept {
        for (bool first = true;; first = false) {
            const auto in_a = a.next(']', first);
            const auto in_b = b.next(']', first);
            if (in_a == step::malformed || in_b == step::malformed) return false;
            if (in_a == step::close && in_b == step::close) return true;
            if (in_a == step::close) return skip(b, depth, structs) && skip_list(b, ']', depth, structs, false);
            if (in_b == step::close) return skip(a, depth, structs) && skip_list(a, ']', depth, structs, false);
            if (!types(a, b, depth, structs)) return false;
        }
    }

    // Each field of `a` is compared with the field of `b` that has its name, if there is one.
    static constexpr bool names(signature_cursor& a, signature_cursor& b, std::size_t depth,
                                std::size_t structs) noexcept {
        const auto fields = b;
        if (!skip_names(b, depth, structs)) return false;
        for (bool first = true;; first = false) {
            const auto in_a = a.next('}', first);
            if (in_a != step::element) return in_a == step::close;
            const auto name = a.name();
            if (!a.take(":")) return false;
            auto other = fields;
            if (!(find(other, name, depth, structs) ? types(a, other, depth, structs) : skip(a, depth, structs))) {
                return false;
            }
        }
    }

    static constexpr bool find(signature_cursor& in, std::string_view name, std::size_t depth,
                               std::size_t structs) noexcept {
        for (bool first = true; in.next('}', first) == step::element; first = false) {
            const bool found = in.name() == name;
            if (!in.take(":")) return false;
            if (found) return true;
            if (!skip(in, depth, structs)) return false;
        }
        return false;
    }

    static constexpr bool skip_list(signature_cursor& in, char close, std::size_t depth, std::size_t structs,
                                    bool from_start = true, std::size_t wanted = any_number) noexcept {
        for (std::size_t count = 0;; ++count) {
            const auto at = in.next(close, from_start && count == 0);
            if (at == step::close) return wanted == any_number || wanted == count;
            if (at == step::malformed || !skip(in, depth, structs)) return false;
        }
    }

    static constexpr bool skip_names(signature_cursor& in, std::size_t depth, std::size_t structs) noexcept {
        for (bool first = true;; first = false) {
            const auto at = in.next('}', first);
            if (at != step::element) return at == step::close;
            in.name();
            if (!in.take(":") || !skip(in, depth, structs)) return false;
        }
    }
};

}  // namespace futon::detail
