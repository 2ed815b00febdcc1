#include "app/ask.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/http_call.h"

namespace stoker::app {
namespace {

// Both error shapes: Prometheus' {"error":"text"} and the console's {"error":{"message":"text"}}.
std::string message_of(const nlohmann::json& answer, int status) {
    if (answer.is_object() && answer.contains("error")) {
        const auto& error = answer["error"];
        if (error.is_string()) return error.get<std::string>();
        if (error.is_object() && error.contains("message")) return error["message"].get<std::string>();
    }
    return "the server answered " + std::to_string(status);
}

}  // namespace

Result<nlohmann::json> ask(const ClientOptions& client, const std::string& method, const std::string& path,
                           const Params& params, const std::string& body) {
    std::string target = path;
    for (const auto& [key, value] : params) {
        if (value.empty()) continue;
        target += target.find('?') == std::string::npos ? '?' : '&';
        target += key + "=" + net::url_encode(value);
    }
    TRY(auto response, call(client.server, method, target, body));
    auto answer = nlohmann::json::parse(response.body, nullptr, false);
    if (response.status >= 400) {
        return Error{response.status == 404 ? Errc::NotFound : Errc::InvalidArgument,
                     message_of(answer, response.status)};
    }
    if (answer.is_discarded())
        return Error{Errc::Internal, client.server + " did not answer in JSON; is it a Stoker console?"};
    return answer;
}

int fail(const Error& error) {
    std::fprintf(stderr, "stoker: %s\n", error.message.c_str());
    return 1;
}

}  // namespace stoker::app
