// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Futures, promises, tasks and tokens, without the rest of futon.

#include <futon/async/awaitable.hpp>
#include <futon/async/combinators.hpp>
#include <futon/async/future.hpp>
#include <futon/async/make_stream.hpp>
#include <futon/async/promise.hpp>
#include <futon/async/scoped_future.hpp>
#include <futon/async/shared_future.hpp>
#include <futon/async/sync_wait.hpp>
#include <futon/async/task.hpp>
#include <futon/async/token.hpp>
#include <futon/core/asio_executor.hpp>
#include <futon/core/runtime.hpp>
