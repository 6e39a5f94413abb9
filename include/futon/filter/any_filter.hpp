// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Any filter of one side, for options: `.filters = {access_log{}, concurrency_limit{100}}`.

#include <futon/async/future.hpp>
#include <futon/async/task.hpp>
#include <futon/core/intrusive_ptr.hpp>
#include <futon/filter/filter.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace futon {

// For the overloads that take all else, so that a mistake is reported at the user's own line.
#define FUTON_DETAIL_NO_FILTER \
    "futon: this is no filter: it has none of before(call), starting(call) on servers, and after(call, outcome)"
#define FUTON_DETAIL_FILTER_PARAMETERS                                                                 \
    "futon: this filter cannot work on this side: its functions must take client_call& on a client, "  \
    "server_call& on a server, or filtered_call&; after() then call_outcome&; each may also take the " \
    "filter's per_call&, last"
#define FUTON_DETAIL_FILTER_RESULT                                                                           \
    "futon: before() of a filter must return nothing or a decision, or a result, future or task of either; " \
    "starting() nothing or a decision"

namespace detail {

/// What a filter says before a call goes on: at once, or later.
struct first_word {
    decision now;
    future<decision> later;  ///< Valid where it is not said yet.
};

/// A filter without its type. May throw what the filter throws.
template <class Call>
class filter_object : public ref_counted {
public:
    /// For its `per_call`, with the alignment of `std::max_align_t`.
    std::size_t kept_bytes = 0;
    bool has_starting = false;

    /// Makes the `per_call`, which `forget` destroys, and asks.
    virtual void before(Call& call, void* kept, first_word& word) = 0;
    virtual void starting(Call& call, void* kept, decision& word) = 0;
    virtual void after(Call& call, call_outcome& how, void* kept) = 0;
    virtual void forget(void* kept) noexcept = 0;
};

template <class Returned>
void take_word(first_word& word, const executor_ref& where, Returned&& said) {
    using unwrapped = flattening<std::remove_cvref_t<Returned>>;
    using value = typename unwrapped::value;
    if constexpr (unwrapped::kind == nesting::none) {
        word.now = std::forward<Returned>(said);
    } else if constexpr (unwrapped::kind == nesting::outcome) {
        if (!said) {
            word.now = std::forward<Returned>(said).error();
        } else if constexpr (!std::is_void_v<value>) {
            word.now = *std::forward<Returned>(said);
        }
    } else if constexpr (unwrapped::kind == nesting::coroutine) {
        take_word(word, where, unwrapped::start(where, std::forward<Returned>(said)));
    } else if (said.is_ready()) {
        take_word(word, where, std::move(said).get_result());
    } else if constexpr (std::is_same_v<value, decision>) {
        word.later = std::move(said);
    } else if constexpr (std::is_void_v<value>) {
        word.later = std::move(said).then(where, [] { return decision{}; });
    } else {
        word.later = std::move(said).then(where, [](value got) { return decision{std::move(got)}; });
    }
}

template <class F, class Call, class Holder>
class typed_filter final : public filter_object<Call> {
    using per_call = per_call_t<F>;
    static constexpr bool keeps = !std::is_same_v<per_call, nothing_per_call>;
    static_assert(alignof(per_call) <= alignof(std::max_align_t),
                  "futon: the per_call of this filter has a larger alignment than futon keeps");

public:
    explicit typed_filter(Holder held) : held_{std::move(held)} {
        if (keeps) this->kept_bytes = sizeof(per_call);
        this->has_starting = handles_starting<F, Call>;
    }

