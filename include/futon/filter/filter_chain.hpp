// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The filters that one kind of call passes, and how far a call has come among them.

#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/recycling.hpp>
#include <futon/filter/any_filter.hpp>

#include <cstddef>
#include <exception>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

namespace futon::detail {

/// Outside in. Made once, then shared by all its calls.
template <class Call>
class filter_chain final : public ref_counted {
public:
    struct place {
        any_filter<Call> filter;
        std::size_t offset;  ///< Of its `per_call`.
    };

    /// Of several lists one after another; null where all are empty, so that calls can tell by one comparison.
    [[nodiscard]] static intrusive_ptr<const filter_chain> make(
        std::initializer_list<const std::vector<any_filter<Call>>*> lists) {
        intrusive_ptr<filter_chain> made;
        for (const auto* const list : lists) {
            for (const auto& each : *list) {
                if (!made) made = make_intrusive<filter_chain>();
                made->places_.push_back({each, made->kept_bytes_});
                constexpr auto unit = alignof(std::max_align_t);
                made->kept_bytes_ += (each.object().kept_bytes + unit - 1) / unit * unit;
                made->has_starting_ = made->has_starting_ || each.object().has_starting;
            }
        }
        return made;
    }

    [[nodiscard]] std::size_t size() const noexcept { return places_.size(); }
    [[nodiscard]] const place& operator[](std::size_t i) const noexcept { return places_[i]; }
    [[nodiscard]] std::size_t kept_bytes() const noexcept { return kept_bytes_; }
    [[nodiscard]] bool has_starting() const noexcept { return has_starting_; }

private:
    std::vector<place> places_;
    std::size_t kept_bytes_ = 0;
    bool has_starting_ = false;
};

/// The error for what was just caught; never throws.
[[nodiscard]] inline error caught_in_filter(executed ran) noexcept {
    try {
        return error::from_exception(std::current_exception(), ran).with_executed(ran);
    } catch (...) {
        return error{errc::resource_exhausted, ran};
    }
}

/// One call on its way through a chain: out as far as filters let it, and back through those that did.
///
/// One thread at a time. Whoever makes one sees that `come_back` is called once.
template <class Call>
class passage {
public:
    /// May throw `std::bad_alloc`.
    explicit passage(intrusive_ptr<const filter_chain<Call>> through)
        : chain_{std::move(through)},
          kept_{chain_->kept_bytes() ? static_cast<std::byte*>(allocate_block(chain_->kept_bytes())) : nullptr} {}
    passage(const passage&) = delete;
    passage& operator=(const passage&) = delete;
    ~passage() {
        while (passed_ > 0) forget(--passed_);
        free_block(kept_, chain_->kept_bytes());
    }

    /// Asks the next filters until one does not let the call go on, or has to wait; that its word is then given to
    /// `heard`. True once all have let it go on.
    [[nodiscard]] bool go_on(Call& call, first_word& word) noexcept {
        while (passed_ < chain_->size()) {
            auto& filter = (*chain_)[passed_].filter.object();
            try {
                filter.before(call, kept(passed_), word);
            } catch (...) {
                word.now = caught_in_filter(executed::no);
                return false;
            }
            ++passed_;
            if (word.later.valid()) return false;
            if (!heard(word.now)) return false;
        }
        return true;
    }
    /// What the filter that was asked last has said; false if it does not let the call go on: it is then none of those
    /// that the call comes back through.
    [[nodiscard]] bool heard(const decision& said) noexcept {
        if (said.goes_on()) return true;
        forget(--passed_);
        return false;
    }

    /// The handler is about to run: an error, or a value, instead.
    [[nodiscard]] decision start(Call& call) noexcept {
        decision said;
        if (!chain_->has_starting()) return said;
        for (std::size_t i = 0; i < chain_->size() && said.goes_on(); ++i) {
            try {
                (*chain_)[i].filter.object().starting(call, kept(i), said);
            } catch (...) {
                said = caught_in_filter(executed::no);
            }
        }
        return said;
    }

    /// The call is over: the filters that it passed see that, the innermost first.
    void come_back(Call& call, call_outcome& how) noexcept {
        while (passed_ > 0) {
            const auto i = passed_ - 1;
            try {
                (*chain_)[i].filter.object().after(call, how, kept(i));
            } catch (...) {
                how.fail(caught_in_filter(how.failure() ? how.failure()->ran() : executed::yes));
            }
            forget(i);
            passed_ = i;
        }
    }

private:
    [[nodiscard]] void* kept(std::size_t i) const noexcept { return kept_ + (*chain_)[i].offset; }
    void forget(std::size_t i) noexcept { (*chain_)[i].filter.object().forget(kept(i)); }

    const intrusive_ptr<const filter_chain<Call>> chain_;
    std::byte* const kept_;
    std::size_t passed_ = 0;
};

}  // namespace futon::detail
