// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A value or an `error`, with the surface of `std::expected`.

#include <futon/core/error.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace futon {

template <class T>
class result;

/// Marks an error on its way into a `result`, as `std::unexpected` does.
class unexpected {
public:
    explicit unexpected(futon::error why) : why_{std::move(why)} {}
    explicit unexpected(errc code) : why_{code} {}
    [[nodiscard]] const futon::error& error() const& noexcept { return why_; }
    [[nodiscard]] futon::error&& error() && noexcept { return std::move(why_); }

private:
    futon::error why_;
};

namespace detail {
template <class T>
inline constexpr bool is_result = false;
template <class T>
inline constexpr bool is_result<result<T>> = true;

/// What `result::error()` says of a success, e.g. in a log line that prints both.
[[nodiscard]] inline const error& no_error() noexcept {
    static const error nothing{std::error_code{}, executed::yes};
    return nothing;
}
}  // namespace detail

// Where g++ optimises, it sees the half of the union that was not made being read or destroyed, and not that has_value_
// forbids it.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

/// The outcome of something that can fail: a `T`, or why there is none.
///
/// Made from a value, from an `error` or from an `errc`. Move-only values are welcome.
/// Errors: `value()` throws what `error::raise` throws; `*` and `->` on an error are undefined. `error()` of a value is
/// defined, other than in `std::expected`: an error with the empty code, which equals no `errc` and is in no group.
template <class T>
class [[nodiscard]] result {
    static_assert(!std::is_reference_v<T>, "futon::result holds values: use a pointer or std::reference_wrapper");

public:
    using value_type = T;
    using error_type = futon::error;

    result()
        requires std::is_default_constructible_v<T>
        : value_(), has_value_{true} {}
    template <class U = T>
        requires(std::is_constructible_v<T, U> && !detail::is_result<std::remove_cvref_t<U>> &&
                 !std::is_same_v<std::remove_cvref_t<U>, unexpected> &&
                 (std::is_same_v<T, futon::error> ||
                  (!std::is_same_v<std::remove_cvref_t<U>, futon::error> &&
                   (std::is_same_v<T, errc> || !std::is_same_v<std::remove_cvref_t<U>, errc>))))
    explicit(!std::is_convertible_v<U, T>) result(U&& value) : value_(std::forward<U>(value)), has_value_{true} {}
    template <class... Args>
        requires std::is_constructible_v<T, Args...>
    explicit result(std::in_place_t, Args&&... args) : value_(std::forward<Args>(args)...), has_value_{true} {}
    result(unexpected why) noexcept : why_{std::move(why).error()}, has_value_{false} {}
    result(futon::error why) noexcept
        requires(!std::is_same_v<T, futon::error>)
        : why_{std::move(why)}, has_value_{false} {}
    result(errc code) noexcept
        requires(!std::is_same_v<T, errc>)
        : why_{code}, has_value_{false} {}

    result(const result& other)
        requires std::is_copy_constructible_v<T>
        : has_value_{other.has_value_} {
        if (has_value_) {
            std::construct_at(std::addressof(value_), other.value_);
        } else {
            std::construct_at(std::addressof(why_), other.why_);
        }
    }
    result(result&& other) noexcept(std::is_nothrow_move_constructible_v<T>)
        requires std::is_move_constructible_v<T>
        : has_value_{other.has_value_} {
        if (has_value_) {
            std::construct_at(std::addressof(value_), std::move(other.value_));
        } else {
            std::construct_at(std::addressof(why_), std::move(other.why_));
        }
    }
    result& operator=(const result& other)
        requires std::is_copy_constructible_v<T>
    {
        if (this != &other) *this = result{other};
        return *this;
    }
    /// Where the value's move throws, this is the error `internal` afterwards.
    result& operator=(result&& other) noexcept(std::is_nothrow_move_constructible_v<T>)
        requires std::is_move_constructible_v<T>
    {
        if (this == &other) return *this;
        if (!other.has_value_) {
            become(std::move(other.why_));
        } else if constexpr (std::is_nothrow_move_constructible_v<T>) {
            destroy();
            std::construct_at(std::addressof(value_), std::move(other.value_));
            has_value_ = true;
        } else {
            become(futon::error{errc::internal});
            T moved{std::move(other.value_)};
            std::destroy_at(std::addressof(why_));
            try {
                std::construct_at(std::addressof(value_), std::move(moved));
            } catch (...) {
                std::construct_at(std::addressof(why_), errc::internal);
                throw;
            }
            has_value_ = true;
        }
        return *this;
    }
    ~result() { destroy(); }

    [[nodiscard]] bool has_value() const noexcept { return has_value_; }
    explicit operator bool() const noexcept { return has_value(); }

