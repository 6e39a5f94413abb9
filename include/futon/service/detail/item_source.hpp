// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What stands behind a stream whose items come over a connection.

#include <futon/async/stream_source.hpp>
#include <futon/async/stream_state.hpp>
#include <futon/core/bytes.hpp>
#include <futon/core/error.hpp>
#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/result.hpp>
#include <futon/service/detail/call_stream.hpp>
#include <futon/wire/decode.hpp>
#include <futon/wire/frame.hpp>

#include <cstddef>
#include <exception>
#include <utility>

namespace futon::detail {

/// Tells the call how far the consumer has come.
class item_source final : public stream_source {
public:
    explicit item_source(intrusive_ptr<call_stream> from) noexcept : from_{std::move(from)} {}
    void consumed(std::size_t cost) noexcept override { from_->consumed(cost); }
    void cancel(const error&) noexcept override { from_->unwanted(); }

private:
    const intrusive_ptr<call_stream> from_;
};

/// Decodes an item and queues it. Errors: what is wrong with the bytes.
template <class T, class R>
[[nodiscard]] result<void> push_item(stream_state<T, R>& to, bytes_view body, const complexity_limits& most) noexcept {
    try {
        auto item = decode<T>(body, most);
        if (!item) return std::move(item).error();
        to.push(*std::move(item), item_cost(body.size()));
        return {};
    } catch (...) {
        return error::from_exception(std::current_exception());
    }
}

}  // namespace futon::detail
