// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a file registry can be told.

#include <futon/core/time.hpp>

#include <chrono>

namespace futon {

/// All processes that share a directory should agree on these.
struct file_registry_options {
    /// How often a process shows that it is alive, and looks at everything.
    duration heartbeat = std::chrono::seconds{2};
    /// A process that has not shown it for this long counts as gone. Several heartbeats.
    duration expiry = std::chrono::seconds{10};
    /// Who may read and write the files, as for chmod; directories are made accordingly. 0660 lets a group share them.
    unsigned file_mode = 0600;
    /// Hears of changes from the system, where it can; else they are seen with the next heartbeat.
    bool watch = true;
};

}  // namespace futon
