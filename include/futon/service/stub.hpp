// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The typed face of a remote service: one member function per method of the contract.

#include <futon/core/time.hpp>
#include <futon/service/description.hpp>
#include <futon/service/stub_core.hpp>

#include <chrono>
#include <concepts>
#include <source_location>
#include <utility>

namespace futon {

struct call_options;
template <class Contract>
class stub;

namespace detail {

/// The core with these options laid over its own.
template <class Contract>
stub_core with_options(const stub_core& core, const call_options& options, const std::source_location& where);
/// The same with only a timeout.
template <class Contract>
stub_core with_timeout(const stub_core& core, duration timeout, const std::source_location& where);

/// The way from a method's members, and from the client, to what a stub holds.
struct stub_access {
    template <class Method, class Members>
    static const stub_core& core(const Members* members) noexcept {
        return static_cast<const stub<typename Method::contract>*>(members)->core_;
    }
};

template <class Methods>
struct stub_members;
template <class None, class... Methods>
struct stub_members<method_list<None, Methods...>>
    : Methods::template futon_members<typename method_traits<Methods>::signature>... {};

// So that a stub of something else is one error, not a hundred.
template <class Contract>
struct methods_or_none {
    using type = method_list<void>;
};
template <contract Contract>
struct methods_or_none<Contract> {
    using type = methods_of<Contract>;
};

}  // namespace detail

/// Calls the methods of `Contract` on whoever offers them. Get one from `client::stub<Contract>()`.
///
/// For each method `R m(A...)` there are `m(A...)`, which returns a `future<R>`, and `m(A..., token)`, which
/// ends as the token says. Default arguments of the contract do not reach the stub.
///
/// Thread-safety: safe.
/// Lifetime: a cheap value. It does not keep its client open: later calls fail with `errc::client_closed`.
template <class Contract>
class stub : public detail::stub_members<typename detail::methods_or_none<Contract>::type> {
    static_assert(detail::is_contract<Contract>, FUTON_DETAIL_NO_CONTRACT);

public:
    stub() = default;
    explicit stub(detail::stub_core core) noexcept : core_{std::move(core)} {}

    /// The same service with other options for the calls made through the returned stub.
    /// `where` is shown for calls that are under way; see `client::pending_calls`.
    [[nodiscard]] stub with(const call_options& options,
                            const std::source_location& where = std::source_location::current()) const {
        return stub{detail::with_options<Contract>(core_, options, where)};
    }
    /// `with(50ms)` is `with({.timeout = 50ms})`, and may stand in a `co_await` expression that g++ 12 compiles, where
    /// a struct in braces may not.
    template <class Rep, class Period>
        requires std::convertible_to<std::chrono::duration<Rep, Period>, duration>
    [[nodiscard]] stub with(std::chrono::duration<Rep, Period> timeout,
                            const std::source_location& where = std::source_location::current()) const {
        return stub{detail::with_timeout<Contract>(core_, timeout, where)};
    }

private:
    friend detail::stub_access;
    detail::stub_core core_;
};

}  // namespace futon
