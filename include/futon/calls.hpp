// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// All that a file needs that makes calls through stubs it was given: stubs, futures and what is made of them, tasks,
/// tokens, streams, replies with headers. Without the client itself, it costs a fraction of that to compile.

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
#include <futon/contract.hpp>
#include <futon/core/with_context.hpp>
#include <futon/service/broadcast.hpp>
#include <futon/service/failure.hpp>
#include <futon/service/make_stub.hpp>
#include <futon/service/reply_headers.hpp>
#include <futon/service/start_call.hpp>
