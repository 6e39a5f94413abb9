// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// One accepted connection of a server.

#include <futon/server/detail/server_state.hpp>
#include <futon/serving/answers.hpp>
#include <futon/transport/connection.hpp>

#include <cstdint>
#include <optional>
#include <utility>

namespace futon::detail {

/// Only inside the connection's executor.
class peer final : public connection_owner {
public:
    explicit peer(intrusive_ptr<server_state> state) : state_{std::move(state)} {}

    /// The connection that it serves, before that is opened.
    void attach(intrusive_ptr<connection> which) {
        answers_ = make_intrusive<answers>(state_, which, state_->options.timeout);
        connection_ = std::move(which);
    }

private:
    void bound(connection&, const event& it) noexcept override { answers_->bound(it); }
    void requested(connection& from, event& request) noexcept override { answers_->requested(from, request); }
    void cancelled(connection& from, std::uint64_t, void* tag) noexcept override { answers::cancelled(from, tag); }
    // Of calls that handlers made to their caller.
    void replied(connection&, intrusive_ptr<call> which, const response& reply) noexcept override {
        answers_->replied(*which, reply);
    }
    void park(connection&, intrusive_ptr<call> which) noexcept override { answers::refuse(std::move(which)); }
    void oneways_lost(connection&, std::uint64_t count, const error& why) noexcept override {
        answers_->oneways_lost(count, why);
    }

    std::optional<load_report> load() noexcept override { return state_->load(connection_->batch_time()); }

    void closed(connection&, const error& why) noexcept override {
        if (why == errc::protocol_error) {
            const auto text = why.message();
            state_->reports().log(
                {.level = log_level::warning, .kind = "protocol_error", .text = text, .where = connection_->peer()});
        }
        answers_->closed();
        state_->left(connection_, connection_->stats());
        connection_ = nullptr;
    }

    const intrusive_ptr<server_state> state_;
    intrusive_ptr<answers> answers_;
    intrusive_ptr<connection> connection_;  // Null once it is closed.
};

}  // namespace futon::detail
