// How OTLP/HTTP answers, whatever the signal: in the encoding of the request, protobuf or JSON.
// opentelemetry.io/docs/specs/otlp, "OTLP/HTTP Response". Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "collect/push/push.h"
#include "net/http.h"

namespace stoker::collect {

class OtlpAnswer {
public:
    // By the Content-Type of the request.
    explicit OtlpAnswer(const PushRequest& request);

    bool json() const { return json_; }
    // Whether the Content-Type is one of OTLP's; if not, unknown_type() is the answer.
    bool known() const { return known_; }
    net::Response unknown_type() const;

    // A google.rpc.Status; 503 gets Retry-After.
    net::Response failed(int status, const std::string& message) const;

    // 200; with partialSuccess if something was rejected or is to be said. `field` is the signal's name for the number:
    // "rejectedDataPoints", "rejectedSpans", "rejectedLogRecords".
    net::Response taken(std::string_view field, std::size_t rejected, const std::string& why) const;

private:
    net::Response answer(int status, std::string body) const;

    bool json_ = false;
    bool known_ = false;
};

}  // namespace stoker::collect
