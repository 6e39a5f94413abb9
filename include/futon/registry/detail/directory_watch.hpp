// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Waits for changes in directories: by inotify on Linux, elsewhere and where that fails by looking again and again.

#include <futon/core/time.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/inotify.h>
#endif

namespace futon::detail {

/// Thread-safety: one thread at a time, except `wake`.
class directory_watch {
public:
    explicit directory_watch(bool by_events) {
        if (::pipe(wake_pipe_.data()) == 0)
            for (const int each : wake_pipe_) {
                ::fcntl(each, F_SETFL, O_NONBLOCK);
                ::fcntl(each, F_SETFD, FD_CLOEXEC);
            }
#if defined(__linux__)
        if (by_events) events_ = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
#else
        (void)by_events;
#endif
    }
    directory_watch(const directory_watch&) = delete;
    directory_watch& operator=(const directory_watch&) = delete;
    ~directory_watch() {
        for (const int each : {events_, wake_pipe_[0], wake_pipe_[1]})
            if (each >= 0) ::close(each);
    }

    /// False if changes in it are not told, and one must look: there is no such directory, or no means to watch it.
    bool watch(const std::string& path) {
#if defined(__linux__)
        if (events_ < 0) return false;
        if (by_path_.contains(path)) return true;
        const int made = ::inotify_add_watch(events_, path.c_str(),
                                             IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE |
                                                 IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR);
        if (made < 0) return false;
        by_number_[made] = path;
        by_path_[path] = made;
        return true;
#else
        (void)path;
        return false;
#endif
    }
    void forget(const std::string& path) {
        const auto found = by_path_.find(path);
        if (found == by_path_.end()) return;
#if defined(__linux__)
        ::inotify_rm_watch(events_, found->second);
#endif
        by_number_.erase(found->second);
        by_path_.erase(found);
    }
    [[nodiscard]] bool is_watched(const std::string& path) const { return by_path_.contains(path); }
    void forget_all() {
        while (!by_path_.empty()) forget(std::string{by_path_.begin()->first});
    }
    /// Waits for a change, for `wake`, or for `until`. The directories in which something changed.
    [[nodiscard]] std::set<std::string> wait(time_point until) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(std::max(duration::zero(), until - clock::now()));
        pollfd waited[] = {{wake_pipe_[0], POLLIN, 0}, {events_, POLLIN, 0}};
        const int ready =
            ::poll(waited, events_ < 0 ? 1 : 2, static_cast<int>(std::min<std::int64_t>(left.count(), 60'000)));
        std::set<std::string> changed;
        if (ready <= 0) return changed;
        std::array<char, 64> ignored{};
        while (::read(wake_pipe_[0], ignored.data(), ignored.size()) > 0) {
        }
        read_events(changed);
        return changed;
    }
    /// Thread-safety: safe.
    void wake() noexcept { [[maybe_unused]] const auto full_is_as_good = ::write(wake_pipe_[1], "w", 1); }

private:
    void read_events([[maybe_unused]] std::set<std::string>& changed) {
#if defined(__linux__)
        alignas(inotify_event) std::array<char, 16 * 1024> buffer;
        for (;;) {
            const auto count = ::read(events_, buffer.data(), buffer.size());
            if (count <= 0) return;
            for (std::size_t at = 0; at + sizeof(inotify_event) <= static_cast<std::size_t>(count);) {
                inotify_event event;
                std::memcpy(&event, buffer.data() + at, sizeof event);
                const std::string_view name{buffer.data() + at + sizeof event,
                                            ::strnlen(buffer.data() + at + sizeof event, event.len)};
                at += sizeof event + event.len;
                note(event.wd, event.mask, name, changed);
            }
        }
#endif
    }
#if defined(__linux__)
    void note(int number, std::uint32_t what, std::string_view name, std::set<std::string>& changed) {
        if (what & IN_Q_OVERFLOW) {
            for (const auto& [path, each] : by_path_) changed.insert(path);
            return;
        }
        const auto found = by_number_.find(number);
        if (found == by_number_.end()) return;
        // Files under way have hidden names; directories whose names begin with a dot are watched themselves.
        if (!name.starts_with('.')) changed.insert(found->second);
        if (what & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF)) {
            changed.insert(found->second);
            const std::string path = found->second;
            forget(path);
        }
    }
#endif

    int events_ = -1;
    std::array<int, 2> wake_pipe_{-1, -1};
    std::map<int, std::string> by_number_;
    std::map<std::string, int> by_path_;
};

}  // namespace futon::detail
