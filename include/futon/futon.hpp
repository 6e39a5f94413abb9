// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// All of futon that needs no further library: contracts, client and server.

#include <futon/client.hpp>
#include <futon/contract.hpp>
#include <futon/server.hpp>
