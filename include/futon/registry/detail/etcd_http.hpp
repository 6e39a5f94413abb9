// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Requests to the JSON gateway of one of several etcd servers, by libcurl: answers, and streams of lines.
/// One thing because both are transfers of the same libcurl handle, by the same choice of the server.

#include <futon/core/error.hpp>
#include <futon/core/result.hpp>
#include <futon/core/time.hpp>
#include <futon/registry/detail/json_parts.hpp>
#include <futon/registry/etcd_registry_options.hpp>

#include <curl/curl.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace futon::detail {

/// An answer, or why there is none.
struct etcd_outcome {
    result<nlohmann::json> answer;
    int code = 0;  ///< Of gRPC, where the server said one: 5 is not found, 16 unauthenticated.
};

/// Thread-safety: one thread at a time, except `wake`. Nothing is called but inside `step`.
class etcd_http {
public:
    using on_done = std::function<void(etcd_outcome)>;
    using on_line = std::function<void(const nlohmann::json&)>;

    /// `servers` are like "http://127.0.0.1:2379" or "https://etcd-1:2379".
    etcd_http(std::vector<std::string> servers, std::string user, std::string password, duration timeout,
              etcd_tls_options tls = {})
        : servers_{std::move(servers)},
          user_{std::move(user)},
          password_{std::move(password)},
          timeout_{timeout},
          tls_{std::move(tls)} {
        static std::once_flag once;
        std::call_once(once, [] { ::curl_global_init(CURL_GLOBAL_DEFAULT); });
        multi_.reset(::curl_multi_init());
    }
    etcd_http(const etcd_http&) = delete;
    etcd_http& operator=(const etcd_http&) = delete;
    ~etcd_http() {
        for (auto& [id, each] : requests_) ::curl_multi_remove_handle(multi_.get(), each->easy.get());
    }

