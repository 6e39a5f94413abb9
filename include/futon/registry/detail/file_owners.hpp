// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Which of the processes that wrote into a shared directory are alive.
///
/// Each holds a lock on a file of its own, which the kernel takes away when the process dies, whatever kills it, and
/// sets that file's time again and again. So neither clocks are compared nor process numbers trusted, and a process
/// that is stopped counts as gone too.

#include <futon/core/result.hpp>
#include <futon/core/time.hpp>
#include <futon/registry/detail/files.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace futon::detail {

/// This process, as others see it in the directory.
class file_owner {
public:
    explicit file_owner(std::string directory, unsigned mode) : directory_{std::move(directory)}, mode_{mode} {}
    file_owner(const file_owner&) = delete;
    file_owner& operator=(const file_owner&) = delete;
    ~file_owner() {
        if (held_) ::unlink(path().c_str());
    }

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    /// Says that this process is alive; anew where the file is gone.
    [[nodiscard]] result<void> beat() {
        if (held_) {
            struct stat there = {};
            struct stat mine = {};
            const bool kept = ::stat(path().c_str(), &there) == 0 && ::fstat(held_.get(), &mine) == 0 &&
                              there.st_ino == mine.st_ino && there.st_dev == mine.st_dev;
            if (kept && ::futimens(held_.get(), nullptr) == 0) return {};
            held_ = {};
        }
        return begin();
    }

private:
    [[nodiscard]] std::string path() const { return directory_ + "/" + name_; }
    [[nodiscard]] result<void> begin() {
        if (auto made = make_directory(directory_, mode_ | ((mode_ & 0444u) >> 2)); !made) return made;
        std::random_device dice;
        for (int attempt = 0; attempt < 8; ++attempt) {
            // A name is never used again: what a dead process left behind stays dead.
            if (name_.empty() || attempt > 0)
                name_ = std::to_string(::getpid()) + "-" + std::to_string(dice()) + "-" + std::to_string(dice());
            file_handle made{::open(path().c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode_)};
            if (!made && errno == EEXIST) continue;
            if (!made) return file_error("cannot write", path());
            if (::flock(made.get(), LOCK_EX | LOCK_NB) != 0) {
                auto why = file_error("cannot lock", path());
                ::unlink(path().c_str());
                return why;
            }
            held_ = std::move(made);
            return {};
        }
        return error{errc::unavailable, "cannot find a name in " + directory_, executed::no};
    }

    const std::string directory_;
    const unsigned mode_;
    std::string name_;
    file_handle held_;
};

/// What is known of the others.
class file_owners {
public:
    enum class state : std::uint8_t { alive, silent, dead };

    file_owners(std::string directory, duration expiry) : directory_{std::move(directory)}, expiry_{expiry} {}

    /// Looks at each owner once in a round.
    void begin_round() noexcept { ++round_; }
    [[nodiscard]] state look(const std::string& name, time_point now) {
        if (name.find('/') != name.npos || name.empty() || name.front() == '.') return state::dead;
        auto& known = known_[name];
        if (known.round != round_) {
            known.round = round_;
            known.now = look_again(name, known, now);
        }
        return known.now;
    }
    /// Removes the files of those that are gone for long, and forgets them.
    void sweep() {
        std::erase_if(known_, [&](const auto& each) {
            if (each.second.round + 100 > round_) return false;
            if (each.second.now == state::dead) ::unlink((directory_ + "/" + each.first).c_str());
            return true;
        });
    }

private:
    struct entry {
        state now = state::dead;
        std::uint64_t round = 0;
        timespec beat{};
        time_point heard{};
        bool seen = false;
    };

    [[nodiscard]] state look_again(const std::string& name, entry& known, time_point now) const {
        const auto path = directory_ + "/" + name;
        const file_handle file{::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
        struct stat about = {};
        if (!file || ::fstat(file.get(), &about) != 0) return state::dead;
        if (::flock(file.get(), LOCK_SH | LOCK_NB) == 0) return state::dead;
        const bool beats =
            !known.seen || about.st_mtim.tv_sec != known.beat.tv_sec || about.st_mtim.tv_nsec != known.beat.tv_nsec;
        if (beats) known.heard = now;
        known.seen = true;
        known.beat = about.st_mtim;
        return now - known.heard > expiry_ ? state::silent : state::alive;
    }

    const std::string directory_;
    const duration expiry_;
    std::uint64_t round_ = 1;
    std::map<std::string, entry> known_;
};

}  // namespace futon::detail
