// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Moves the items of a stream into a call, as fast as that takes them.

#include <futon/async/cancel_handle.hpp>
#include <futon/async/stream.hpp>
#include <futon/async/stream_source.hpp>
#include <futon/core/bytes.hpp>
#include <futon/core/error.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/result.hpp>
#include <futon/service/detail/call_stream.hpp>
#include <futon/wire/encode.hpp>

#include <exception>
#include <optional>
#include <utility>

namespace futon::detail {

/// Only inside the connection's executor, but for `abort` and cancelling. Part of `Owner`, a `call_stream` with
/// `pumped(result<void>)`, which hears how the items ended.
template <class T, class R, class Owner>
class item_pump {
public:
    explicit item_pump(stream<T, R> from) noexcept
        : from_{std::move(from)}, core_{stream_access::core_of(from_)}, handle_{from_.get_cancel_handle()} {}

    /// There is room, or there may be.
    void go(Owner& owner, executor& home) noexcept {
        if (from_.executor().get() != &home) from_ = std::move(from_).on(executor_ref{&home});
        while (!waiting_ && !over_ && owner.has_room()) {
            try {
                auto next = from_.next();
                if (next.is_ready()) {
                    took(owner, std::move(next).get_result());
                    continue;
                }
                waiting_ = true;
                std::move(next).on_complete(executor_ref{&home}, [keep = intrusive_ptr<Owner>{&owner}, this,
                                                                  &home](result<std::optional<T>> got) {
                    waiting_ = false;
                    took(*keep, std::move(got));
                    go(*keep, home);
                });
            } catch (...) {
                end(owner, error::from_exception(std::current_exception()));
            }
        }
    }
    [[nodiscard]] stream<T, R>& source() noexcept { return from_; }
    /// Whoever produces the items is told why nobody takes them any more. On any thread.
    void abort(const error& why) noexcept {
        if (core_) core_->abort(why);
    }
    /// For any thread.
    [[nodiscard]] const cancel_handle& get_cancel_handle() const noexcept { return handle_; }

private:
    void took(Owner& owner, result<std::optional<T>> got) noexcept {
        if (!got) return end(owner, std::move(got).error());
        if (!*got) return end(owner, {});
        try {
            byte_buffer body;
            encode(body, **got);
            if (!owner.put(body.view())) over_ = true;
        } catch (...) {
            end(owner,
                error{errc::internal,
                      "an item could not be packed: " + error::from_exception(std::current_exception()).message(),
                      executed::yes});
        }
    }
    void end(Owner& owner, result<void> how) noexcept {
        over_ = true;
        if (!how) handle_.cancel();
        owner.pumped(std::move(how));
    }

    stream<T, R> from_;
    const intrusive_ptr<stream_core<T, R>> core_;
    cancel_handle handle_;
    bool waiting_ = false;
    bool over_ = false;
};

}  // namespace futon::detail
