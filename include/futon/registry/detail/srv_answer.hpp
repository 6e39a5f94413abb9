// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Reads the SRV records out of a DNS answer (RFC 1035, RFC 2782). Pure; any bytes may be read.

#include <futon/core/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace futon::detail {

struct srv_record {
    std::uint16_t priority = 0;
    std::uint16_t weight = 0;
    std::uint16_t port = 0;
    std::string target{};
};

class srv_answer {
public:
    /// Empty: the bytes are not an answer.
    [[nodiscard]] static std::optional<std::vector<srv_record>> read(bytes_view answer) {
        srv_answer reader{answer};
        return reader.records();
    }

private:
    explicit srv_answer(bytes_view answer) : all_{answer} {}

    [[nodiscard]] std::optional<std::vector<srv_record>> records() {
        if (all_.size() < 12) return std::nullopt;
        at_ = 4;
        const unsigned questions = number();
        const unsigned answers = number();
        at_ = 12;
        std::string ignored;
        for (unsigned i = 0; i < questions; ++i) {
            if (!name(ignored)) return std::nullopt;
            at_ += 4;
        }
        std::vector<srv_record> found;
        for (unsigned i = 0; i < answers; ++i) {
            if (!name(ignored) || left() < 10) return std::nullopt;
            const unsigned type = number();
            at_ += 6;  // The class, and how long it may be kept.
            const std::size_t length = number();
            if (left() < length) return std::nullopt;
            const auto next = at_ + length;
            if (type == 33 && length >= 7) {
                srv_record made;
                made.priority = number();
                made.weight = number();
                made.port = number();
                if (!name(made.target)) return std::nullopt;
                // The root as a target says that there is no such service.
                if (!made.target.empty()) found.push_back(std::move(made));
            }
            at_ = next;
        }
        return found;
    }

    [[nodiscard]] std::size_t left() const noexcept { return at_ < all_.size() ? all_.size() - at_ : 0; }
    [[nodiscard]] std::uint16_t number() noexcept {
        if (left() < 2) return 0;
        const auto high = std::to_integer<unsigned>(all_[at_]);
        const auto low = std::to_integer<unsigned>(all_[at_ + 1]);
        at_ += 2;
        return static_cast<std::uint16_t>(high << 8 | low);
    }
    // Follows the pointers of compressed names, which lead backwards only, and so end.
    [[nodiscard]] bool name(std::string& into) {
        into.clear();
        auto at = at_;
        auto limit = all_.size();
        bool jumped = false;
        for (;;) {
            if (at >= limit) return false;
            const auto length = std::to_integer<unsigned>(all_[at]);
            if (length >= 0xc0) {
                if (at + 1 >= all_.size()) return false;
                const auto to = (length & 0x3fu) << 8 | std::to_integer<unsigned>(all_[at + 1]);
                if (!jumped) at_ = at + 2;
                jumped = true;
                if (to >= at) return false;
                limit = at;
                at = to;
                continue;
            }
            if (length > 63) return false;
            ++at;
            if (length == 0) break;
            if (at + length > limit || into.size() + length > 254) return false;
            if (!into.empty()) into.push_back('.');
            for (unsigned i = 0; i < length; ++i) into.push_back(static_cast<char>(all_[at + i]));
            at += length;
        }
        if (!jumped) at_ = at;
        return true;
    }

    bytes_view all_;
    std::size_t at_ = 0;
};

}  // namespace futon::detail
