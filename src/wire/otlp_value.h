// What both OTLP decoders share: the memory they may use, and attribute values as text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "wire/otlp.h"
#include "wire/prometheus_protobuf_fields.h"

namespace stoker::wire::otlp::internal {

// Lists in lists in lists: deeper than this, an attribute is an attack.
inline constexpr int kMaxValueDepth = 16;

// Counts what the decoded request takes, and throws PastLimit when that is too much.
class Budget {
public:
    explicit Budget(const Limits& limits) : left_(limits.max_memory) {}

    void take(std::size_t bytes) {
        if (bytes > left_) throw PastLimit{"elements for the memory that a request may take"};
        left_ -= bytes;
    }

    template <typename T>
    T& add(std::vector<T>& list) {
        take(sizeof(T));
        return list.emplace_back();
    }
    void set(std::string& out, std::string_view text) {
        take(text.size());
        out.assign(text);
    }

private:
    std::size_t left_;
};

// As Go's and so OpenTelemetry's: "1.5", "1e+21", "NaN".
std::string double_text(double value);
// The same inside of JSON, which has no number for NaN and infinities: they are texts there.
std::string double_json(double value);
std::string base64(std::string_view bytes);
// Lower-case hex; empty if all bytes are zero, which is how an absent id looks.
std::string id_text(std::string_view bytes);

}  // namespace stoker::wire::otlp::internal
