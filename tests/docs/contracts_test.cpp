// SPDX-License-Identifier: Apache-2.0
// The code of docs/contracts.md, and what its tables claim.
#include <futon/futon.hpp>

#include <futon/wire/signature.hpp>

#include <doctest/doctest.h>
#include <msgpack.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iomanip>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

using namespace std::chrono_literals;

namespace {

// [shop]
namespace shop {

enum class colour : std::uint8_t { red, green };

struct Item {  // up to 32 fields; travels as an array of them
    std::string name;
    colour paint = colour::red;
    std::optional<double> discount;
};

class Money {  // not an aggregate: names its fields
public:
    Money() = default;
    explicit Money(std::int64_t cents) : cents_{cents} {}
    std::int64_t cents() const { return cents_; }
    MSGPACK_DEFINE(cents_)

private:
    std::int64_t cents_ = 0;
};

struct Shop {
    Money price(Item what, int count) const;
    std::vector<Item> search(std::string_view text, std::set<std::string> tags);
    void upload(std::string name, futon::bytes_view picture);
};
FUTON_SERVICE_AS(Shop, "com.example.Shop:1.0",
                 (price, futon::idempotent, futon::timeout(2s)),
                 (search, futon::idempotent),
                 upload)

}  // namespace shop
// [/shop]

struct shop_impl {
    shop::Money price(const shop::Item&, int count) const { return shop::Money{count * 150}; }
    std::vector<shop::Item> search(std::string_view text, const std::set<std::string>& tags) {
        return {{std::string{text}, shop::colour::green, std::nullopt}, {std::to_string(tags.size()), {}, 0.5}};
    }
    void upload(const std::string&, futon::bytes_view picture) { uploaded = picture.size(); }
    std::size_t uploaded = 0;
};

TEST_CASE("docs: the contract of contracts.md is served and called") {
    shop_impl impl;
    futon::server server;
    // [provide]
    server.provide<shop::Shop>(std::ref(impl));                                          // com.example.Shop:1.0
    server.provide<shop::Shop>(shop_impl{}, {.version = "2.0", .unique_id = "blue"});    // com.example.Shop:2.0:blue
    // [/provide]
    server.start();
    futon::client client{server.addresses()};
    // [stub]
    auto first = client.stub<shop::Shop>();
    auto blue = client.stub<shop::Shop>({.version = "2.0", .unique_id = "blue"});
    // [/stub]
    // [call]
    const shop::Money sum = first.price({"tea", shop::colour::green, {}}, 2).get();  // braces and conversions, as in a plain call
    // [/call]
    CHECK(sum.cents() == 300);
    CHECK(blue.price({"tea", {}, {}}, 1).get().cents() == 150);
    const auto found = first.search("cup", {"a", "b"}).get();
    REQUIRE(found.size() == 2);
    CHECK(found[0].name == "cup");
    CHECK(found[0].paint == shop::colour::green);
    CHECK(found[1].name == "2");
    CHECK(found[1].discount == 0.5);
    const std::vector<std::byte> picture(1000);
    first.upload("x", picture).get();
    CHECK(impl.uploaded == 1000);
    const auto missing = client.stub<shop::Shop>({.version = "3.0"}).price({}, 1).get_result();
    REQUIRE_FALSE(missing);
    CHECK(missing.error() == futon::errc::no_such_method);
    CHECK(missing.error().message() ==
          "there is no service 'com.example.Shop:3.0' here; offered: 'com.example.Shop:1.0', 'com.example.Shop:2.0:blue'");
}

std::string hex(futon::bytes_view bytes) {
    std::ostringstream out;
    for (const auto each : bytes) out << (out.str().empty() ? "" : " ") << std::hex << std::setw(2) << std::setfill('0') << std::to_integer<int>(each);
    return out.str();
}
template <class T>
std::string wire(const T& value) {
    futon::byte_buffer out;
    futon::encode(out, value);
    return hex(out.view());
}
template <class T>
std::string shape() {
    const auto whole = futon::signature_of<void, T>();
    return whole.substr(1, whole.find(")->") - 1);
}

struct Pair {
    int a = 1;
    std::string b = "x";
};
struct Named {
    int a = 1;
    MSGPACK_DEFINE_MAP(a)
};

TEST_CASE("docs: types travel in the forms that contracts.md says") {
    CHECK(shape<bool>() == "bool");
    CHECK(wire(true) == "c3");
    CHECK(shape<std::uint16_t>() == "u16");
    CHECK(wire(5) == "05");
    CHECK(wire(-1) == "ff");
    CHECK(wire('A') == "41");
    CHECK(shape<float>() == "f32");
    CHECK(wire(2.0) == "cb 40 00 00 00 00 00 00 00");
    CHECK(wire(2.0f) == "ca 40 00 00 00");
    CHECK(wire(std::string{"hi"}) == "a2 68 69");
    CHECK(shape<std::string_view>() == "str");
    CHECK(wire(futon::bytes{std::byte{1}}) == "c4 01 01");
    CHECK(shape<std::vector<unsigned char>>() == "bin");
    CHECK(shape<std::vector<char>>() == "bin");
    CHECK(shape<std::array<std::byte, 4>>() == "bin");
    CHECK(wire(std::vector<int>{1, 2}) == "92 01 02");
    CHECK(shape<std::deque<int>>() == "list<i32>");
    CHECK(shape<std::set<std::string>>() == "list<str>");
    CHECK(shape<std::vector<bool>>() == "list<bool>");
    CHECK(wire(std::vector<bool>{true, false}) == "92 c3 c2");
    CHECK(wire(std::map<std::string, int>{{"a", 1}}) == "81 a1 61 01");
    CHECK(shape<std::unordered_map<int, double>>() == "map<i32,f64>");
    CHECK(shape<std::array<int, 3>>() == "array<3,i32>");
    CHECK(shape<std::tuple<int, bool>>() == "(i32,bool)");
    CHECK(wire(std::pair{1, true}) == "92 01 c3");
    CHECK(wire(std::optional<int>{}) == "c0");
    CHECK(wire(std::optional<int>{7}) == "07");
    CHECK(wire(std::make_unique<int>(7)) == "07");
    CHECK(shape<std::shared_ptr<int>>() == "opt<i32>");
    CHECK(wire(std::variant<int, std::string>{"x"}) == "92 01 a1 78");
    CHECK(shape<std::variant<int, std::string>>() == "one<i32,str>");
    CHECK(wire(std::monostate{}) == "c0");
    CHECK(wire(shop::colour::green) == "01");
    CHECK(shape<shop::colour>() == "u8");
    CHECK(wire(1us) == "cd 03 e8");
    CHECK(shape<std::chrono::hours>() == "duration");
    CHECK(wire(std::chrono::system_clock::time_point{1s}) == "d6 ff 00 00 00 01");
    CHECK(shape<std::chrono::sys_days>() == "time");
    CHECK(wire(Pair{}) == "92 01 a1 78");
    CHECK(shape<Pair>() == "[i32,str]");
    CHECK(wire(shop::Money{5}) == "91 05");
    CHECK(shape<shop::Money>() == "[i64]");
    CHECK(wire(Named{}) == "81 a1 61 01");
    CHECK(shape<Named>() == "{a:i32}");
}

// Results, both directions: what the one side has, what the other has.
template <class Theirs, class Ours>
bool fits() {
    const bool there = futon::compatible(futon::signature_of<Theirs, int>(), futon::signature_of<Ours, int>());
    const bool back = futon::compatible(futon::signature_of<Ours, int>(), futon::signature_of<Theirs, int>());
    CHECK(there == back);
    return there;
}

struct Longer {
    int a = 1;
    std::string b = "x";
    bool c = true;
};
struct Swapped {
    std::string b;
    int a = 1;
};
struct NamedOtherwise {
    int z = 9;
    long a = 1;
    MSGPACK_DEFINE_MAP(z, a)
};

TEST_CASE("docs: contracts change as contracts.md says") {
    CHECK(fits<Pair, Longer>());
    CHECK(fits<int, std::uint64_t>());
    CHECK(fits<float, double>());
    CHECK(fits<shop::colour, int>());
    CHECK(fits<std::vector<int>, std::set<int>>());
    CHECK(fits<std::optional<int>, std::unique_ptr<int>>());
    CHECK(fits<Named, NamedOtherwise>());
    CHECK_FALSE(fits<Pair, Swapped>());
    CHECK_FALSE(fits<int, double>());
    CHECK_FALSE(fits<int, std::optional<int>>());
    CHECK_FALSE(fits<std::string, futon::bytes>());
    CHECK_FALSE(fits<std::vector<int>, std::array<int, 2>>());
    CHECK_FALSE(fits<Pair, std::pair<int, std::string>>());
    CHECK_FALSE(fits<Pair, Named>());
    CHECK_FALSE(fits<std::variant<int, bool>, std::variant<int, bool, float>>());
    CHECK_FALSE(futon::compatible(futon::signature_of<void, int>(), futon::signature_of<void, int, int>()));
    CHECK_FALSE(futon::compatible(futon::signature_of<void, int>(), futon::signature_of<int, int>()));

    // What is missing keeps its default, what is too much is skipped.
    futon::byte_buffer shorter;
    futon::encode(shorter, Pair{5, "y"});
    const auto longer = futon::decode<Longer>(shorter.view());
    REQUIRE(longer);
    CHECK(longer->a == 5);
    CHECK(longer->c);
    futon::byte_buffer whole;
    futon::encode(whole, Longer{6, "z", false});
    CHECK(futon::decode<Pair>(whole.view())->b == "z");

    // Widths do not matter until a value does not fit.
    futon::byte_buffer large;
    futon::encode(large, 300);
    CHECK(futon::decode<std::uint8_t>(large.view()).error() == futon::errc::bad_arguments);
}

// [views]
struct Archive {
    std::size_t store(std::string_view name, futon::bytes_view content);
};
FUTON_SERVICE(Archive, store)

struct archive_impl {
    // A plain handler: the views are good until it returns.
    std::size_t store(std::string_view name, futon::bytes_view content) { return name.size() + content.size(); }
};

struct slow_archive_impl {
    // A coroutine: they are good until it ends, across every co_await.
    futon::task<std::size_t> store(std::string_view name, futon::bytes_view content) {
        co_await futon::delay(1ms);
        co_return name.size() + content.size();
    }
};
// [/views]

struct far_archive_impl {
    futon::future<std::size_t> store(std::string_view name, futon::bytes_view content) {
        return futon::delay(1ms).then([=] { return name.size() + content.size() + std::to_integer<std::size_t>(content[99]); });
    }
};
// Answers the first call when the second has come, whose bytes have taken the place of the first one's in the buffer.
struct patient_archive_impl {
    void store(futon::responder<std::size_t> answer, std::string_view name, futon::bytes_view content) {
        const std::lock_guard lock{mutex};
        waiting.push_back({std::move(answer), name, content});
        if (waiting.size() < 2) return;
        for (auto& each : waiting) each.answer(each.name.size() + std::to_integer<std::size_t>(each.content[99]));
        waiting.clear();
    }
    struct unanswered {
        futon::responder<std::size_t> answer;
        std::string_view name;
        futon::bytes_view content;
    };
    std::mutex mutex;
    std::vector<unanswered> waiting;
};

TEST_CASE("docs: views live as long as contracts.md says") {
    const std::vector<std::byte> content(100, std::byte{7});
    for (const auto place : {futon::run_on::io, futon::run_on::pool}) {
        patient_archive_impl patient;
        futon::server server;
        server.provide<Archive>(archive_impl{}, {.run_on = place});
        server.provide<Archive>(slow_archive_impl{}, {.unique_id = "slow", .run_on = place});
        server.provide<Archive>(far_archive_impl{}, {.unique_id = "far", .run_on = place});
        server.provide<Archive>(std::ref(patient), {.unique_id = "patient", .run_on = place});
        server.start();
        futon::client client{server.addresses()};
        CHECK(client.stub<Archive>().store("name", content).get() == 104);
        CHECK(client.stub<Archive>({.unique_id = "slow"}).store("name", content).get() == 104);
        CHECK(client.stub<Archive>({.unique_id = "far"}).store("name", content).get() == 111);
        auto first = client.stub<Archive>({.unique_id = "patient"}).store("first", content);
        auto second = client.stub<Archive>({.unique_id = "patient"}).store("second", content);
        CHECK(std::move(first).get() == 12);
        CHECK(std::move(second).get() == 13);
    }
}

}  // namespace
