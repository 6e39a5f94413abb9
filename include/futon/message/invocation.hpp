// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A call as a value: what is to be sent, before it is known where to.

#include <futon/core/bytes.hpp>
#include <futon/core/time.hpp>
#include <futon/message/metadata.hpp>
#include <futon/message/method_info.hpp>
#include <futon/message/route.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace futon {

/// Movable, so that filters and retries can hold it.
struct invocation {
    const method_info* method = nullptr;     ///< Lives as long as its channel.
    byte_buffer arguments;                   ///< A msgpack array with one element per parameter.
    metadata headers;                        ///< Travels to the server; empty costs no bytes.
    time_point deadline = no_deadline;       ///< Covers all attempts, queueing and connecting.
    std::uint64_t hash_key = 0;              ///< Calls of one key prefer one endpoint; zero means no key.
    std::shared_ptr<const route> towards{};  ///< Which providers it may go to; null: any.
    bool oneway = false;                     ///< Nobody waits for a reply.
    bool has_streams = false;                ///< Its call has `streams`, and `deadline` is that of its acceptance.
    bool wait_for_ready = false;             ///< Waits out reconnection instead of failing while it backs off.

    /// Whether it may go to one provider and no other.
    [[nodiscard]] bool names_provider() const noexcept { return towards && !towards->address.empty(); }
    /// The same once more, for an attempt beside this one.
    [[nodiscard]] invocation copy() const {
        invocation made;
        made.method = method;
        made.arguments.append(arguments.view());
        made.headers = headers;
        made.deadline = deadline;
        made.hash_key = hash_key;
        made.towards = towards;
        made.oneway = oneway;
        made.has_streams = has_streams;
        made.wait_for_ready = wait_for_ready;
        return made;
    }
};

}  // namespace futon
