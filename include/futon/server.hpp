// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Everything that a server needs: contracts, handlers' return types, the server itself.

#include <futon/async.hpp>
#include <futon/contract.hpp>
#include <futon/core/with_context.hpp>
#include <futon/server/server.hpp>
#include <futon/service/failure.hpp>
