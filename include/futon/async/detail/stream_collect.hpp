// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Gathers what a stream yields.

#include <futon/async/outcome.hpp>
#include <futon/async/stream_source.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/error.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/intrusive_ptr.hpp>

#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace futon::detail {

/// Runs no user code, so it goes on wherever an item comes from.
template <class T, class R>
class collect_state final : public future_state<std::vector<T>> {
public:
    collect_state(executor_ref where, intrusive_ptr<stream_core<T, R>> from, std::size_t at_most)
        : future_state<std::vector<T>>{std::move(where)}, from_{std::move(from)}, at_most_{at_most} {}

    void begin() noexcept {
        this->add_ref();
        this->run(true);
    }
    void cancel_step(cancel_walk& walk) noexcept override {
        if (!this->claimed()) walk.visit(from_);
    }

protected:
    void deliver(bool) noexcept override {
        const auto keep = intrusive_ptr<collect_state>::adopt(this);
        std::optional<error> thrown;
        try {
            for (;;) {
                if (!awaited_) {
                    awaited_ = state_of(from_->next(this->where_));
                    if (!awaited_->is_ready()) return suspend();
                }
                auto got = std::exchange(awaited_, nullptr)->take();
                if (!got) return end(unexpected{std::move(got).error()});
                if (!*got) return end(std::move(items_));
                if (items_.size() == at_most_) return end(unexpected{too_many()});
                items_.push_back(**std::move(got));
            }
        } catch (...) {
            thrown = error::from_exception(std::current_exception(), executed::yes);
        }
        if (thrown) end(unexpected{*std::move(thrown)});
    }

private:
    // Goes on elsewhere, perhaps before this returns.
    void suspend() noexcept {
        this->add_ref();
        awaited_->attach(*this, told::at_once);
    }
    void end(result<std::vector<T>> with) noexcept {
        if (!with) from_->abort(with.error());
        this->complete(std::move(with));
    }
    error too_many() const {
        return {errc::resource_exhausted, "the stream has more than " + std::to_string(at_most_) + " items",
                executed::yes};
    }

    const intrusive_ptr<stream_core<T, R>> from_;
    const std::size_t at_most_;
    std::vector<T> items_;
    intrusive_ptr<future_state<std::optional<T>>> awaited_;
};

}  // namespace futon::detail
