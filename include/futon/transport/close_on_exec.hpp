// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Keeps sockets from the programs that this process starts.

#if __has_include(<fcntl.h>)
#include <fcntl.h>
#endif

namespace futon::detail {

/// A program that a handler starts, e.g. by popen(), would hold connections open, so that peers do not see this process
/// die, and the port that it listens on, so that its successor cannot. Asio leaves its sockets to be inherited. One that
/// is started between the making of a socket and this gets it all the same.
template <class Socket>
void close_on_exec(Socket& made) noexcept {
#if defined(FD_CLOEXEC)
    ::fcntl(made.native_handle(), F_SETFD, FD_CLOEXEC);
#else
    static_cast<void>(made);
#endif
}

}  // namespace futon::detail
