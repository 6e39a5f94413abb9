// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The one driver of a session: moves bytes between it and a stream, and tells it the time.
///
/// Reads coalesce: whatever has arrived is parsed before more is read. Writes coalesce: what one turn of
/// the executor produced leaves at its end, in one system call, or at once where it is much.

#include <futon/transport/detail/connection_calls.hpp>
#include <futon/transport/detail/connection_class.hpp>
#include <futon/transport/detail/connection_end.hpp>
#include <futon/transport/detail/connection_reading.hpp>
#include <futon/transport/detail/connection_streams.hpp>
#include <futon/transport/detail/connection_writing.hpp>
