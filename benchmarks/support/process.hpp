// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Child processes to measure: on chosen cores, with real-time priority where that is allowed, each with its CPU clock.

#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>

namespace benchmark {

using nanoseconds = std::chrono::nanoseconds;

[[nodiscard]] inline std::system_error last_error(const char* what) { return {errno, std::generic_category(), what}; }

/// CPU time of all threads of a process so far.
[[nodiscard]] inline nanoseconds cpu_time_of(pid_t process) {
    clockid_t clock{};
    timespec spent{};
    if (const int code = ::clock_getcpuclockid(process, &clock); code != 0)
        throw std::system_error{code, std::generic_category(), "clock_getcpuclockid"};
    if (::clock_gettime(clock, &spent) != 0) throw last_error("clock_gettime");
    return std::chrono::seconds{spent.tv_sec} + nanoseconds{spent.tv_nsec};
}

/// Memory of a process that is in RAM now, as far as it is not the kernel's.
[[nodiscard]] inline double resident_bytes_of(pid_t process) {
    std::FILE* const file = std::fopen(("/proc/" + std::to_string(process) + "/statm").c_str(), "r");
    if (!file) throw last_error("/proc/.../statm");
    long pages = 0;
    const int found = std::fscanf(file, "%*d %ld", &pages);
    std::fclose(file);
    if (found != 1) throw std::runtime_error{"cannot read /proc/.../statm"};
    return static_cast<double>(pages) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

/// How often a page of this process had to be found or zeroed so far.
[[nodiscard]] inline std::uint64_t page_faults() {
    rusage used{};
    if (::getrusage(RUSAGE_SELF, &used) != 0) throw last_error("getrusage");
    return static_cast<std::uint64_t>(used.ru_minflt);
}

/// Puts this process, and every thread that it starts, on one core. Does nothing on a machine without that core.
inline void pin_to(unsigned core) {
    if (core >= std::thread::hardware_concurrency()) return;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    ::sched_setaffinity(0, sizeof set, &set);
}

/// Keeps other work on the machine from cutting in. False if that is not allowed. Takes turns among the process's own
/// threads: one that measures would not come back while an I/O thread that never waits has its core.
inline bool use_real_time_priority() {
    const sched_param lowest{::sched_get_priority_min(SCHED_RR)};
    return ::sched_setscheduler(0, SCHED_RR, &lowest) == 0;
}
/// For the head of a table.
[[nodiscard]] inline const char* priority_name(bool real_time) {
    return real_time ? "SCHED_RR" : "normal priority (expect noise)";
}

/// Whether `use_real_time_priority` works here; tried in a child.
[[nodiscard]] inline bool may_use_real_time_priority() {
    const auto child = ::fork();
    if (child == 0) ::_exit(use_real_time_priority() ? 0 : 1);
    int status = 1;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// One `T` in memory that child processes share.
template <class T>
class shared_memory {
public:
    shared_memory() {
        void* const memory = ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) throw last_error("mmap");
        value_ = ::new (memory) T{};
    }
    shared_memory(const shared_memory&) = delete;
    shared_memory& operator=(const shared_memory&) = delete;
    ~shared_memory() { ::munmap(value_, sizeof(T)); }
    T* operator->() const noexcept { return value_; }
    T& operator*() const noexcept { return *value_; }

private:
    T* value_;
};

/// A child that runs one function, which reports one value at some time; killed when this ends.
///
/// The parent must have no threads when it makes one.
template <class Report>
    requires std::is_trivially_copyable_v<Report>
class child_process {
public:
    /// `role(report)` runs in the child; `report(value)` may be called once.
    template <class Role>
    explicit child_process(Role&& role) {
        int ends[2];
        if (::pipe(ends) != 0) throw last_error("pipe");
        std::fflush(nullptr);
        id_ = ::fork();
        if (id_ < 0) throw last_error("fork");
        if (id_ == 0) {
            ::close(ends[0]);
            int code = 0;
            try {
                std::forward<Role>(role)([to = ends[1]](const Report& value) {
                    if (::write(to, &value, sizeof value) != static_cast<ssize_t>(sizeof value)) ::_exit(2);
                });
            } catch (const std::exception& e) {
                std::fprintf(stderr, "benchmark: %s\n", e.what());
                code = 1;
            }
            ::_exit(code);
        }
        ::close(ends[1]);
        from_ = ends[0];
    }
    child_process(const child_process&) = delete;
    child_process& operator=(const child_process&) = delete;
    ~child_process() {
        ::close(from_);
        ::kill(id_, SIGKILL);
        ::waitpid(id_, nullptr, 0);
    }

    [[nodiscard]] pid_t id() const noexcept { return id_; }
    /// Waits for the report. Throws if the child ended without one.
    [[nodiscard]] Report report() {
        Report value;
        for (std::size_t have = 0; have < sizeof value;) {
            const auto count = ::read(from_, reinterpret_cast<char*>(&value) + have, sizeof value - have);
            if (count < 0 && errno == EINTR) continue;
            if (count <= 0) throw std::runtime_error{"a measured process ended early"};
            have += static_cast<std::size_t>(count);
        }
        return value;
    }

private:
    pid_t id_ = -1;
    int from_ = -1;
};

}  // namespace benchmark
