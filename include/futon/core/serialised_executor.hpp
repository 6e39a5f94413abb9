// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// An executor that runs one thing at a time on another one that may run many.

#include <futon/core/bodies.hpp>
#include <futon/core/executor.hpp>

#include <mutex>
#include <utility>

namespace futon::detail {

/// What waits counts against no bound of its own; the inner executor sees one piece of work at most.
class serialised_executor final : public executor, private work {
public:
    explicit serialised_executor(executor_ref inner);
    serialised_executor(const serialised_executor&) = delete;
    serialised_executor& operator=(const serialised_executor&) = delete;
    FUTON_DETAIL_BODY ~serialised_executor() override;

    FUTON_DETAIL_BODY bool post(work& item) noexcept override;
    FUTON_DETAIL_BODY bool blocked_by_this_thread() const noexcept override;
    FUTON_DETAIL_BODY bool is_left_behind() const noexcept override;
    FUTON_DETAIL_BODY bool may_stand_still() const noexcept override;
    FUTON_DETAIL_BODY bool is_serial() const noexcept override;
    FUTON_DETAIL_BODY void* asio_context() noexcept override;
    FUTON_DETAIL_BODY time_point now() const noexcept override;
    FUTON_DETAIL_BODY bool try_arm(timer& t, time_point due) override;
    FUTON_DETAIL_BODY bool disarm(timer& t) noexcept override;

private:
    FUTON_DETAIL_BODY void run(bool accepted) noexcept override;

    executor_ref inner_;
    std::mutex mutex_;
    work_queue queue_;
    bool busy_ = false;
};

}  // namespace futon::detail

#if !defined(FUTON_COMPILED)
#include <futon/core/detail/serialised_executor_bodies.hpp>
#endif
