// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Which provider of a contract a stub calls, and how.

#include <futon/service/call_options.hpp>

#include <string>

namespace futon {

/// For `client.stub<C>({.version = "2.0"})` and `context.caller<C>({...})`.
struct stub_options {
    std::string version{};    ///< Of the service, as its provider says it.
    std::string unique_id{};  ///< Of the provider.
    call_options calls{};     ///< For all calls made through the stub.
};

}  // namespace futon
