// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Runs one test case of this very program as a process of its own, which may be killed.
///
/// The child is not a fork that goes on, since the parent has threads: it is the program started anew, with
/// the name of a test case that is skipped otherwise, and words from the parent in its environment.

#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern "C" char** environ;

namespace futon_tests {

class child_process {
public:
    /// `words` are variables for the child's environment, each "NAME=value".
    child_process(const std::string& test_case, const std::vector<std::string>& words) {
        const auto choice = "--test-case=" + test_case;
        std::vector<std::string> arguments{"child", "--no-skip", "--no-version", "--minimal", "--no-breaks", choice};
        std::vector<char*> argv;
        for (auto& each : arguments) argv.push_back(each.data());
        argv.push_back(nullptr);
        std::vector<std::string> variables = words;
        for (char** each = environ; *each; ++each) variables.emplace_back(*each);
        std::vector<char*> env;
        for (auto& each : variables) env.push_back(each.data());
        env.push_back(nullptr);
        if (::posix_spawn(&id_, "/proc/self/exe", nullptr, nullptr, argv.data(), env.data()) != 0)
            throw std::runtime_error{"cannot start the child process"};
    }
    child_process(const child_process&) = delete;
    child_process& operator=(const child_process&) = delete;
    ~child_process() {
        if (id_ > 0) kill(SIGKILL);
        wait();
    }

    void kill(int signal) noexcept {
        if (id_ > 0) ::kill(id_, signal);
    }
    /// How it ended, as `waitpid` tells it; -1 if that was asked before.
    int wait() noexcept {
        int status = -1;
        if (id_ > 0) ::waitpid(std::exchange(id_, 0), &status, 0);
        return status;
    }

private:
    ::pid_t id_ = 0;
};

/// A `T` of zeros in a file that parent and child map, so that what a killed child wrote stays.
template <class T>
class shared_memory {
public:
    /// By the parent.
    shared_memory() {
        char name[] = "/tmp/futon_test_XXXXXX";
        const int file = ::mkstemp(name);
        path_ = name;
        owner_ = true;
        if (file < 0 || ::ftruncate(file, sizeof(T)) != 0) throw std::runtime_error{"no shared memory"};
        map(file);
    }
    /// By the child.
    explicit shared_memory(const std::string& path) : path_{path} { map(::open(path.c_str(), O_RDWR)); }
    shared_memory(const shared_memory&) = delete;
    shared_memory& operator=(const shared_memory&) = delete;
    ~shared_memory() {
        ::munmap(place_, sizeof(T));
        if (owner_) ::unlink(path_.c_str());
    }
    [[nodiscard]] T* operator->() const noexcept { return static_cast<T*>(place_); }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

private:
    void map(int file) {
        place_ = ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        ::close(file);
        if (place_ == MAP_FAILED) throw std::runtime_error{"no shared memory"};
    }

    std::string path_;
    bool owner_ = false;
    void* place_ = nullptr;
};

/// A name in the file system that nothing has yet; whatever has it then is removed at the end.
class temporary_path {
public:
    temporary_path() {
        char name[] = "/tmp/futon_test_XXXXXX";
        const int file = ::mkstemp(name);
        if (file < 0) throw std::runtime_error{"no temporary file"};
        ::close(file);
        ::unlink(name);
        text_ = name;
    }
    temporary_path(const temporary_path&) = delete;
    temporary_path& operator=(const temporary_path&) = delete;
    ~temporary_path() { ::unlink(text_.c_str()); }
    [[nodiscard]] const std::string& text() const noexcept { return text_; }

private:
    std::string text_;
};

/// What the parent told this child; empty if nothing.
[[nodiscard]] inline std::string told(const char* name) {
    const char* const value = std::getenv(name);
    return value ? value : "";
}

}  // namespace futon_tests