    void post(std::string path, const nlohmann::json& body, on_done done) {
        start(std::move(path), body.dump(), {}, std::move(done));
    }
    /// An answer without an end: `line` for each of its lines,
    /// `done` when it ends all the same. The number is for `cancel`.
    std::uint64_t stream(std::string path, const nlohmann::json& body, on_line line, on_done done) {
        return start(std::move(path), body.dump(), std::move(line), std::move(done));
    }
    /// It ends without a word.
    void cancel(std::uint64_t id) {
        const auto found = requests_.find(id);
        if (found == requests_.end()) return;
        ::curl_multi_remove_handle(multi_.get(), found->second->easy.get());
        requests_.erase(found);
    }
    /// Sends and receives until something happened, `wake` was called, or `until`; then tells what ended.
    void step(time_point until) {
        int running = 0;
        ::curl_multi_perform(multi_.get(), &running);
        if (!tell()) {
            const auto left =
                std::chrono::ceil<std::chrono::milliseconds>(std::max(duration::zero(), until - clock::now()));
            ::curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(std::min<std::int64_t>(left.count(), 60'000)),
                              nullptr);
            ::curl_multi_perform(multi_.get(), &running);
            static_cast<void>(tell());
        }
    }
    /// Thread-safety: safe.
    void wake() noexcept { ::curl_multi_wakeup(multi_.get()); }
    [[nodiscard]] std::size_t under_way() const noexcept { return requests_.size() + waiting_.size(); }

private:
    static constexpr std::size_t most_bytes = std::size_t{64} * 1024 * 1024;

    struct easy_end {
        void operator()(CURL* each) const noexcept { ::curl_easy_cleanup(each); }
    };
    struct multi_end {
        void operator()(CURLM* each) const noexcept { ::curl_multi_cleanup(each); }
    };
    struct list_end {
        void operator()(curl_slist* each) const noexcept { ::curl_slist_free_all(each); }
    };
    struct request {
        std::uint64_t id = 0;
        std::string path{};
        std::string body{};
        std::string received{};
        on_line line{};
        on_done done{};
        std::string token{};    // It was sent with.
        bool repeated = false;  // With another token.
        std::size_t server = 0;
        std::array<char, CURL_ERROR_SIZE> why{};  // What libcurl has to say of a failure.
        std::unique_ptr<CURL, easy_end> easy{};
        std::unique_ptr<curl_slist, list_end> headers{};
    };

    std::uint64_t start(std::string path, std::string body, on_line line, on_done done) {
        auto made = std::make_unique<request>();
        made->id = ++last_id_;
        made->path = std::move(path);
        made->body = std::move(body);
        made->line = std::move(line);
        made->done = std::move(done);
        const auto id = made->id;
        send_with_token(std::move(made));
        return id;
    }
    void send_with_token(std::unique_ptr<request> which) {
        if (user_.empty() || !token_.empty()) return send(std::move(which));
        waiting_.push_back(std::move(which));
        authenticate();
    }
    void send(std::unique_ptr<request> which) {
        auto& it = *which;
        it.easy.reset(::curl_easy_init());
        it.server = server_;
        it.token = token_;
        const auto url = servers_[server_] + it.path;
        auto* const easy = it.easy.get();
        it.headers.reset(::curl_slist_append(nullptr, "Content-Type: application/json"));
        // No question before the body, and no wait for its answer.
        it.headers.reset(::curl_slist_append(it.headers.release(), "Expect:"));
        if (!token_.empty())
            it.headers.reset(::curl_slist_append(it.headers.release(), ("Authorization: " + token_).c_str()));
        const auto milliseconds = static_cast<long>(std::chrono::ceil<std::chrono::milliseconds>(timeout_).count());
        ::curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
        ::curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        ::curl_easy_setopt(easy, CURLOPT_PROXY, "");
        ::curl_easy_setopt(easy, CURLOPT_HTTPHEADER, it.headers.get());
        ::curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(it.body.size()));
        ::curl_easy_setopt(easy, CURLOPT_POSTFIELDS, it.body.c_str());
        ::curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds);
        if (!it.line) ::curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, milliseconds);
        ::curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
        ::curl_easy_setopt(easy, CURLOPT_PRIVATE, &it);
        ::curl_easy_setopt(easy, CURLOPT_WRITEDATA, &it);
        ::curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &etcd_http::take);
        ::curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, it.why.data());
        if (url.starts_with("https:")) secure(easy);
        ::curl_multi_add_handle(multi_.get(), easy);
        requests_.emplace(it.id, std::move(which));
    }
    void secure(CURL* easy) const {
        ::curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
        ::curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
        ::curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, tls_.verify_name ? 2L : 0L);
        if (!tls_.ca_file.empty()) {
            ::curl_easy_setopt(easy, CURLOPT_CAINFO, tls_.ca_file.c_str());
            ::curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);  // Those of the system do not count.
        }
        if (tls_.certificate_file.empty()) return;
        ::curl_easy_setopt(easy, CURLOPT_SSLCERT, tls_.certificate_file.c_str());
        ::curl_easy_setopt(easy, CURLOPT_SSLKEY,
                           (tls_.key_file.empty() ? tls_.certificate_file : tls_.key_file).c_str());
    }
    static std::size_t take(char* bytes, std::size_t one, std::size_t count, void* whose) {
        auto& it = *static_cast<request*>(whose);
        if (it.received.size() + one * count > most_bytes) return 0;
        it.received.append(bytes, one * count);
        return one * count;
    }

    // True if something was told.
    [[nodiscard]] bool tell() {
        bool told = false;
        std::vector<std::uint64_t> streams;
        for (const auto& [id, each] : requests_)
            if (each->line && each->received.find('\n') != std::string::npos) streams.push_back(id);
        for (const auto id : streams) told = tell_lines(id) || told;
        int left = 0;
        while (const auto* const message = ::curl_multi_info_read(multi_.get(), &left)) {
            if (message->msg != CURLMSG_DONE) continue;
            void* found = nullptr;
            ::curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &found);
            const auto code = message->data.result;
            ::curl_multi_remove_handle(multi_.get(), message->easy_handle);
            const auto at = requests_.find(static_cast<request*>(found)->id);
            auto ended = std::move(at->second);
            requests_.erase(at);
            finish(std::move(ended), code);
            told = true;
        }
        return told;
    }
    [[nodiscard]] bool tell_lines(std::uint64_t id) {
        for (bool told = false;; told = true) {
            const auto found = requests_.find(id);  // It may be cancelled by what it tells.
            if (found == requests_.end()) return true;
            auto& received = found->second->received;
            const auto end = received.find('\n');
            if (end == std::string::npos) return told;
            const auto parsed = nlohmann::json::parse(std::string_view{received}.substr(0, end), nullptr, false);
            received.erase(0, end + 1);
            const auto line = found->second->line;
            line(parsed);
        }
    }
    [[nodiscard]] static bool is_of_tls(CURLcode how) noexcept {
        switch (how) {
            case CURLE_SSL_CONNECT_ERROR:
            case CURLE_PEER_FAILED_VERIFICATION:
            case CURLE_SSL_CERTPROBLEM:
            case CURLE_SSL_CIPHER:
            case CURLE_SSL_CACERT_BADFILE:
            case CURLE_SSL_ISSUER_ERROR: return true;
            default: return false;
        }
    }
    void finish(std::unique_ptr<request> ended, CURLcode how) {
        auto& which = *ended;
        long status = 0;
        ::curl_easy_getinfo(which.easy.get(), CURLINFO_RESPONSE_CODE, &status);
        const auto& server = servers_[which.server];
        const auto elsewhere = [&] {
            if (server_ == which.server) server_ = (server_ + 1) % servers_.size();
        };
        if (how != CURLE_OK || which.line) {
            elsewhere();
            const std::string why = how == CURLE_OK     ? "the stream ended"
                                    : which.why[0] != 0 ? which.why.data()
                                                        : ::curl_easy_strerror(how);
            const auto kind = how == CURLE_OK || !is_of_tls(how) ? errc::unavailable : errc::tls_failed;
            return which.done({error{kind, "etcd at " + server + ": " + why,
                                     kind == errc::tls_failed ? executed::no : executed::maybe},
                               0});
        }
        // A unary answer may come as a stream of one line.
        auto answer = nlohmann::json::parse(which.received, nullptr, false);
        const int code = static_cast<int>(json_number(answer, "code"));
        if (status != 200 || answer.is_discarded()) {
            const auto text = json_text(answer, "error");
            const bool unknown = status == 401 || code == 16 || text.find("user name is empty") != text.npos ||
                                 text.find("invalid auth token") != text.npos;
            if (unknown && which.token == token_) token_.clear();
            // Tokens end, and a server that was restarted knows none: the request is not at fault.
            if (unknown && !which.token.empty() && !std::exchange(which.repeated, true)) {
                which.received.clear();
                return send_with_token(std::move(ended));
            }
            if (status >= 500) elsewhere();
            const auto kind = unknown                      ? errc::unauthenticated
                              : status == 403 || code == 7 ? errc::permission_denied
                                                           : errc::unavailable;
            return which.done(
                {error{kind,
                       "etcd at " + server + ": " + (text.empty() ? "HTTP status " + std::to_string(status) : text),
                       executed::maybe},
                 code});
        }
        which.done({std::move(answer), 0});
    }
    void authenticate() {
        if (std::exchange(authenticating_, true)) return;
        auto made = std::make_unique<request>();
        made->id = ++last_id_;
        made->path = "/v3/auth/authenticate";
        made->body = nlohmann::json{{"name", user_}, {"password", password_}}.dump();
        made->done = [this](etcd_outcome how) {
            authenticating_ = false;
            auto waiting = std::exchange(waiting_, {});
            if (how.answer) token_ = json_text(*how.answer, "token");
            for (auto& each : waiting) {
                if (!token_.empty()) {
                    send(std::move(each));
                    continue;
                }
                const bool unreachable = !how.answer && how.code == 0;
                each->done({unreachable ? how.answer.error()
                                        : error{errc::unauthenticated, "etcd does not know the user '" + user_ + "'",
                                                executed::no},
                            16});
            }
        };
        send(std::move(made));
    }

    const std::vector<std::string> servers_;
    const std::string user_;
    const std::string password_;
    const duration timeout_;
    const etcd_tls_options tls_;
    std::unique_ptr<CURLM, multi_end> multi_;
    std::map<std::uint64_t, std::unique_ptr<request>> requests_;
    std::vector<std::unique_ptr<request>> waiting_;  // For a token.
    std::string token_;
    bool authenticating_ = false;
    std::size_t server_ = 0;
    std::uint64_t last_id_ = 0;
};

}  // namespace futon::detail
