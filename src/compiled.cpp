// SPDX-License-Identifier: Apache-2.0

/// \file
/// The source of futon::compiled: defines what the headers only declare where FUTON_COMPILED is set.

#include <futon/async/detail/awaitable_bodies.hpp>
#include <futon/client/detail/client_bodies.hpp>
#include <futon/core/detail/asio_executor_bodies.hpp>
#include <futon/core/detail/runtime_bodies.hpp>
#include <futon/server/detail/server_bodies.hpp>
