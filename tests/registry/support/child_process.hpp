// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A program that a test starts, and ends by its number.

#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

class child_process {
public:
    child_process() = default;
    /// Starts a program that is found by PATH; its output goes to `log`, or nowhere.
    explicit child_process(const std::vector<std::string>& command, const std::string& log = "/dev/null",
                           const std::vector<std::pair<std::string, std::string>>& variables = {}) {
        // All that allocates is done before the fork: other threads may hold the heap's locks in it.
        std::vector<char*> arguments;
        for (const auto& each : command) arguments.push_back(const_cast<char*>(each.c_str()));
        arguments.push_back(nullptr);
        std::vector<std::string> settings;
        for (const auto& [name, value] : variables) settings.push_back(name + "=" + value);
        std::vector<char*> environment;
        for (char** each = environ; *each; ++each) environment.push_back(*each);
        for (auto& each : settings) environment.push_back(each.data());
        environment.push_back(nullptr);
        id_ = ::fork();
        if (id_ < 0) throw std::runtime_error{"cannot fork"};
        if (id_ > 0) return;
        const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (out >= 0) {
            ::dup2(out, 1);
            ::dup2(out, 2);
        }
        ::execvpe(arguments[0], arguments.data(), environment.data());
        ::_exit(127);
    }
    child_process(child_process&& other) noexcept : id_{std::exchange(other.id_, -1)} {}
    child_process& operator=(child_process&& other) noexcept {
        std::swap(id_, other.id_);
        return *this;
    }
    ~child_process() { end(SIGKILL); }

    void signal(int which) const {
        if (id_ > 0) ::kill(id_, which);
    }
    /// Sends a signal that ends it, and waits for that.
    void end(int which) {
        if (id_ <= 0) return;
        ::kill(id_, which);
        while (::waitpid(id_, nullptr, 0) < 0 && errno == EINTR) {
        }
        id_ = -1;
    }
    [[nodiscard]] bool is_running() {
        if (id_ <= 0) return false;
        if (::waitpid(id_, nullptr, WNOHANG) == 0) return true;
        id_ = -1;
        return false;
    }

private:
    pid_t id_ = -1;
};
