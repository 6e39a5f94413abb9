// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What the decoder's fuzzer and the replay of its corpus do with one input: decode it as the arguments that its first
/// byte selects, and expect that what was decoded is encoded, and decoded again, to the same bytes.

#include <futon/wire/decode.hpp>
#include <futon/wire/encode.hpp>
#include <futon/wire/signature.hpp>

#include <msgpack.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

namespace decode_target {

enum class colour : std::uint8_t { red };
struct point {
    int x = 0;
    std::uint8_t y = 0;
};
struct person {
    std::string name;
    point home;
    std::optional<std::int8_t> age;
    std::vector<char> photo;
};
struct tree {
    int value = 0;
    std::vector<tree> children;
    std::unique_ptr<tree> spare;
    std::map<std::string, tree> named;
};
struct defined {
    std::string name;
    double ratio = 2.0;
    char tag[4] = {};
    unsigned char raw[2] = {};
    short grid[2][1] = {};
    std::vector<defined> more;
    MSGPACK_DEFINE(name, ratio, tag, raw, grid, more)
};
struct named {
    int id = 7;
    std::string text;
    std::shared_ptr<named> next;
    MSGPACK_DEFINE_MAP(id, text, next)
};
class by_hand {
public:
    template <class Packer>
    void msgpack_pack(Packer& to) const {
        to.pack_map(1).pack(text_).pack(numbers_);
    }
    void msgpack_unpack(const msgpack::object& from) {
        if (from.type != msgpack::type::MAP || from.via.map.size != 1) throw msgpack::type_error{};
        from.via.map.ptr[0].key.convert(text_);
        from.via.map.ptr[0].val.convert(numbers_);
    }

private:
    std::string text_;
    std::vector<std::variant<int, float, point>> numbers_;
};

template <class... A>
[[nodiscard]] bool encodes(futon::byte_buffer& out, const std::tuple<A...>& values) {
    try {
        std::apply([&](const A&... value) { futon::encode_arguments(out, value...); }, values);
        return true;
    } catch (const futon::rpc_error&) {
        // A duration in floating point can be rounded out of range.
        return false;
    }
}

template <class... A>
[[nodiscard]] bool comes_back(futon::bytes_view message) {
    const auto first = futon::decode_arguments<A...>(message);
    if (!first) return !first.error().message().empty();
    futon::byte_buffer bytes;
    if (!encodes(bytes, *first)) return (std::is_same_v<A, std::chrono::duration<double>> || ...);
    const auto second = futon::decode_arguments<A...>(bytes.view());
    futon::byte_buffer again;
    return second && encodes(again, *second) && std::ranges::equal(bytes.view(), again.view());
}

/// No byte past the end is read, not even if nobody validated the message.
template <class T>
[[nodiscard]] bool stays_inside(futon::bytes_view message) {
    futon::detail::failure why;
    futon::detail::reader in{message, futon::detail::views::welcome, why};
    T value{};
    (void)futon::detail::read_value(in, value);
    return in.left() <= message.size();
}

/// Both answers are the same whoever asks, and a text that is compatible with anything is so with itself.
[[nodiscard]] inline bool judges_alike(std::string_view text) {
    const auto middle = text.find('|');
    const auto theirs = text.substr(0, middle);
    const auto ours = middle == text.npos ? text : text.substr(middle + 1);
    const bool compatible = futon::compatible(theirs, ours);
    return compatible == futon::compatible(ours, theirs) &&
           (!compatible || (futon::compatible(theirs, theirs) && futon::compatible(ours, ours)));
}

/// True if all went as it must.
[[nodiscard]] inline bool run(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return true;
    const auto message = std::as_bytes(std::span{data + 1, size - 1});
    using namespace std::chrono;
    switch (data[0] % 16) {
        case 0: return comes_back<int>(message) && comes_back<>(message);
        case 1: return comes_back<std::string_view, futon::bytes_view>(message);
        case 2: return comes_back<person, std::vector<point>>(message);
        case 3: return comes_back<tree>(message);
        case 4: return comes_back<std::map<std::string, std::vector<point>>, std::set<std::int16_t>>(message);
        case 5:
            return comes_back<std::variant<std::monostate, int, std::string, std::vector<bool>>,
                              std::tuple<std::uint64_t, std::pair<bool, colour>>, std::array<std::int64_t, 2>>(message);
        case 6:
            return comes_back<nanoseconds, duration<std::int16_t, std::milli>, duration<int, std::ratio<1, 60>>,
                              duration<std::uint64_t, std::pico>>(message);
        case 7: return comes_back<sys_time<nanoseconds>, sys_days, sys_time<duration<int, std::milli>>>(message);
        case 8: return comes_back<defined>(message);
        case 9: return comes_back<named>(message);
        case 10: return comes_back<by_hand, std::optional<by_hand>>(message);
        case 11: return comes_back<float, double, duration<double>>(message);
        case 12:
            // The order of these may change on the way.
            return !futon::decode<std::unordered_map<std::string, std::unordered_set<int>>>(message) ||
                   futon::validate(message);
        case 13:
            return stays_inside<person>(message) &&
                   stays_inside<std::variant<int, std::vector<std::string_view>>>(message) &&
                   stays_inside<sys_time<nanoseconds>>(message) && stays_inside<std::map<int, double>>(message);
        case 14: return judges_alike(futon::as_text(message));
        default:
            return comes_back<std::multimap<std::string, std::shared_ptr<const point>>, std::vector<futon::bytes>>(
                message);
    }
}

}  // namespace decode_target
