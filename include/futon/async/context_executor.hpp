// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A futon executor in the form that Asio knows.

#include <futon/core/asio.hpp>
#include <futon/core/context.hpp>
#include <futon/core/executor.hpp>
#include <futon/core/operation.hpp>
#include <futon/core/recycling.hpp>

#include <asio/execution/blocking.hpp>
#include <asio/execution/context.hpp>
#include <asio/execution_context.hpp>

#include <exception>
#include <type_traits>
#include <utility>

namespace futon::detail {

template <class F>
class executed_function final : public work, public recycled {
public:
    executed_function(F f, executor_ref where, context_ptr context)
        : f_{std::move(f)}, where_{std::move(where)}, context_{std::move(context)} {}
    void run(bool accepted) noexcept override {
        // Asio's functions free their memory before they call on; so does this.
        auto f = std::move(f_);
        const auto where = std::move(where_);
        const auto context = std::move(context_);
        delete this;
        if (!accepted) return;
        const context_scope scope{context.get()};
        try {
            std::move(f)();
        } catch (...) {
            report_unseen(where, error::from_exception(std::current_exception()));
        }
    }

private:
    F f_;
    executor_ref where_;
    context_ptr context_;
};

/// A futon executor in the form that Asio knows; what it runs sees the given context.
///
/// Refused functions are destroyed unrun, as by an Asio context that ends.
class context_executor {
public:
    context_executor(executor_ref where, context_ptr context) noexcept
        : where_{std::move(where)}, context_{std::move(context)} {}

    template <class F>
    void execute(F&& f) const {
        if (may_run_here_ && inside(*where_)) {
            const context_scope scope{context_.get()};
            std::decay_t<F> own{std::forward<F>(f)};
            std::move(own)();
            return;
        }
        auto* item = new executed_function<std::decay_t<F>>{std::forward<F>(f), where_, context_};
        const auto keep = where_;
        if (!keep->post(*item)) refuse(*item);
    }
    [[nodiscard]] asio::execution_context& query(asio::execution::context_t) const noexcept {
        return *static_cast<asio::execution_context*>(where_->asio_context());
    }
    [[nodiscard]] asio::execution::blocking_t query(asio::execution::blocking_t) const noexcept {
        return may_run_here_ ? asio::execution::blocking_t{asio::execution::blocking.possibly}
                             : asio::execution::blocking_t{asio::execution::blocking.never};
    }
    [[nodiscard]] context_executor require(asio::execution::blocking_t::possibly_t) const noexcept {
        return with(true);
    }
    [[nodiscard]] context_executor require(asio::execution::blocking_t::never_t) const noexcept { return with(false); }
    friend bool operator==(const context_executor& a, const context_executor& b) noexcept {
        return a.where_ == b.where_ && a.context_ == b.context_ && a.may_run_here_ == b.may_run_here_;
    }

private:
    [[nodiscard]] context_executor with(bool may_run_here) const noexcept {
        context_executor copy{*this};
        copy.may_run_here_ = may_run_here;
        return copy;
    }

    executor_ref where_;
    context_ptr context_;
    bool may_run_here_ = true;
};

}  // namespace futon::detail
