// SPDX-License-Identifier: Apache-2.0
#include <futon/futon.hpp>

#include <array>
#include <chrono>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

// Every type of the standard library for which msgpack-cxx has an adaptor of its own, too.
enum class Colour { red, green };
struct Everything {
    Colour colour = Colour::red;
    std::string text;
    std::vector<std::string> texts;
    std::vector<bool> bits;
    std::vector<char> blob;
    std::vector<unsigned char> octets;
    std::vector<std::byte> bytes;
    std::array<int, 3> three{};
    std::array<char, 4> four{};
    std::deque<int> queue;
    std::list<int> list;
    std::set<int> set;
    std::map<std::string, int> map;
    std::multimap<int, int> many;
    std::unordered_map<std::string, int> hashed;
    std::pair<int, std::string> pair;
    std::tuple<int, double> tuple;
    std::optional<int> perhaps;
    std::unique_ptr<int> owned;
    std::shared_ptr<int> shared;
    std::chrono::system_clock::time_point when;
};
struct Keeper {
    Everything keep(Everything all, std::string_view name, futon::bytes_view blob);
};
FUTON_SERVICE(Keeper, keep)

// Packs and unpacks before msgpack's own headers are there, and
// not only at the end of the file, where templates are made.
static_assert(futon::detail::judge<futon::detail::purpose::result, Everything>() == futon::detail::refusal::none);
static_assert(futon::detail::judge<futon::detail::purpose::argument, std::string_view>() ==
              futon::detail::refusal::none);
static_assert(futon::detail::judge<futon::detail::purpose::argument, futon::bytes_view>() ==
              futon::detail::refusal::none);

#include <msgpack.hpp>

// And msgpack itself is as it always is.
struct Plain {
    std::string text;
    std::vector<std::string> texts;
    std::map<std::string, int> map;
    std::optional<int> perhaps;
    MSGPACK_DEFINE(text, texts, map, perhaps)
};

bool msgpack_after_futon();
bool msgpack_after_futon() {
    const Plain first{"a", {"b", "c"}, {{"d", 1}}, 2};
    msgpack::sbuffer out;
    msgpack::pack(out, first);
    const auto second = msgpack::unpack(out.data(), out.size()).get().as<Plain>();
    futon::byte_buffer ours;
    futon::encode(ours, first);
    return second.texts == first.texts && second.map == first.map && second.perhaps == first.perhaps &&
           futon::as_text(ours.view()) == std::string_view{out.data(), out.size()};
}
