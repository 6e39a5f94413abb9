// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Bytes that are sent from where they are, with what owns them.

#include <futon/core/bytes.hpp>
#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/recycling.hpp>

#include <span>
#include <utility>

namespace futon::detail {

/// Keeps bytes where they are, unchanged, for as long as it lives.
class held_bytes : public ref_counted, public recycled {
public:
    [[nodiscard]] bytes_view view() const noexcept { return view_; }

protected:
    bytes_view view_;
};

template <class Owner>
class held_bytes_of final : public held_bytes {
public:
    explicit held_bytes_of(Owner&& owner) noexcept : owner_{std::move(owner)} {
        view_ = std::as_bytes(std::span{owner_.data(), owner_.size()});
    }
    [[nodiscard]] const Owner& owner() const noexcept { return owner_; }

private:
    const Owner owner_;
};

}  // namespace futon::detail
