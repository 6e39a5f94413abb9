// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Reads what has an adaptor of its own: the only place where msgpack-cxx sees received bytes.

#include <futon/wire/detail/adaptor.hpp>
#include <futon/wire/detail/reader.hpp>
#include <futon/wire/detail/tree.hpp>

#include <exception>
#include <string>

namespace futon::detail {

/// Through the adaptor that somebody wrote, or through a `msgpack_unpack` written by hand.
template <class T>
bool read_adapted(reader& in, T& out) {
    msgpack::zone zone{1024};
    msgpack::object tree;
    const auto* const start = in.position();
    if (!read_tree(in, zone, tree)) return false;
    const auto refuse = [&](const std::string& why) {
        in.rewind(start);
        return in.unfit(std::string{"the msgpack adaptor of the type refused "} + article(kind_of(*start)) + why);
    };
    try {
        if constexpr (msgpack::has_as<T>::value) {
            out = tree.as<T>();
        } else if constexpr (unpacked_by_user<T> || unpacked_by_library<T>) {
            msgpack::adaptor::convert<T>{}(tree, out);
        } else {
            out.msgpack_unpack(tree);
        }
        return true;
    } catch (const msgpack::type_error&) {
        return refuse("");
    } catch (const std::exception& e) {
        return refuse(std::string{": "} + e.what());
    } catch (...) {
        return refuse("");
    }
}

}  // namespace futon::detail
