// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The one error type: what failed, whether the handler may have run, and words for a person.

#include <futon/core/bytes.hpp>
#include <futon/core/errc.hpp>
#include <futon/core/intrusive_ptr.hpp>
#include <futon/core/time.hpp>

#include <exception>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace futon {

/// Why a call, a future or a start-up failed.
///
/// A cheap value of three words. Text, place and a local exception live in a shared block that exists
/// only where there is something to say. Copies share it; the block is not changed once shared.
/// Thread-safety: distinct copies may be used from different threads.
class error {
public:
    error(errc code, executed ran = executed::maybe) noexcept : value_{static_cast<int>(code)}, ran_{ran} {}
    error(errc code, std::string message, executed ran = executed::maybe)
        : error{make_error_code(code), std::move(message), ran} {}
    error(std::error_code code, executed ran = executed::maybe) noexcept
        : category_{&code.category()}, value_{code.value()}, ran_{ran} {}
    error(std::error_code code, std::string message, executed ran = executed::maybe) : error{code, ran} {
        if (!message.empty()) own().message = std::move(message);
    }

    /// Wraps an exception: the error inside an `rpc_error`, the code of a `std::system_error`, else
    /// `remote_error` with the exception's text. `raise()` throws the original again.
    [[nodiscard]] static error from_exception(std::exception_ptr thrown, executed ran = executed::maybe);

    /// An `errc`, or the application's own code where a handler failed with one.
    [[nodiscard]] std::error_code code() const noexcept { return {value_, category_ ? *category_ : futon_category()}; }
    /// Whether the handler of the failed call could have run.
    [[nodiscard]] executed ran() const noexcept { return ran_; }
    /// Words for a person; never empty.
    [[nodiscard]] std::string message() const;
    /// Where it happened, e.g. "Greeter.greet at tcp://127.0.0.1:12200"; empty if that is not known.
    /// Valid until this copy is assigned or destroyed.
    [[nodiscard]] std::string_view where() const noexcept { return detail_ ? std::string_view{detail_->where} : ""; }
    /// How long the peer asks to wait before another try; zero means that it did not say.
    [[nodiscard]] duration retry_after() const noexcept { return detail_ ? detail_->retry_after : duration{}; }
    /// The type name of the exception that the remote handler threw, as the peer spelled it; may be empty.
    /// Valid until this copy is assigned or destroyed.
    [[nodiscard]] std::string_view remote_type() const noexcept {
        return detail_ ? std::string_view{detail_->remote_type} : "";
    }
    /// The exception that a local callable threw; null for every other error.
    [[nodiscard]] std::exception_ptr exception() const noexcept { return detail_ ? detail_->exception : nullptr; }

    /// The application's own error that came with it, made by `failure(E)`: on this side, or in a handler on another.
    /// Nothing if there is none, or one of another type. Defined by `service/failure.hpp`.
    template <class E>
    [[nodiscard]] std::optional<E> payload() const;
    /// The same as it travels: one msgpack value, of the type that `remote_type()` names. Valid as long as this copy.
    [[nodiscard]] bytes_view payload_bytes() const noexcept {
        return detail_ ? as_bytes(detail_->payload) : bytes_view{};
    }

    /// Whether the code belongs to the group.
    [[nodiscard]] bool is(cond group) const noexcept { return code() == make_error_condition(group); }
    /// Throws the original exception if a local callable threw it, else an `rpc_error`.
    [[noreturn]] void raise() const;

    /// A copy with one property changed.
    [[nodiscard]] error with_executed(executed ran) const;
    [[nodiscard]] error with_where(std::string where) const;
    [[nodiscard]] error with_retry_after(duration after) const;
    [[nodiscard]] error with_remote_type(std::string type) const;
    [[nodiscard]] error with_payload(bytes_view encoded) const;

    /// "where: code: message", for logs; each where there is one, and nothing twice.
    [[nodiscard]] std::string describe() const;

    /// Two errors are equal if their codes are.
    friend bool operator==(const error& a, const error& b) noexcept { return a.code() == b.code(); }
    friend bool operator==(const error& a, errc b) noexcept { return a.code() == make_error_code(b); }
    friend bool operator==(const error& a, std::error_code b) noexcept { return a.code() == b; }
    /// Prints what `describe()` says, e.g. into a log, or where a test that compares errors fails.
    template <class Traits>
    friend std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& out, const error& e) {
        return out << e.describe();
    }

private:
    struct block final : detail::ref_counted {
        std::string message;
        std::string where;
        std::string remote_type;
        std::string payload;
        std::exception_ptr exception;
        duration retry_after{};
    };

    // A block that only this copy refers to, so that it may be written.
    block& own();

    const std::error_category* category_ = nullptr;  // Null: futon's own.
    int value_;
    executed ran_;
    detail::intrusive_ptr<block> detail_;
};

namespace detail {

/// Its code; of an application's own, `remote_error`.
[[nodiscard]] inline errc errc_of(const error& why) noexcept {
    const auto code = why.code();
    return code.category() == futon_category() ? static_cast<errc>(code.value()) : errc::remote_error;
}

}  // namespace detail

/// What `get()` and `value()` throw. `what()` is what `error::describe()` says: "where: code: message".
class rpc_error : public std::system_error {
public:
    explicit rpc_error(error why)
        : std::system_error{why.code()},
          text_{std::make_shared<const std::string>(why.describe())},
          detail_{std::move(why)} {}
    [[nodiscard]] const char* what() const noexcept override { return text_->c_str(); }
    [[nodiscard]] const error& detail() const noexcept { return detail_; }

private:
    // Shared, since copies of exceptions must not throw; the base class would put the code last.
    std::shared_ptr<const std::string> text_;
    error detail_;
};

}  // namespace futon

#if !defined(FUTON_COMPILED)
#include <futon/core/detail/error_bodies.hpp>
#endif
