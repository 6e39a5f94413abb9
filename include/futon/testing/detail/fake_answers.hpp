// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The answers of a fake, a function for each method that has one, and what it was asked.

#include <futon/core/bytes.hpp>
#include <futon/service/description.hpp>
#include <futon/service/incoming_call.hpp>
#include <futon/service/method_pointer.hpp>
#include <futon/service/stream_traits.hpp>
#include <futon/service/typed_handler.hpp>
#include <futon/wire/decode.hpp>

#include <array>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace futon::detail {

/// One function as an implementation of one method.
template <class F>
struct lone_function {
    F function;
};
/// The method, found in a function instead of by its name.
template <class Method>
struct by_function : Method {
    template <class Implementation, class... Args>
    static constexpr auto invoke(Implementation& implementation, Args&&... args)
        -> decltype(implementation.function(static_cast<Args&&>(args)...)) {
        return implementation.function(static_cast<Args&&>(args)...);
    }
};

template <class Contract, std::size_t Index, class F>
inline constexpr bool answers_method = [] {
    if constexpr (Index < method_count<Contract>) {
        return fits<by_function<method_at<Contract, Index>>, lone_function<F>>;
    } else {
        return false;
    }
}();

/// Thread-safety: safe.
template <class Contract>
class fake_answers {
public:
    template <std::size_t Index, class F>
    void set(F function) {
        using handler = typed_handler<by_function<method_at<Contract, Index>>, lone_function<F>>;
        auto made =
            std::make_shared<handler>("", std::make_shared<lone_function<F>>(lone_function<F>{std::move(function)}));
        std::shared_ptr<method_handler> before = std::move(made);
        const std::lock_guard lock{mutex_};
        methods_[Index].answer.swap(before);  // What was there goes after the lock.
    }

    void handle(std::size_t index, const method_info& info, intrusive_ptr<incoming_call> call) {
        std::shared_ptr<method_handler> answer;
        {
            byte_buffer asked;
            asked.append(call->arguments);
            const std::lock_guard lock{mutex_};
            methods_[index].asked.push_back(std::move(asked));
            answer = methods_[index].answer;
        }
        if (answer) return answer->handle(std::move(call));
        call->answer_error(
            error{errc::no_such_method,
                  "this fake of '" + info.service + "' has no answer for '" + info.name + "': give it one with on<>()",
                  executed::no});
    }

    [[nodiscard]] std::size_t calls(std::size_t index) const {
        const std::lock_guard lock{mutex_};
        return methods_[index].asked.size();
    }
    template <std::size_t Index>
    [[nodiscard]] auto arguments() const {
        return method_traits<method_at<Contract, Index>>::template apply_arguments<decode_all>::from(*this, Index);
    }
    void forget() {
        const std::lock_guard lock{mutex_};
        for (auto& each : methods_) each.asked.clear();
    }

private:
    struct method {
        std::shared_ptr<method_handler> answer;
        std::deque<byte_buffer> asked;  // As it came; stays where it is, for views into it.
    };
    template <class... A>
    struct decode_all {
        static auto from(const fake_answers& answers, std::size_t index) {
            return decode(answers, index, static_cast<plain_arguments<A...>*>(nullptr));
        }
        template <class... Plain>
        static auto decode(const fake_answers& answers, std::size_t index, std::tuple<std::type_identity<Plain>...>*) {
            std::vector<std::tuple<Plain...>> all;
            const std::lock_guard lock{answers.mutex_};
            for (const auto& each : answers.methods_[index].asked)
                if (auto decoded = decode_arguments<Plain...>(each.view())) all.push_back(*std::move(decoded));
            return all;
        }
    };

    mutable std::mutex mutex_;
    std::array<method, method_count<Contract>> methods_;
};

}  // namespace futon::detail
