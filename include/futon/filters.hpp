// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// All filters that come with futon. What is needed to write one comes with `futon/client.hpp` and `futon/server.hpp`.

#include <futon/filter/adaptive_limit.hpp>
#include <futon/filter/client_throttle.hpp>
#include <futon/filter/concurrency_limit.hpp>
#include <futon/filter/per_method.hpp>
#include <futon/filter/queue_limit.hpp>
#include <futon/filter/rate_limit.hpp>
