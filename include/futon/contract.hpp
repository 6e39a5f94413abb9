// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// All that a contract's own header needs: the macro, attributes, and stubs to hold. Light: no Asio, no msgpack, no
/// sockets. To make calls through stubs, include `futon/calls.hpp`; to open a client or a server `futon/client.hpp`,
/// `futon/server.hpp` or `futon/futon.hpp`.

#include <futon/service/description.hpp>
#include <futon/service/macros.hpp>
#include <futon/service/method.hpp>
#include <futon/service/stub.hpp>

#include <chrono>
#include <string>
