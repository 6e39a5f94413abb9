// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What both sides agree on about one method, as plain text and numbers.

#include <futon/core/time.hpp>

#include <cstdint>
#include <string>

namespace futon {

/// One method of one service, as it is called over a channel or offered by a server.
struct method_info {
    std::string service;       ///< Full service name: "name", "name:version" or "name:version:unique_id".
    std::string name;          ///< The method's own name.
    std::string signature;     ///< Its parameters and result in wire shapes, see `docs/wire.md`.
    bool idempotent = false;   ///< It may run twice without harm, so that a lost call may be repeated.
    bool failfast = false;     ///< Its calls are one attempt each, unless the call says otherwise.
    bool has_streams = false;  ///< A parameter or the result is a stream.
    duration timeout{};        ///< Its own default deadline; zero leaves it to the client.
    std::uint32_t number = 0;  ///< Distinct within its channel or server; the caller's id in bind frames.

    /// "service.method", for messages.
    [[nodiscard]] std::string full_name() const { return service + "." + name; }
};

}  // namespace futon
