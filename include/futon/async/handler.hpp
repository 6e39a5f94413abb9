// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The ending that hands a result to an Asio completion handler, or to a plain callable.

#include <futon/async/detail/thrown_by.hpp>
#include <futon/async/outcome.hpp>
#include <futon/core/asio.hpp>
#include <futon/core/context.hpp>
#include <futon/core/recycling.hpp>
#include <futon/core/target_of.hpp>

#include <asio/associated_allocator.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/dispatch.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace futon::detail {

/// What a handler is associated with where it says nothing.
struct unassociated {};

template <class Handler>
using handler_executor = typename asio::associated_executor<Handler, unassociated>::type;
template <class Handler>
inline constexpr bool has_executor = !std::is_same_v<handler_executor<Handler>, unassociated>;

// Counts as work on the handler's executor, so that its context does not run dry meanwhile.
template <class Handler>
struct handler_place {
    explicit handler_place(const Handler& handler)
        : guard{asio::associated_executor<Handler, unassociated>::get(handler, unassociated{})} {}
    asio::executor_work_guard<handler_executor<Handler>> guard;
};
template <class Handler>
    requires(!has_executor<Handler>)
struct handler_place<Handler> {
    explicit handler_place(const Handler&) noexcept {}
};

/// Whether `asio::dispatch` would run a handler here and now; false also where that is not known. To ask takes a
/// fraction of what it takes to dispatch through `asio::any_io_executor`, which coroutines have.
template <class Executor>
[[nodiscard]] bool dispatches_here(const Executor& where) noexcept {
    if constexpr (requires { where.target_type(); }) {
        const auto* const io = target_of<asio::io_context::executor_type>(where);
        return io && io->running_in_this_thread();
    } else {
        return false;
    }
}

/// Calls `handler(result<T>)` once, never inside the function that started the operation.
///
/// Runs on the handler's associated executor; without one, on `where()`. Lives in memory from its associated
/// allocator; without one, in a recycled block. Its cancellation slot, if connected, cancels the operation.
/// A plain callable whose executor refuses it is dropped, and the refusal reported as unseen.
template <class T, class Handler>
class handler_outcome final : public outcome<T> {
    using allocator_type =
        typename std::allocator_traits<typename asio::associated_allocator<Handler, block_allocator<void>>::type>::
            template rebind_alloc<handler_outcome>;
    // Memory of the user's is free again when the handler runs.
    static constexpr bool has_allocator =
        !std::is_same_v<typename asio::associated_allocator<Handler, block_allocator<void>>::type,
                        block_allocator<void>>;
    using slot_type = typename asio::associated_cancellation_slot<Handler>::type;

public:
    template <class H>
    static intrusive_ptr<handler_outcome> make(executor_ref where, H&& handler) {
        allocator_type memory{
            asio::associated_allocator<Handler, block_allocator<void>>::get(handler, block_allocator<void>{})};
        auto* block = std::allocator_traits<allocator_type>::allocate(memory, 1);
        try {
            ::new (static_cast<void*>(block)) handler_outcome(std::move(where), memory, std::forward<H>(handler));
        } catch (...) {
            std::allocator_traits<allocator_type>::deallocate(memory, block, 1);
            throw;
        }
        auto made = intrusive_ptr<handler_outcome>::adopt(block);
        made->connect_slot();
        return made;
    }

    bool complete(result<T> with) noexcept override {
        if (!this->claim()) return false;
        this->add_ref();
        pass_on(std::move(with));
        return true;
    }
    void conclude(result<T>&& with) noexcept override {
        if (this->claimed()) return this->release();
        this->claim_alone();
        if constexpr (!has_executor<Handler> && !has_allocator) {
            auto* const scope = this_thread().scope;
            if (scope && this->where_ && scope->inside(*this->where_) && scope->may_run_now())
                return run_now(std::move(with));
        }
        pass_on(std::move(with));
    }

    /// No future stands for it: only its slot could.
    bool can_be_cancelled() const noexcept override { return slot_.is_connected(); }

    /// For an operation that was not started after all.
    void abandon() noexcept {
        disconnect_slot();
        handler_.reset();
        result_.reset();
        place_.reset();
    }

protected:
    void deliver(bool accepted) noexcept override {
        auto self = intrusive_ptr<handler_outcome>::adopt(this);
        if constexpr (has_executor<Handler>) {
            send(std::move(self), accepted);
        } else {
            const auto where = std::move(this->where_);
            if (accepted) {
                try {
                    if constexpr (has_allocator) {
                        invoke(std::move(self));
                    } else {
                        invoke_here(*std::move(result_));
                    }
                } catch (...) {
                    report_unseen(where, thrown_by<Handler>(executed::maybe));
                }
            } else {
                report_unseen(where, error{where ? errc::executor_rejected : errc::no_executor});
            }
            // Here, whoever else still knows this.
            if (self) abandon();
        }
    }

private:
    handler_outcome(executor_ref where, const allocator_type& memory, Handler handler)
        : outcome<T>{std::move(where)},
          memory_{memory},
          context_{current_context()},
          place_{std::in_place, handler},
          handler_{std::in_place, std::move(handler)} {}

