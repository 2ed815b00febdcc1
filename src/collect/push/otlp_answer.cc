#include "collect/push/otlp_answer.h"

#include <protozero/pbf_writer.hpp>

#include "base/text.h"

namespace stoker::collect {
namespace {

// google.rpc.Code.
int rpc_code(int status) {
    switch (status) {
        case 400:
        case 415:
            return 3;  // INVALID_ARGUMENT
        case 413:
            return 8;  // RESOURCE_EXHAUSTED
        case 503:
            return 14;  // UNAVAILABLE
        default:
            return 13;  // INTERNAL
    }
}

}  // namespace

OtlpAnswer::OtlpAnswer(const PushRequest& request) {
    const std::string_view type = request.headers.get("content-type").value_or("");
    const std::string_view media = trim(type.substr(0, type.find(';')));
    json_ = equals_ignore_case(media, "application/json");
    known_ = json_ || equals_ignore_case(media, "application/x-protobuf");
}

net::Response OtlpAnswer::answer(int status, std::string body) const {
    net::Response response{status, {{"Content-Type", json_ ? "application/json" : "application/x-protobuf"}}, {}};
    if (status == 503) response.headers.add("Retry-After", "5");
    response.body = std::move(body);
    return response;
}

net::Response OtlpAnswer::unknown_type() const {
    return failed(415, "Content-Type must be application/x-protobuf or application/json");
}

net::Response OtlpAnswer::failed(int status, const std::string& message) const {
    if (json_) {
        return answer(status,
                      R"({"code":)" + std::to_string(rpc_code(status)) + R"(,"message":)" + quote_json(message) + "}");
    }
    std::string body;
    protozero::pbf_writer writer(body);
    writer.add_int32(1, rpc_code(status));
    writer.add_string(2, message);
    return answer(status, std::move(body));
}

net::Response OtlpAnswer::taken(std::string_view field, std::size_t rejected, const std::string& why) const {
    if (rejected == 0 && why.empty()) return answer(200, json_ ? "{}" : "");
    if (json_) {
        return answer(200, R"({"partialSuccess":{")" + std::string(field) + R"(":")" + std::to_string(rejected) +
                               R"(","errorMessage":)" + quote_json(why) + "}}");
    }
    std::string partial;
    protozero::pbf_writer writer(partial);
    writer.add_int64(1, static_cast<std::int64_t>(rejected));
    writer.add_string(2, why);
    std::string message;
    protozero::pbf_writer(message).add_message(1, partial);
    return answer(200, std::move(message));
}

}  // namespace stoker::collect
