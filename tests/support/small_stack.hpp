// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Runs a test's body where deep recursion cannot go unnoticed.

#include <pthread.h>

#include <cstddef>
#include <exception>
#include <stdexcept>
#include <type_traits>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TESTS_INSTRUMENTED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TESTS_INSTRUMENTED 1
#endif
#endif
#ifndef TESTS_INSTRUMENTED
#define TESTS_INSTRUMENTED 0
#endif

namespace tests {

inline constexpr bool is_instrumented = TESTS_INSTRUMENTED;

/// Deep enough to overflow the small stack with the thinnest of frames; a tenth where everything is slow.
inline constexpr int deep = is_instrumented ? 100'000 : 1'000'000;

/// Calls `f` on a thread with a stack of 256 KiB, and rethrows what it throws.
template <class F>
void on_small_stack(F&& f) {
    struct start {
        std::remove_reference_t<F>* body;
        std::exception_ptr thrown;
    } shared{&f, nullptr};
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, std::size_t{256} << 10);
    pthread_t thread{};
    const auto run = [](void* raw) -> void* {
        auto& call = *static_cast<start*>(raw);
        try {
            (*call.body)();
        } catch (...) {
            call.thrown = std::current_exception();
        }
        return nullptr;
    };
    const int failed = pthread_create(&thread, &attributes, run, &shared);
    pthread_attr_destroy(&attributes);
    if (failed != 0) throw std::runtime_error{"no thread"};
    pthread_join(thread, nullptr);
    if (shared.thrown) std::rethrow_exception(shared.thrown);
}

}  // namespace tests
