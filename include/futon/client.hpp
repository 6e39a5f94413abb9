// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Everything that a client needs: contracts, stubs, futures, the client itself. Files that only make calls, through
/// stubs that they are given, include `futon/calls.hpp` and are compiled in a fraction of the time.

#include <futon/async.hpp>
#include <futon/calls.hpp>
#include <futon/client/client.hpp>
