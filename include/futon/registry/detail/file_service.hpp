// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// One service's directory of a file registry: a file for each provider, read again only where it changed.

#include <futon/cluster/provider_text.hpp>
#include <futon/registry/detail/file_owners.hpp>
#include <futon/registry/detail/files.hpp>
#include <futon/registry/provider_lists.hpp>

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace futon::detail {

/// What stands in the file of a provider: the provider, and below it whose it is; without that it never expires.
[[nodiscard]] inline std::string provider_file(const provider& who, std::string_view owner) {
    return provider_text(who) + "\nowner " + std::string{owner} + "\n";
}

class file_service {
public:
    explicit file_service(std::string directory) : directory_{std::move(directory)} {}

    [[nodiscard]] const std::string& directory() const noexcept { return directory_; }

    /// Reads what is there now. A directory that is not there is an empty list.
    /// Errors: it cannot be read.
    [[nodiscard]] result<service_listing> read(file_owners& owners, const std::string& own, time_point now,
                                               duration keep_dead) {
        ++round_;
        service_listing made;
        made.settings = metadata{};
        std::error_code code;
        std::filesystem::directory_iterator each{directory_, code};
        if (code == std::errc::no_such_file_or_directory) return made;
        if (code) return file_error("cannot read", directory_, code.value());
        for (; each != std::filesystem::directory_iterator{}; each.increment(code)) {
            if (code) return file_error("cannot read", directory_, code.value());
            const auto name = each->path().filename().string();
            if (name.front() == '.') {
                remove_left_over(name, owners, own, now);
                continue;
            }
            const auto* const found = look(name);
            if (!found) continue;  // It went meanwhile.
            if (name == "settings") {
                if (found->settings)
                    made.settings = found->settings;
                else
                    made.refuse(each->path().string(), found->fault);
            } else if (!found->told) {
                made.refuse(each->path().string(), found->fault);
            } else if (is_alive(name, owners, own, now, keep_dead)) {
                made.providers.push_back(*found->told);
            }
        }
        std::erase_if(files_, [&](const auto& each_file) { return each_file.second.round != round_; });
        return made;
    }

private:
    // What a provider and its owner need at most.
    static constexpr std::size_t most_bytes = most_query_bytes + 512;

    struct file {
        std::uint64_t round = 0;
        dev_t device{};
        ino_t number{};
        off_t size{};
        timespec written{};
        bool certain = false;  // A file that was written just now may be replaced within the same tick of its clock.
        std::optional<provider> told{};
        std::optional<metadata> settings{};
        error fault{errc::bad_address, "it cannot be read"};  // Where there is neither.
        std::string owner{};
        std::optional<time_point> dead_since{};
    };

    [[nodiscard]] const file* look(const std::string& name) {
        const auto path = directory_ + "/" + name;
        struct stat about = {};
        if (::lstat(path.c_str(), &about) != 0) return nullptr;
        auto& known = files_[name];
        known.round = round_;
        if (known.certain && known.device == about.st_dev && known.number == about.st_ino &&
            known.size == about.st_size && known.written.tv_sec == about.st_mtim.tv_sec &&
            known.written.tv_nsec == about.st_mtim.tv_nsec)
            return &known;
        const auto content = read_whole(path, most_bytes, &about);
        if (!content && content.error() == errc::unavailable) return nullptr;
        known = {.round = round_,
                 .device = about.st_dev,
                 .number = about.st_ino,
                 .size = about.st_size,
                 .written = about.st_mtim};
        using namespace std::chrono;
        const auto written = system_clock::time_point{
            duration_cast<system_clock::duration>(seconds{about.st_mtim.tv_sec} + nanoseconds{about.st_mtim.tv_nsec})};
        known.certain = system_clock::now() - written > milliseconds{100};
        if (content)
            parse(name, *content, known);
        else
            known.fault = content.error();
        return &known;
    }
    static void parse(const std::string& name, std::string_view content, file& into) {
        if (name == "settings") {
            // One a line, for people.
            std::string joined;
            while (!content.empty()) {
                const auto line = content.substr(0, content.find('\n'));
                content.remove_prefix(std::min(content.size(), line.size() + 1));
                if (line.empty() || line.front() == '#') continue;
                if (!joined.empty()) joined.push_back('&');
                joined.append(line);
            }
            if (auto read = parse_settings(joined))
                into.settings = *std::move(read);
            else
                into.fault = read.error();
            return;
        }
        const auto first = content.substr(0, content.find('\n'));
        auto read = parse_provider(first);
        if (!read) {
            into.fault = read.error();
            return;
        }
        content.remove_prefix(std::min(content.size(), first.size() + 1));
        if (content.starts_with("owner ")) {
            into.owner = content.substr(6, content.find('\n') - 6);
        } else if (!content.empty()) {
            into.fault = error{errc::bad_address, "its second line must be 'owner', a blank and a name"};
            return;
        }
        into.told = *std::move(read);
    }

    // The files of the dead are removed by whoever may, after a while: their owner could be about to write anew.
    [[nodiscard]] bool is_alive(const std::string& name, file_owners& owners, const std::string& own, time_point now,
                                duration keep_dead) {
        auto& known = files_[name];
        if (known.owner.empty() || known.owner == own) return true;
        const auto state = owners.look(known.owner, now);
        if (state != file_owners::state::dead) {
            known.dead_since.reset();
            return state == file_owners::state::alive;
        }
        if (!known.dead_since) known.dead_since = now;
        if (now - *known.dead_since > keep_dead) {
            const auto path = directory_ + "/" + name;
            struct stat about = {};
            if (::lstat(path.c_str(), &about) == 0 && about.st_ino == known.number) ::unlink(path.c_str());
        }
        return false;
    }
    // ".OWNER.new": a process died while it wrote.
    void remove_left_over(const std::string& name, file_owners& owners, const std::string& own, time_point now) const {
        if (!name.ends_with(".new") || name.size() < 6) return;
        const auto owner = name.substr(1, name.size() - 5);
        if (owner != own && owners.look(owner, now) == file_owners::state::dead)
            ::unlink((directory_ + "/" + name).c_str());
    }

    const std::string directory_;
    std::uint64_t round_ = 0;
    std::map<std::string, file> files_;
};

}  // namespace futon::detail
