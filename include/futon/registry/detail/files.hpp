// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Small files that several processes share: written whole or not at all, read with care.

#include <futon/core/error.hpp>
#include <futon/core/result.hpp>

#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace futon::detail {

/// An open file. Ends with its owner.
class file_handle {
public:
    file_handle() = default;
    explicit file_handle(int number) noexcept : number_{number} {}
    file_handle(file_handle&& other) noexcept : number_{std::exchange(other.number_, -1)} {}
    file_handle& operator=(file_handle&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~file_handle() {
        if (number_ >= 0) ::close(number_);
    }
    explicit operator bool() const noexcept { return number_ >= 0; }
    [[nodiscard]] int get() const noexcept { return number_; }

private:
    int number_ = -1;
};

/// What the system said, about `path`.
[[nodiscard]] inline error file_error(std::string_view what, const std::string& path, int code = errno) {
    const auto kind = code == EACCES || code == EPERM || code == EROFS                       ? errc::permission_denied
                      : code == ELOOP                                                        ? errc::bad_address
                      : code == ENOSPC || code == EMFILE || code == ENFILE || code == EDQUOT ? errc::resource_exhausted
                                                                                             : errc::unavailable;
    return {kind, std::string{what} + " " + path + ": " + std::generic_category().message(code), executed::no};
}

/// Percent-encodes a name so that it is one component of a path, and not a hidden one.
[[nodiscard]] inline std::string file_name(std::string_view of) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string name;
    for (const char c : of) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                           c == '_' || c == ':' || c == '@' || (c == '.' && !name.empty());
        if (plain) {
            name.push_back(c);
        } else {
            const auto byte = static_cast<unsigned char>(c);
            name.append({'%', digits[byte >> 4], digits[byte & 15]});
        }
    }
    return name;
}

/// Makes the directory unless it is there.
[[nodiscard]] inline result<void> make_directory(const std::string& path, unsigned mode) {
    if (::mkdir(path.c_str(), mode) == 0 || errno == EEXIST) return {};
    return file_error("cannot make", path);
}

/// Puts `content` at `path`, by way of a file of its own; readers see the old content or all of the new.
[[nodiscard]] inline result<struct stat> write_whole(const std::string& by_way_of, const std::string& path,
                                                     std::string_view content, unsigned mode) {
    file_handle to{::open(by_way_of.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode)};
    if (!to) return file_error("cannot write", by_way_of);
    const auto fail = [&](error why) {
        ::unlink(by_way_of.c_str());
        return why;
    };
    while (!content.empty()) {
        const auto count = ::write(to.get(), content.data(), content.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return fail(file_error("cannot write", by_way_of));
        content.remove_prefix(static_cast<std::size_t>(count));
    }
    struct stat made = {};
    if (::fstat(to.get(), &made) != 0) return fail(file_error("cannot write", by_way_of));
    if (::rename(by_way_of.c_str(), path.c_str()) != 0) return fail(file_error("cannot put in place", path));
    return made;
}

/// Reads a regular file of at most `most` bytes; follows no link, and waits for nobody.
[[nodiscard]] inline result<std::string> read_whole(const std::string& path, std::size_t most,
                                                    struct stat* found = nullptr) {
    file_handle from{::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
    if (!from) return file_error("cannot read", path);
    struct stat about = {};
    if (::fstat(from.get(), &about) != 0) return file_error("cannot read", path);
    if (found) *found = about;
    if (!S_ISREG(about.st_mode)) return error{errc::bad_address, path + " is not a file", executed::no};
    // What grows meanwhile is cut off by the limit, not by what was said of its size.
    std::string content(most + 1, '\0');
    std::size_t size = 0;
    while (size < content.size()) {
        const auto count = ::read(from.get(), content.data() + size, content.size() - size);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return file_error("cannot read", path);
        if (count == 0) break;
        size += static_cast<std::size_t>(count);
    }
    if (size > most) return error{errc::bad_address, path + " is too long", executed::no};
    content.resize(size);
    return content;
}

}  // namespace futon::detail
