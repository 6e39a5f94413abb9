// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// For the tests of those who use futon: a simulated world, a
/// network in memory, fakes of services, a simulated cluster.

#include <futon/testing/cluster_simulation.hpp>
#include <futon/testing/fake.hpp>
#include <futon/testing/join_shortest_queue.hpp>
#include <futon/testing/manual_executor.hpp>
#include <futon/testing/network.hpp>
#include <futon/testing/simulation.hpp>
