// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Everything that a client needs: contracts, stubs, futures, the client itself.

#include <futon/async.hpp>
#include <futon/client/client.hpp>
#include <futon/contract.hpp>
#include <futon/core/with_context.hpp>
#include <futon/service/broadcast.hpp>
#include <futon/service/failure.hpp>
