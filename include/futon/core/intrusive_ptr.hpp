// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A counted pointer to an object that carries its own count: one word, no control block.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace futon::detail {

/// Base of objects held by `intrusive_ptr`. The count is safe to change from any thread.
class ref_counted {
public:
    ref_counted() = default;
    ref_counted(const ref_counted&) = delete;
    ref_counted& operator=(const ref_counted&) = delete;

    void add_ref() const noexcept { refs_.fetch_add(1, std::memory_order_relaxed); }
    /// The same, for an object that nobody else can know yet.
    void add_ref_unshared() const noexcept {
        refs_.store(refs_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
    void release() const noexcept {
        // Who holds the only reference needs no atomic subtraction: nobody else can make another.
        if (unique() || refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) const_cast<ref_counted*>(this)->destroy();
    }
    [[nodiscard]] bool unique() const noexcept { return refs_.load(std::memory_order_acquire) == 1; }

protected:
    virtual ~ref_counted() = default;
    /// Called once, when the last reference is gone.
    virtual void destroy() noexcept { delete this; }

private:
    mutable std::atomic<std::uint32_t> refs_{1};
};

/// Takes the initial reference of a new object with `adopt`, another one with the plain constructor.
///
/// Moves without std::exchange and std::swap: there are a hundred kinds of these, and each would compile those anew.
template <class T>
class intrusive_ptr {
public:
    intrusive_ptr() = default;
    intrusive_ptr(std::nullptr_t) noexcept {}
    explicit intrusive_ptr(T* object) noexcept : object_{object} {
        if (object_) object_->add_ref();
    }
    static intrusive_ptr adopt(T* object) noexcept {
        intrusive_ptr taken;
        taken.object_ = object;
        return taken;
    }
    intrusive_ptr(const intrusive_ptr& other) noexcept : intrusive_ptr{other.object_} {}
    intrusive_ptr(intrusive_ptr&& other) noexcept : object_{other.detach()} {}
    template <class U>
        requires std::is_convertible_v<U*, T*>
    intrusive_ptr(intrusive_ptr<U> other) noexcept : object_{other.detach()} {}
    intrusive_ptr& operator=(intrusive_ptr other) noexcept {
        T* const old = object_;
        object_ = other.object_;
        other.object_ = old;
        return *this;
    }
    ~intrusive_ptr() {
        if (object_) object_->release();
    }

    /// A copy, while nobody else can know the object yet.
    [[nodiscard]] intrusive_ptr share_unshared() const noexcept {
        object_->add_ref_unshared();
        return adopt(object_);
    }
    /// Gives the reference away without releasing it.
    [[nodiscard]] T* detach() noexcept {
        T* const given = object_;
        object_ = nullptr;
        return given;
    }
    [[nodiscard]] T* get() const noexcept { return object_; }
    T& operator*() const noexcept { return *object_; }
    T* operator->() const noexcept { return object_; }
    explicit operator bool() const noexcept { return object_ != nullptr; }
    friend bool operator==(const intrusive_ptr& a, const intrusive_ptr& b) noexcept = default;

private:
    T* object_ = nullptr;
};

template <class T, class... Args>
[[nodiscard]] intrusive_ptr<T> make_intrusive(Args&&... args) {
    return intrusive_ptr<T>::adopt(new T(std::forward<Args>(args)...));
}

}  // namespace futon::detail
