// SPDX-License-Identifier: Apache-2.0
#include "counters.hpp"

#include <dlfcn.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdarg>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

void* allocate(std::size_t size, std::size_t alignment) noexcept {
    if (auto* const here = benchmark::counted) {
        here->allocations.fetch_add(1, std::memory_order_relaxed);
        here->allocated_bytes.fetch_add(size, std::memory_order_relaxed);
    }
    if (alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__) return std::malloc(size ? size : 1);
    return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}
void* allocate_or_throw(std::size_t size, std::size_t alignment) {
    if (auto* const made = allocate(size, alignment)) return made;
    throw std::bad_alloc{};
}

void count_system_call() noexcept {
    if (auto* const here = benchmark::counted) here->system_calls.fetch_add(1, std::memory_order_relaxed);
}

/// The C library's function of a name that this program defines as well.
template <class Function>
Function* library(const char* name) noexcept {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

// NOLINTBEGIN: replacements cannot be inline, and need all of their overloads.
void* operator new(std::size_t size) { return allocate_or_throw(size, 0); }
void* operator new[](std::size_t size) { return allocate_or_throw(size, 0); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate(size, 0); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return allocate(size, 0); }
void* operator new(std::size_t size, std::align_val_t alignment) {
    return allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
    return allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

extern "C" {

ssize_t read(int file, void* to, size_t size) {
    static auto* const real = library<ssize_t(int, void*, size_t)>("read");
    count_system_call();
    return real(file, to, size);
}
ssize_t write(int file, const void* from, size_t size) {
    static auto* const real = library<ssize_t(int, const void*, size_t)>("write");
    count_system_call();
    return real(file, from, size);
}
ssize_t readv(int file, const iovec* parts, int count) {
    static auto* const real = library<ssize_t(int, const iovec*, int)>("readv");
    count_system_call();
    return real(file, parts, count);
}
ssize_t writev(int file, const iovec* parts, int count) {
    static auto* const real = library<ssize_t(int, const iovec*, int)>("writev");
    count_system_call();
    return real(file, parts, count);
}
ssize_t recv(int file, void* to, size_t size, int flags) {
    static auto* const real = library<ssize_t(int, void*, size_t, int)>("recv");
    count_system_call();
    return real(file, to, size, flags);
}
ssize_t send(int file, const void* from, size_t size, int flags) {
    static auto* const real = library<ssize_t(int, const void*, size_t, int)>("send");
    count_system_call();
    return real(file, from, size, flags);
}
ssize_t recvmsg(int file, msghdr* message, int flags) {
    static auto* const real = library<ssize_t(int, msghdr*, int)>("recvmsg");
    count_system_call();
    return real(file, message, flags);
}
ssize_t sendmsg(int file, const msghdr* message, int flags) {
    static auto* const real = library<ssize_t(int, const msghdr*, int)>("sendmsg");
    count_system_call();
    return real(file, message, flags);
}
int poll(pollfd* files, nfds_t count, int timeout) {
    static auto* const real = library<int(pollfd*, nfds_t, int)>("poll");
    count_system_call();
    return real(files, count, timeout);
}
int epoll_wait(int queue, epoll_event* events, int most, int timeout) {
    static auto* const real = library<int(int, epoll_event*, int, int)>("epoll_wait");
    count_system_call();
    return real(queue, events, most, timeout);
}
int epoll_ctl(int queue, int operation, int file, epoll_event* event) noexcept {
    static auto* const real = library<int(int, int, int, epoll_event*)>("epoll_ctl");
    count_system_call();
    return real(queue, operation, file, event);
}
int timerfd_settime(int file, int flags, const itimerspec* to, itimerspec* from) noexcept {
    static auto* const real = library<int(int, int, const itimerspec*, itimerspec*)>("timerfd_settime");
    count_system_call();
    return real(file, flags, to, from);
}
// Through it libstdc++ waits on atomics.
long syscall(long number, ...) noexcept {
    static auto* const real = library<long(long, ...)>("syscall");
    count_system_call();
    long given[6];
    va_list more;
    va_start(more, number);
    for (auto& each : given) each = va_arg(more, long);
    va_end(more);
    return real(number, given[0], given[1], given[2], given[3], given[4], given[5]);
}

}  // extern "C"
// NOLINTEND
