// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Two byte streams joined in memory, with the faults that networks have.

#include <futon/core/executor.hpp>
#include <futon/testing/detail/wire.hpp>
#include <futon/testing/link_faults.hpp>
#include <futon/transport/byte_stream.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace futon::testing {

/// Joins a left and a right stream, each of which lives on its own executor, which may be the same.
///
/// For tests of one connection; servers and clients are joined by a `network` or a `simulation`.
/// Thread-safety: safe. Lifetime: shared with the streams.
class loopback {
public:
    enum class direction : std::uint8_t { to_left, to_right };

    loopback(executor_ref left, executor_ref right)
        : wire_{detail::make_intrusive<detail::wire>(std::move(left), std::move(right))} {}

    /// Each once.
    [[nodiscard]] std::unique_ptr<detail::byte_stream> left() { return wire_->stream_of(0, "loopback://right"); }
    [[nodiscard]] std::unique_ptr<detail::byte_stream> right() { return wire_->stream_of(1, "loopback://left"); }

    /// May be changed at any time.
    void set_faults(direction which, const link_faults& faults) {
        wire_->set_faults(static_cast<std::size_t>(which), faults);
    }
    /// Breaks both directions now.
    void cut() { wire_->cut(); }
    /// Bytes taken from the writer so far.
    [[nodiscard]] std::size_t taken(direction which) const { return wire_->taken(static_cast<std::size_t>(which)); }
    /// Whether both streams were closed by their owners.
    [[nodiscard]] bool is_closed() const { return wire_->is_closed(); }

private:
    detail::intrusive_ptr<detail::wire> wire_;
};

}  // namespace futon::testing