    // With a reference to this that goes to the queue.
    void pass_on(result<T>&& with) noexcept {
        result_.emplace(std::move(with));
        if constexpr (has_executor<Handler>) {
            // From elsewhere it goes straight to where the handler wants to be.
            if (!this->where_ || !inside(*this->where_))
                return send(intrusive_ptr<handler_outcome>::adopt(this), false);
        }
        schedule(static_cast<operation&>(*this));
    }

    // On its way through Asio; destroyed unrun if the handler's context ends first.
    class delivery {
    public:
        using allocator_type = block_allocator<void>;
        explicit delivery(intrusive_ptr<handler_outcome> what) noexcept : what_{std::move(what)} {}
        delivery(delivery&&) noexcept = default;
        delivery& operator=(delivery&&) = delete;
        ~delivery() {
            if (what_) what_->abandon();
        }
        [[nodiscard]] allocator_type get_allocator() const noexcept { return {}; }
        void operator()() {
            const auto place = std::move(what_->place_);
            try {
                invoke(std::move(what_));
            } catch (...) {
                // Out of the context's own run(), as with every handler of Asio; not through futon's code.
                asio::post(place->guard.get_executor(),
                           [thrown = std::current_exception()] { std::rethrow_exception(thrown); });
            }
        }

    private:
        intrusive_ptr<handler_outcome> what_;
    };

    static void send(intrusive_ptr<handler_outcome> self, bool may_run_here) noexcept {
        try {
            if (may_run_here && dispatches_here(self->place_->guard.get_executor())) return delivery{std::move(self)}();
            // Counts as work until posting has returned: the handler may end its context's run(), and then the context.
            const auto place = *self->place_;
            const auto where = place.guard.get_executor();
            if (may_run_here) {
                asio::dispatch(where, delivery{std::move(self)});
            } else {
                asio::post(where, delivery{std::move(self)});
            }
        } catch (...) {
            // Out of memory: the delivery was destroyed, and the handler with it.
        }
    }

    // Without a way through the queue, for which the result would have to be kept. Takes over a reference to this.
    void run_now(result<T>&& with) noexcept {
        const auto self = intrusive_ptr<handler_outcome>::adopt(this);
        const auto where = std::move(this->where_);
        try {
            invoke_here(std::move(with));
        } catch (...) {
            report_unseen(where, thrown_by<Handler>(executed::maybe));
        }
        abandon();
    }
    // A callable: it and its result stay where they are.
    void invoke_here(result<T>&& with) {
        disconnect_slot();
        const context_scope scope{context_.get()};
        Handler& handler = *handler_;
        std::move(handler)(std::move(with));
    }
    // As Asio has it: frees the block before the handler runs, so that what the handler starts can have it.
    static void invoke(intrusive_ptr<handler_outcome> self) {
        self->disconnect_slot();
        auto handler = std::move(*self->handler_);
        auto with = std::move(*self->result_);
        const auto circumstances = std::move(self->context_);
        self->handler_.reset();
        self->result_.reset();
        self = nullptr;
        const context_scope scope{circumstances.get()};
        std::move(handler)(std::move(with));
    }

    struct slot_handler {
        intrusive_ptr<outcome<T>> target;
        void operator()(asio::cancellation_type_t) const noexcept { target->cancel(); }
    };
    void connect_slot() {
        slot_ = asio::associated_cancellation_slot<Handler>::get(*handler_);
        if (slot_.is_connected()) slot_.assign(slot_handler{intrusive_ptr<outcome<T>>{this}});
    }
    void disconnect_slot() noexcept {
        if (slot_.is_connected()) slot_.clear();
        slot_ = slot_type{};
    }

    void destroy() noexcept override {
        allocator_type memory{memory_};
        std::destroy_at(this);
        std::allocator_traits<allocator_type>::deallocate(memory, this, 1);
    }

    [[no_unique_address]] allocator_type memory_;
    context_ptr context_;
    [[no_unique_address]] slot_type slot_;
    std::optional<handler_place<Handler>> place_;
    std::optional<Handler> handler_;
    std::optional<result<T>> result_;
};

}  // namespace futon::detail
