// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The providers of one channel: which one a call goes to, and what its end says of that provider.

#include <futon/client/detail/fleet_choosing.hpp>
#include <futon/client/detail/fleet_class.hpp>
#include <futon/client/detail/fleet_lanes.hpp>
#include <futon/client/detail/fleet_listing.hpp>