    void before(Call& call, void* kept, first_word& word) override {
        if constexpr (keeps) ::new (kept) per_call();
        try {
            if constexpr (has_before_with_state<F, Call>) {
                listen(word, call, [&]() -> decltype(auto) { return held_->before(call, its(kept)); });
            } else if constexpr (has_before<F, Call>) {
                listen(word, call, [&]() -> decltype(auto) { return held_->before(call); });
            }
        } catch (...) {
            forget(kept);
            throw;
        }
    }
    void starting([[maybe_unused]] Call& call, [[maybe_unused]] void* kept, [[maybe_unused]] decision& word) override {
        if constexpr (has_starting_with_state<F, Call>) {
            if constexpr (std::is_void_v<decltype(held_->starting(call, its(kept)))>) {
                held_->starting(call, its(kept));
            } else {
                word = held_->starting(call, its(kept));
            }
        } else if constexpr (has_starting<F, Call>) {
            if constexpr (std::is_void_v<decltype(held_->starting(call))>) {
                held_->starting(call);
            } else {
                word = held_->starting(call);
            }
        }
    }
    void after([[maybe_unused]] Call& call, [[maybe_unused]] call_outcome& how, [[maybe_unused]] void* kept) override {
        if constexpr (has_after_with_state<F, Call>) {
            held_->after(call, how, its(kept));
        } else if constexpr (has_after<F, Call>) {
            held_->after(call, how);
        }
    }
    void forget([[maybe_unused]] void* kept) noexcept override {
        if constexpr (keeps) its(kept).~per_call();
    }

private:
    static per_call& its(void* kept) noexcept { return *static_cast<per_call*>(kept); }
    template <class Ask>
    static void listen(first_word& word, Call& call, Ask&& ask) {
        using returned = decltype(ask());
        if constexpr (std::is_void_v<returned>) {
            ask();
        } else {
            take_word(word, call.executor(), ask());
        }
    }

    Holder held_;
};

// A filter inside the block that holds it, reached as through a pointer.
template <class F>
struct own_filter {
    F filter;
    F* operator->() noexcept { return &filter; }
};
template <class F>
struct lent_filter {
    F* filter;
    F* operator->() noexcept { return filter; }
};

/// The filter's own type, and what holds it, for each way to give one.
template <class Given>
struct given_filter {
    using type = Given;
    using holder = own_filter<Given>;
};
template <class F>
struct given_filter<std::shared_ptr<F>> {
    using type = F;
    using holder = std::shared_ptr<F>;
};
template <class F>
struct given_filter<std::reference_wrapper<F>> {
    using type = F;
    struct holder : lent_filter<F> {
        explicit holder(std::reference_wrapper<F> lent) noexcept : lent_filter<F>{&lent.get()} {}
    };
};

}  // namespace detail

/// A filter by value (moved in), by `std::shared_ptr`, e.g. to read what it counts, or
/// by `std::ref(x)` of one that outlives all calls. `Call` says on which side:
/// `client_call` or `server_call`. A null pointer throws `rpc_error`, `bad_arguments`.
///
/// Copies are cheap and are one filter: options that are used twice share its counters and limits.
template <class Call>
class any_filter {
    template <class Given>
    using filter_type = typename detail::given_filter<std::remove_cvref_t<Given>>::type;
    template <class Given>
    static constexpr bool is_given =
        std::is_class_v<std::remove_cvref_t<Given>> && !std::is_same_v<std::remove_cvref_t<Given>, any_filter>;

public:
    template <class Given>
        requires(is_given<Given> &&
                 detail::problem_of_filter<filter_type<Given>, Call>() == detail::filter_problem::none)
    any_filter(Given&& filter) {
        using holder = typename detail::given_filter<std::remove_cvref_t<Given>>::holder;
        if constexpr (std::is_same_v<holder, std::shared_ptr<filter_type<Given>>>)
            if (!filter) throw rpc_error{error{errc::bad_arguments, "a filter is a null pointer", executed::no}};
        object_ = detail::make_intrusive<detail::typed_filter<filter_type<Given>, Call, holder>>(
            holder{std::forward<Given>(filter)});
    }
    template <class Given>
        requires(is_given<Given> &&
                 detail::problem_of_filter<filter_type<Given>, Call>() == detail::filter_problem::no_functions)
    __attribute__((unavailable(FUTON_DETAIL_NO_FILTER))) any_filter(Given&& filter);
    template <class Given>
        requires(is_given<Given> &&
                 detail::problem_of_filter<filter_type<Given>, Call>() == detail::filter_problem::wrong_parameters)
    __attribute__((unavailable(FUTON_DETAIL_FILTER_PARAMETERS))) any_filter(Given&& filter);
    template <class Given>
        requires(is_given<Given> &&
                 detail::problem_of_filter<filter_type<Given>, Call>() == detail::filter_problem::wrong_result)
    __attribute__((unavailable(FUTON_DETAIL_FILTER_RESULT))) any_filter(Given&& filter);

    [[nodiscard]] detail::filter_object<Call>& object() const noexcept { return *object_; }

private:
    detail::intrusive_ptr<detail::filter_object<Call>> object_;
};

/// Outside in: the first sees a call first on its way out, and last on its way back.
using client_filters = std::vector<any_filter<client_call>>;
using server_filters = std::vector<any_filter<server_call>>;

}  // namespace futon
