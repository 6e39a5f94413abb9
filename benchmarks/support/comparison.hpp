// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Runs two sides in alternating rounds, each side in two processes, and counts what one side asks for.

#include "options.hpp"
#include "side.hpp"
#include "statistics.hpp"

#include <sys/types.h>

#include <vector>

namespace benchmark {

/// What one round of one side showed.
struct sample {
    double calls_per_second;
    double client_cpu_us, server_cpu_us;  // Per call.
};

/// The rounds of two sides; those of one index ran one after the other.
struct comparison {
    std::vector<sample> base;
    std::vector<sample> subject;

    [[nodiscard]] static summary calls(const std::vector<sample>& of);
    [[nodiscard]] static summary client_cpu(const std::vector<sample>& of);
    [[nodiscard]] static summary server_cpu(const std::vector<sample>& of);
    /// Of the subject to the base, round by round.
    [[nodiscard]] summary calls_ratio() const;
    [[nodiscard]] summary cpu_ratio() const;
};

/// What one side allocates and asks of the kernel, for each call.
struct call_counts {
    struct of_process {
        double allocations, allocated_bytes, system_calls;
    };
    of_process client, server;
};

enum class placement {
    one_core,   ///< Both processes on the first.
    two_cores,  ///< The server on the first, the client on the second.
    anywhere,   ///< Where the kernel puts their threads.
};

class comparer {
public:
    explicit comparer(const options& with);

    [[nodiscard]] bool real_time() const noexcept { return real_time_; }
    /// The base begins in even rounds and the subject in odd ones, so that a machine that gets slower favours neither.
    [[nodiscard]] comparison compare(const side& base, const side& subject, const load& of, placement where) const;
    [[nodiscard]] call_counts count(const side& subject, const load& of, placement where) const;
    /// In a child: goes to the core of a client or a server, and takes real-time priority if that is allowed.
    void take_place(placement where, bool is_server) const;
    /// The kernel stops real-time work for a moment when it takes all of a second; this is for it to take less.
    void breathe() const;

private:
    [[nodiscard]] sample measure(const caller& running, pid_t server) const;

    options with_;
    bool real_time_;
};

}  // namespace benchmark
