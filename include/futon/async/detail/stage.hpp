// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// One link of a chain: a callable together with the state that its result goes into.

#include <futon/async/detail/thrown_by.hpp>
#include <futon/async/outcome.hpp>
#include <futon/core/context.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/error.hpp>
#include <futon/core/executor.hpp>

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace futon::detail {

/// The error of a stage whose callable should have run and could not.
[[nodiscard]] inline error refused_by(const executor_ref& where, const error* before) {
    const auto code = where ? errc::executor_rejected : errc::no_executor;
    if (!before) return error{code, executed::yes};
    return error{code, make_error_code(code).message() + "; before that: " + before->describe(), before->ran()};
}

/// What a coroutine that a stage's callable returned may refer to.
template <class T, class Step>
struct stage_input {};
template <class T, class Step>
    requires(requires { requires Step::keeps_input; })
struct stage_input<T, Step> {
    std::optional<result<T>> kept;
};

/// Waits for a `T`, runs `Step` in its executor under the context of whoever attached it, yields a `U`.
template <class T, class U, class Step>
class stage final : public future_state<U> {
public:
    stage(executor_ref where, Step step)
        : future_state<U>{std::move(where)}, context_{current_context()}, step_{std::move(step)} {}

    void begin(intrusive_ptr<future_state<T>> source) noexcept {
        auto& awaited = *source;
        this->add_ref_unshared();
        this->attach_source_unshared(std::move(source));
        awaited.attach(*this, told::scheduled);
    }

    // Only what the callable began completes this, and then this itself: a cancel does not.
    bool complete(result<U> with) noexcept override {
        if (this->claimed()) return false;
        this->claim_alone();
        context_ = nullptr;
        step_.reset();
        if constexpr (keeps_input) input_.kept.reset();
        this->publish(std::move(with));
        return true;
    }

    // What a coroutine that the callable returned may use lives here: the follower must not go over to the coroutine.
    void follow(intrusive_ptr<future_state<U>> inner) noexcept override {
        if (step_) return outcome<U>::follow(std::move(inner));
        future_state<U>::follow(std::move(inner));
    }

    /// The callable is not needed any more. Called from within it, as its last act.
    void callable_done() noexcept { step_.reset(); }

protected:
    void deliver(bool accepted) noexcept override {
        const auto keep = intrusive_ptr<stage>::adopt(this);
        bool cancelled = false;
        auto in = take_input(cancelled);
        // A cancel that came when the source was done already: start nothing new.
        if (in && cancelled) in = unexpected{error{errc::cancelled, executed::yes}};
        bool wanted = false;
        std::optional<error> thrown;
        try {
            wanted = step_->wants(in);
        } catch (...) {
            // A filter of the user's.
            thrown = thrown_by_step<Step>(in ? executed::yes : in.error().ran());
        }
        if (thrown) {
            complete(unexpected{*std::move(thrown)});
        } else if (!wanted) {
            complete(Step::template pass<U>(std::move(in)));
        } else if (accepted) {
            call(std::move(in));
        } else {
            complete(unexpected{refused_by(this->where_, in ? nullptr : &in.error())});
        }
    }
    // The callable waits for its turn or runs; `deliver` and `follow` look at the request.
    void give_up() noexcept override {}

private:
    static constexpr bool keeps_input = !std::is_empty_v<stage_input<T, Step>>;

    result<T> take_input(bool& cancelled) noexcept {
        const auto source = this->release_source(cancelled);
        return static_cast<future_state<T>&>(*source).take();
    }

    void call(result<T>&& in) noexcept {
        const auto ran = in ? executed::yes : in.error().ran();
        // Let go of afterwards: the request may hold what cancels this stage.
        const auto context = std::move(context_);
        const context_scope scope{context.get()};
        std::optional<error> thrown;
        try {
            if constexpr (keeps_input) {
                step_->run(*this, std::move(input_.kept.emplace(std::move(in))));
            } else {
                step_->run(*this, std::move(in));
            }
        } catch (...) {
            thrown = thrown_by_step<Step>(ran);
        }
        if (thrown) complete(unexpected{*std::move(thrown)});
    }

    context_ptr context_;
    std::optional<Step> step_;
    [[no_unique_address]] stage_input<T, Step> input_;
};

}  // namespace futon::detail
