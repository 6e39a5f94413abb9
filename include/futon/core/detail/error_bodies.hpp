// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Bodies of error.hpp.

#include <futon/core/bodies.hpp>
#include <futon/core/error.hpp>

#include <exception>
#include <string>
#include <system_error>
#include <utility>

namespace futon {

FUTON_DETAIL_BODY error::block& error::own() {
    if (!detail_) {
        detail_ = detail::make_intrusive<block>();
    } else if (!detail_->unique()) {
        auto copy = detail::make_intrusive<block>();
        copy->message = detail_->message;
        copy->where = detail_->where;
        copy->remote_type = detail_->remote_type;
        copy->payload = detail_->payload;
        copy->exception = detail_->exception;
        copy->retry_after = detail_->retry_after;
        detail_ = std::move(copy);
    }
    return *detail_;
}

FUTON_DETAIL_BODY std::string error::message() const {
    if (detail_ && !detail_->message.empty()) return detail_->message;
    if (category_ == nullptr)
        if (const auto words = usual_words(static_cast<errc>(value_)); !words.empty()) return std::string{words};
    return code().message();
}

FUTON_DETAIL_BODY error error::with_executed(executed ran) const {
    error copy{*this};
    copy.ran_ = ran;
    return copy;
}

FUTON_DETAIL_BODY error error::with_where(std::string where) const {
    error copy{*this};
    copy.own().where = std::move(where);
    return copy;
}

FUTON_DETAIL_BODY error error::with_retry_after(duration after) const {
    error copy{*this};
    copy.own().retry_after = after;
    return copy;
}

FUTON_DETAIL_BODY error error::with_remote_type(std::string type) const {
    error copy{*this};
    copy.own().remote_type = std::move(type);
    return copy;
}

FUTON_DETAIL_BODY error error::with_payload(bytes_view encoded) const {
    error copy{*this};
    copy.own().payload = as_text(encoded);
    return copy;
}

FUTON_DETAIL_BODY std::string error::describe() const {
    std::string text;
    if (!where().empty()) text.append(where()).append(": ");
    auto words = message();
    const auto code_words = code().message();
    // std::system_error ends what() with the words of its code.
    if (words.ends_with(": " + code_words)) words.resize(words.size() - code_words.size() - 2);
    text.append(code_words);
    if (words != code_words) text.append(": ").append(words);
    return text;
}

FUTON_DETAIL_BODY error error::from_exception(std::exception_ptr thrown, executed ran) {
    const auto keep = [&](error made) {
        made.own().exception = thrown;
        return made;
    };
    try {
        std::rethrow_exception(thrown);
    } catch (const rpc_error& e) {
        return e.detail();
    } catch (const std::system_error& e) {
        return keep({e.code(), e.what(), ran});
    } catch (const std::exception& e) {
        return keep({errc::remote_error, e.what(), ran});
    } catch (...) {
        return keep({errc::remote_error, "an exception that is not a std::exception", ran});
    }
}

FUTON_DETAIL_BODY void error::raise() const {
    if (detail_ && detail_->exception) std::rethrow_exception(detail_->exception);
    throw rpc_error{*this};
}

}  // namespace futon
