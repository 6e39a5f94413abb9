// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The two that can wait at a stream's queue: who wants an item, and who has one and finds no room.

#include <futon/async/outcome.hpp>
#include <futon/core/result.hpp>

#include <optional>
#include <utility>

namespace futon::detail {

/// The state behind `next()`. Claimed before an item is taken for it, so that a cancelled wait loses none.
template <class T>
class next_state final : public future_state<std::optional<T>> {
public:
    using future_state<std::optional<T>>::future_state;
    using future_state<std::optional<T>>::publish;

    next_state* next_waiting = nullptr;
};

/// The state behind `send()`, with the item while it waits for room.
template <class T>
class send_state final : public future_state<void> {
public:
    using future_state<void>::future_state;
    using future_state<void>::publish;

    bool complete(result<void> with) noexcept override {
        if (!claim()) return false;
        // Here, where no lock of the stream is held.
        item.reset();
        publish(std::move(with));
        return true;
    }

    send_state* next_waiting = nullptr;
    std::optional<T> item;

protected:
    void give_up() noexcept override { complete(unexpected{error{errc::cancelled, executed::no}}); }
};

}  // namespace futon::detail
