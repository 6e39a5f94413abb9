// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A directory that a test has to itself.

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>

class temporary_directory {
public:
    temporary_directory() {
        path_ = (std::filesystem::temp_directory_path() / "futon-test-XXXXXX").string();
        if (!::mkdtemp(path_.data())) throw std::runtime_error{"cannot make a directory: " + path_};
    }
    temporary_directory(const temporary_directory&) = delete;
    temporary_directory& operator=(const temporary_directory&) = delete;
    ~temporary_directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

private:
    std::string path_;
};
