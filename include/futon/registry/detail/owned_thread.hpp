// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The one thread of a registry that has one.

#include <thread>
#include <utility>

namespace futon::detail {

/// Joined at its end; where that comes on the thread itself, inside a listener, the thread ends alone a moment later.
///
/// Lifetime: what the body uses it must share. Its owner tells it to end before.
class owned_thread {
public:
    owned_thread() = default;
    template <class Body>
    explicit owned_thread(Body body) : thread_{std::move(body)} {}
    owned_thread(const owned_thread&) = delete;
    owned_thread& operator=(const owned_thread&) = delete;
    ~owned_thread() {
        if (!thread_.joinable()) return;
        if (thread_.get_id() == std::this_thread::get_id())
            thread_.detach();
        else
            thread_.join();
    }

private:
    std::thread thread_;
};

}  // namespace futon::detail