    [[nodiscard]] T& operator*() & noexcept { return value_; }
    [[nodiscard]] const T& operator*() const& noexcept { return value_; }
    [[nodiscard]] T&& operator*() && noexcept { return std::move(value_); }
    [[nodiscard]] T* operator->() noexcept { return std::addressof(value_); }
    [[nodiscard]] const T* operator->() const noexcept { return std::addressof(value_); }

    [[nodiscard]] T& value() & {
        require_value();
        return **this;
    }
    [[nodiscard]] const T& value() const& {
        require_value();
        return **this;
    }
    [[nodiscard]] T&& value() && {
        require_value();
        return *std::move(*this);
    }
    template <class U>
    [[nodiscard]] T value_or(U&& other) const& {
        return has_value() ? **this : static_cast<T>(std::forward<U>(other));
    }
    template <class U>
    [[nodiscard]] T value_or(U&& other) && {
        return has_value() ? *std::move(*this) : static_cast<T>(std::forward<U>(other));
    }

    [[nodiscard]] const futon::error& error() const& noexcept { return has_value_ ? detail::no_error() : why_; }
    [[nodiscard]] futon::error error() && noexcept {
        if (has_value_) return detail::no_error();
        return std::move(why_);
    }

    template <class F>
    auto and_then(F&& f) && -> std::invoke_result_t<F, T> {
        if (!has_value()) return std::move(*this).error();
        return std::invoke(std::forward<F>(f), *std::move(*this));
    }
    template <class F>
    auto transform(F&& f) && -> result<std::invoke_result_t<F, T>> {
        if (!has_value()) return std::move(*this).error();
        if constexpr (std::is_void_v<std::invoke_result_t<F, T>>) {
            std::invoke(std::forward<F>(f), *std::move(*this));
            return {};
        } else {
            return std::invoke(std::forward<F>(f), *std::move(*this));
        }
    }
    template <class F>
    result or_else(F&& f) && {
        if (has_value()) return std::move(*this);
        return std::invoke(std::forward<F>(f), std::move(*this).error());
    }
    template <class F>
    result transform_error(F&& f) && {
        if (has_value()) return std::move(*this);
        return futon::error{std::invoke(std::forward<F>(f), std::move(*this).error())};
    }

    friend bool operator==(const result& a, const result& b)
        requires requires(const T& v) { v == v; }
    {
        if (a.has_value() != b.has_value()) return false;
        return a.has_value() ? *a == *b : a.error() == b.error();
    }

private:
    void require_value() const {
        if (!has_value()) error().raise();
    }
    void destroy() noexcept {
        if (has_value_) {
            std::destroy_at(std::addressof(value_));
        } else {
            std::destroy_at(std::addressof(why_));
        }
    }
    void become(futon::error why) noexcept {
        destroy();
        std::construct_at(std::addressof(why_), std::move(why));
        has_value_ = false;
    }

    // A std::variant<T, error> costs more than all of a small value, both to run and to compile.
    union {
        T value_;
        futon::error why_;
    };
    bool has_value_;
};

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

/// Success without a value, or why not.
template <>
class [[nodiscard]] result<void> {
public:
    using value_type = void;
    using error_type = futon::error;

    result() = default;
    result(unexpected why) : why_{std::move(why).error()} {}
    result(futon::error why) : why_{std::move(why)} {}
    result(errc code) : why_{futon::error{code}} {}

    [[nodiscard]] bool has_value() const noexcept { return !why_; }
    explicit operator bool() const noexcept { return has_value(); }
    void operator*() const noexcept {}
    void value() const {
        if (!has_value()) error().raise();
    }
    [[nodiscard]] const futon::error& error() const& noexcept { return why_ ? *why_ : detail::no_error(); }
    [[nodiscard]] futon::error error() && noexcept {
        if (!why_) return detail::no_error();
        return *std::move(why_);
    }

    template <class F>
    auto and_then(F&& f) && -> std::invoke_result_t<F> {
        if (!has_value()) return std::move(*this).error();
        return std::invoke(std::forward<F>(f));
    }
    template <class F>
    auto transform(F&& f) && -> result<std::invoke_result_t<F>> {
        if (!has_value()) return std::move(*this).error();
        if constexpr (std::is_void_v<std::invoke_result_t<F>>) {
            std::invoke(std::forward<F>(f));
            return {};
        } else {
            return std::invoke(std::forward<F>(f));
        }
    }
    template <class F>
    result or_else(F&& f) && {
        if (has_value()) return std::move(*this);
        return std::invoke(std::forward<F>(f), std::move(*this).error());
    }
    template <class F>
    result transform_error(F&& f) && {
        if (has_value()) return std::move(*this);
        return futon::error{std::invoke(std::forward<F>(f), std::move(*this).error())};
    }

    friend bool operator==(const result& a, const result& b) {
        if (a.has_value() != b.has_value()) return false;
        return a.has_value() || a.error() == b.error();
    }

private:
    std::optional<futon::error> why_;
};

}  // namespace futon
