// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// All that makes futures from futures, values and time.

#include <futon/async/all_settled.hpp>
#include <futon/async/call_group.hpp>
#include <futon/async/fallback.hpp>
#include <futon/async/first_success.hpp>
#include <futon/async/hedge.hpp>
#include <futon/async/make_ready.hpp>
#include <futon/async/map_concurrent.hpp>
#include <futon/async/quorum.hpp>
#include <futon/async/retry.hpp>
#include <futon/async/when_all.hpp>
#include <futon/async/when_any.hpp>
