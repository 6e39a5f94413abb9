// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a change of a stream's state brings about outside of it.

#include <futon/async/detail/item_ring.hpp>
#include <futon/async/detail/stream_waits.hpp>
#include <futon/async/detail/waiting_list.hpp>
#include <futon/async/outcome.hpp>
#include <futon/async/stream_source.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/error.hpp>
#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/result.hpp>

#include <cstddef>
#include <optional>
#include <utility>

namespace futon::detail {

/// Declared before the lock is taken, so that it comes after it is released; the source
/// first, so that its call is over before anybody learns of that.
template <class T, class R>
struct stream_aftermath {
    struct entry {
        T item;
        std::size_t cost;
    };

    intrusive_ptr<stream_source> source;
    std::size_t consumed = 0;
    std::optional<error> cancel;          // For the source.
    intrusive_ptr<next_state<T>> reader;  // Gets `item`.
    std::optional<T> item;
    waiting_list<send_state<T>> accepted;  // Claimed.
    waiting_list<send_state<T>> refused;
    error refusal{errc::cancelled, executed::no};
    waiting_list<next_state<T>> readers;  // Get the end.
    std::optional<error> failed;
    intrusive_ptr<outcome<R>> finisher;  // Gets `final_result`.
    std::optional<result<R>> final_result;
    item_ring<entry> dropped;
    std::optional<result<R>> replaced;  // An end that nobody will see.

    stream_aftermath() = default;
    stream_aftermath(const stream_aftermath&) = delete;
    stream_aftermath& operator=(const stream_aftermath&) = delete;
    ~stream_aftermath() {
        if (source && consumed > 0) source->consumed(consumed);
        if (source && cancel) source->cancel(*cancel);
        while (const auto sender = accepted.pop()) sender->publish({});
        if (reader) reader->publish(std::move(item));
        while (const auto sender = refused.pop()) sender->complete(unexpected{refusal});
        while (const auto each = readers.pop()) {
            if (failed) {
                each->complete(unexpected{*failed});
            } else {
                each->complete(std::optional<T>{});
            }
        }
        if (finisher) finisher->complete(*std::move(final_result));
    }
};

}  // namespace futon::detail
