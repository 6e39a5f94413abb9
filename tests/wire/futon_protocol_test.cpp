// SPDX-License-Identifier: Apache-2.0
#include <futon/wire/futon_protocol.hpp>

#include "support/hex.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <fstream>
#include <map>
#include <random>
#include <string>

using namespace std::chrono_literals;

namespace {

using protocol = futon::futon_protocol;
using kind = futon::frame::kind;
using status = futon::parsed::status;
using test_support::hex;
using test_support::to_hex;

// The blocks "```hex name" of docs/wire.md.
const std::map<std::string, std::string>& documented() {
    static const auto blocks = [] {
        std::map<std::string, std::string> found;
        std::ifstream page{FUTON_DOCS_DIR "/wire.md"};
        for (std::string line; std::getline(page, line);) {
            if (line.rfind("```hex ", 0) != 0) continue;
            auto& text = found[line.substr(7)];
            for (std::string part; std::getline(page, part) && part != "```";) text += (text.empty() ? "" : " ") + part;
        }
        return found;
    }();
    return blocks;
}

constexpr std::uint64_t id = std::uint64_t{1} << 32 | 7;

futon::method_info greet() {
    futon::method_info method;
    method.service = "Greeter:2.0";
    method.name = "greet";
    method.signature = "(str)->[str]";
    method.number = 3;
    return method;
}

template <class F>
std::string written(F&& write) {
    futon::byte_buffer out;
    write(out);
    return to_hex(out.view());
}

void finish(futon::byte_buffer& out, std::size_t start, std::string_view body) {
    out.append(hex(body));
    protocol::end_frame(out, start, 0);
}

futon::frame read(const std::string& name) {
    static std::map<std::string, futon::bytes> kept;
    const auto& blob = kept[name] = hex(documented().at(name));
    futon::frame out;
    futon::frame_fault fault;
    const auto step = protocol::parse(blob, {}, out, fault);
    CHECK(step.what == status::complete);
    CHECK(step.size == blob.size());
    return out;
}

TEST_CASE("futon_protocol: the bytes of docs/wire.md are the bytes that are written") {
    CHECK(documented().size() == 14);
    const auto method = greet();
    CHECK(written([](auto& out) { protocol::write_preface(out, {}); }) == documented().at("preface"));
    CHECK(written([&](auto& out) { protocol::write_bind(out, method); }) == documented().at("bind"));
    CHECK(written([&](auto& out) {
              finish(out, protocol::begin_request(out, {.method = &method, .id = id, .remaining = 3s}),
                     "91 a3 61 6e 6e");
          }) == documented().at("request"));
    const futon::metadata user{{"user", "u7"}};
    CHECK(written([&](auto& out) {
              finish(out, protocol::begin_request(out, {.method = &method, .headers = &user}), "91 01");
          }) == documented().at("oneway"));
    CHECK(written([](auto& out) {
              finish(out, protocol::begin_reply(out, {.id = id, .handler_time = 250us}), "a2 68 69");
          }) == documented().at("reply"));
    CHECK(written([](auto& out) {
              protocol::write_error(
                  out, id, futon::error{futon::errc::overloaded, "busy", futon::executed::no}.with_retry_after(100ms),
                  futon::duration{-1});
          }) == documented().at("error"));
    CHECK(written([](auto& out) { protocol::write_cancel(out, id); }) == documented().at("cancel"));
    CHECK(written([&](auto& out) {
              finish(out,
                     protocol::begin_request(out, {.method = &method, .id = id, .has_streams = true, .window = 65'536}),
                     "91 a3 61 6e 6e");
          }) == documented().at("streams"));
    CHECK(written([](auto& out) { protocol::write_accepted(out, id, 0); }) == documented().at("accepted"));
    CHECK(written([](auto& out) { finish(out, protocol::begin_item(out, id, false), "a2 68 69"); }) ==
          documented().at("item"));
    CHECK(written([](auto& out) { protocol::write_credit(out, id, true, 65'536); }) == documented().at("credit"));
    CHECK(written([](auto& out) { protocol::write_items_end(out, id); }) == documented().at("end"));
    CHECK(written([](auto& out) {
              protocol::write_load(out, 9, {.in_flight = 3, .latency = 1500us, .utilisation = 0.5f, .qps = 2000});
          }) == documented().at("load"));
    CHECK(written([](auto& out) {
              protocol::write_goodbye(out, 5, futon::error{futon::errc::unavailable, "bye"});
          }) == documented().at("goodbye"));
}

TEST_CASE("futon_protocol: the bytes of docs/wire.md are read as they are described") {
    futon::peer_limits peer;
    futon::frame_fault fault;
    CHECK(protocol::parse_preface(hex(documented().at("preface")), peer, fault).what == status::complete);
    CHECK(peer.max_body_bytes == 8u << 20);
    CHECK(peer.max_metadata_bytes == 16384);
    CHECK(peer.max_in_flight == 8192);
    CHECK(peer.max_binds == 4096);
    CHECK(peer.max_streams == 16384);

    const auto bind = read("bind");
    CHECK(bind.what == kind::bind);
    CHECK(bind.method == 3);
    CHECK(bind.names.service == "Greeter:2.0");
    CHECK(bind.names.method == "greet");
    CHECK(bind.names.signature == "(str)->[str]");
    const auto request = read("request");
    CHECK(request.what == kind::request);
    CHECK(request.id == id);
    CHECK(request.method == 3);
    CHECK(request.remaining == 3s);
    CHECK(to_hex(request.body) == "91 a3 61 6e 6e");
    const auto oneway = read("oneway");
    CHECK(oneway.what == kind::oneway_request);
    CHECK(oneway.remaining < 0s);
    CHECK(to_hex(oneway.metadata) == "81 a4 75 73 65 72 a2 75 37");
    CHECK(to_hex(oneway.body) == "91 01");
    const auto reply = read("reply");
    CHECK(reply.what == kind::reply);
    CHECK(reply.id == id);
    CHECK(reply.handler_time == 250us);
    CHECK(to_hex(reply.body) == "a2 68 69");
    const auto why = read("error");
    CHECK(why.what == kind::error);
    CHECK(why.code == 7);
    CHECK(why.ran == futon::executed::no);
    CHECK(why.retry_after == 100ms);
    CHECK(why.category.empty());
    CHECK(why.text == "busy");
    CHECK(read("cancel").id == id);
    CHECK_FALSE(request.has_streams);
    const auto streams = read("streams");
    CHECK(streams.what == kind::request);
    CHECK(streams.has_streams);
    CHECK(streams.window == 65'536);
    CHECK(streams.remaining < 0s);
    CHECK(to_hex(streams.body) == "91 a3 61 6e 6e");
    const auto accepted = read("accepted");
    CHECK(accepted.what == kind::accepted);
    CHECK(accepted.id == id);
    CHECK(accepted.window == 0);
    const auto item = read("item");
    CHECK(item.what == kind::item);
    CHECK(item.id == id);
    CHECK_FALSE(item.mine);
    CHECK(to_hex(item.body) == "a2 68 69");
    const auto credit = read("credit");
    CHECK(credit.what == kind::credit);
    CHECK(credit.mine);
    CHECK(credit.window == 65'536);
    CHECK(read("end").what == kind::items_end);
    CHECK(read("end").id == id);
    const auto load = read("load");
    CHECK(load.what == kind::load);
    CHECK(load.id == 9);
    CHECK(load.load == futon::load_report{.in_flight = 3, .latency = 1500us, .utilisation = 0.5f, .qps = 2000});
    const auto goodbye = read("goodbye");
    CHECK(goodbye.id == 5);
    CHECK(goodbye.code == 21);
    CHECK(goodbye.text == "bye");
}

TEST_CASE("futon_protocol: a frame that is cut anywhere is partial, and says how long it will be") {
    for (const auto& [name, text] : documented()) {
        CAPTURE(name);
        const auto blob = hex(text);
        for (std::size_t cut = 0; cut < blob.size(); ++cut) {
            futon::frame out;
            futon::frame_fault fault;
            futon::peer_limits peer;
            const auto part = futon::bytes_view{blob}.first(cut);
            const auto step =
                name == "preface" ? protocol::parse_preface(part, peer, fault) : protocol::parse(part, {}, out, fault);
            CHECK(step.what == status::partial);
            CHECK(step.size == (cut < (name == "preface" ? 6u : 4u) ? 0 : blob.size()));
        }
    }
}

TEST_CASE("futon_protocol: a preface of a later revision is longer, one of an earlier shorter") {
    futon::frame_fault fault;
    futon::peer_limits peer;
    CHECK(protocol::parse_preface(hex("c1 66 75 74 01 00"), peer, fault).what == status::complete);
    CHECK(peer.max_in_flight == 64);
    CHECK(peer.max_streams == 0);
    CHECK(protocol::parse_preface(hex("c1 66 75 74 01 07 01 02 03 04 05 ff ff"), peer, fault).what == status::complete);
    CHECK(peer.max_binds == 4);
    CHECK(protocol::parse_preface(hex("c1 66 75 74 01 02 05 80"), peer, fault).what == status::broken);
    CHECK(protocol::parse_preface(hex("c1 66 75 74 01 0a ff ff ff ff ff ff ff ff ff 01"), peer, fault).what ==
          status::complete);
    CHECK(peer.max_body_bytes == 0xFFFFFFFF);
}

TEST_CASE("futon_protocol: frames of streams are refused where the direction, the length or a number is wrong") {
    const auto broken = [](const std::string& text) {
        futon::frame out;
        futon::frame_fault fault;
        return protocol::parse(hex(text), {}, out, fault).what == status::broken;
    };
    CHECK_FALSE(broken("0b 00 00 00 10 01 07 00 00 00 01 00 00 00 c0"));
    CHECK(broken("0a 00 00 00 10 01 07 00 00 00 01 00 00 00"));                       // An item without a value.
    CHECK(broken("0b 00 00 00 10 02 07 00 00 00 01 00 00 00 c0"));                    // With metadata.
    CHECK(broken("0a 00 00 00 11 00 07 00 00 00 01 00 00 00"));                       // The callee ends with its reply.
    CHECK(broken("0b 00 00 00 13 01 07 00 00 00 01 00 00 00 00"));                    // Only the callee accepts.
    CHECK(broken("0c 00 00 00 13 00 07 00 00 00 01 00 00 00 00 00"));                 // Something behind the number.
    CHECK_FALSE(broken("14 00 00 00 12 01 07 00 00 00 01 00 00 00 ff ff ff ff ff ff ff ff ff 01"));
    CHECK(broken("14 00 00 00 12 01 07 00 00 00 01 00 00 00 ff ff ff ff ff ff ff ff ff 02"));  // 2^64 and more.
    CHECK(broken("0f 00 00 00 02 11 00 00 00 00 00 00 00 00 03 01 91 01 02"));        // A one-way call with streams.
    for (const auto* type : {"14", "1f"})
        CHECK(broken("0b 00 00 00 " + std::string{type} + " 00 07 00 00 00 01 00 00 00 00"));
}

TEST_CASE("futon_protocol: a request is withdrawn in place") {
    const auto method = greet();
    futon::byte_buffer out;
    const auto first = protocol::begin_request(out, {.method = &method, .id = id, .remaining = 1s});
    finish(out, first, "91 01");
    const auto size = out.size();
    const auto second = protocol::begin_request(out, {.method = &method, .id = id + 1});
    protocol::end_frame(out, second, 100'000);  // Its body stands elsewhere.
    CHECK(protocol::withdraw(out.data() + first, size));
    CHECK(protocol::withdraw(out.data() + second, out.size() - size));
    auto left = out.view();
    for (int i = 0; i < 2; ++i) {
        futon::frame from;
        futon::frame_fault fault;
        const auto step = protocol::parse(left, {}, from, fault);
        CHECK(from.what == kind::withdrawn);
        left = left.subspan(step.size);
    }
    CHECK(left.empty());
}

TEST_CASE("futon_protocol: an error travels with all that it knows, cut to what a frame may hold") {
    const auto travelled = [](const futon::error& why, auto&& look) {
        futon::byte_buffer out;
        protocol::write_error(out, id, why, 5us);
        futon::frame from;
        futon::frame_fault fault;
        CHECK(protocol::parse(out.view(), {}, from, fault).what == status::complete);
        CHECK(from.handler_time == 5us);
        look(from);
    };
    travelled(futon::error{std::error_code{-5, std::generic_category()}, "own", futon::executed::yes}.with_remote_type(
                  "std::range_error"),
              [](const auto& from) {
                  CHECK(from.category == "generic");
                  CHECK(from.code == -5);
                  CHECK(from.remote_type == "std::range_error");
              });
    travelled(futon::error{futon::errc::remote_error, std::string(1023, 'x') + "\xC3\xA9"},
              [](const auto& from) { CHECK(from.text == std::string(1023, 'x')); });
}

TEST_CASE("futon_protocol: no bytes are read past their end, and the same bytes are the same frame in any company") {
    std::mt19937 dice{11};
    for (int round = 0; round < 20'000; ++round) {
        const auto& blocks = documented();
        auto it = blocks.begin();
        std::advance(it, dice() % blocks.size());
        auto blob = hex(it->second);
        for (auto changes = dice() % 4; changes > 0; --changes)
            blob[dice() % blob.size()] = static_cast<std::byte>(dice());
        blob.resize(dice() % (blob.size() + 1));
        const futon::bytes exact{blob};  // Its own block of memory, so that a sanitizer sees its end.
        futon::frame alone;
        futon::frame followed;
        futon::frame_fault fault;
        const auto step = protocol::parse(exact, {}, alone, fault);
        if (step.what == status::broken) CHECK_FALSE(futon::describe(fault).empty());
        if (step.what != status::complete) continue;
        CHECK(step.size <= exact.size());
        blob.push_back(std::byte{0xEE});
        CHECK(protocol::parse(blob, {}, followed, fault).size == step.size);
        CHECK(followed.what == alone.what);
        CHECK(followed.body.size() == alone.body.size());
    }
}

}  // namespace
