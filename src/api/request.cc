#include "api/request.h"

#include <charconv>
#include <nlohmann/json.hpp>

namespace stoker::api {

std::optional<std::string> ApiRequest::param(std::string_view name) const {
    for (const auto& [key, value] : params) {
        if (key == name && !value.empty()) return value;
    }
    return std::nullopt;
}

Result<std::int64_t> ApiRequest::number(std::string_view name, std::int64_t fallback, std::int64_t most) const {
    auto text = param(name);
    if (!text) return fallback;
    std::int64_t value = 0;
    auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error != std::errc() || end != text->data() + text->size() || value < 0 || value > most) {
        return Error{Errc::InvalidArgument, "parameter " + std::string(name) + ": \"" + *text +
                                                "\" is not a whole number from 0 to " + std::to_string(most)};
    }
    return value;
}

net::Response json_response(std::string body, int status) {
    return {status, {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}}, std::move(body)};
}

net::Response text_response(std::string body, int status) {
    return {status, {{"Content-Type", "text/plain; charset=utf-8"}, {"Cache-Control", "no-store"}}, std::move(body)};
}

net::Response error_response(const Error& error) {
    nlohmann::json body = {{"status", "error"},
                           {"error", {{"code", std::string(to_string(error.code))}, {"message", error.message}}}};
    return json_response(body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
                         net::status_of(error.code));
}

}  // namespace stoker::api
