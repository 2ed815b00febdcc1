// Loki's push request (grafana.com/docs/loki/latest/reference/loki-http-api, "Ingest logs") as values, from protobuf
// and from JSON, and its label selectors as far as they name streams. Stateless and thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace stoker::wire::loki {

using Labels = std::vector<std::pair<std::string, std::string>>;

struct Line {
    std::int64_t time_ns = 0;
    std::string text;
    Labels metadata;  // Structured metadata: labels of this line alone.
};

struct Stream {
    Labels labels;
    std::vector<Line> lines;
};

struct Limits {
    std::size_t max_memory = std::size_t{512} << 20;  // Of the decoded request.
};

// `body` is what Content-Encoding and, for protobuf, snappy's block format leave. Errors: InvalidArgument (not such a
// request), ResourceExhausted (past a limit).
Result<std::vector<Stream>> parse_push_protobuf(std::string_view body, const Limits& limits = {});
Result<std::vector<Stream>> parse_push_json(std::string_view body, const Limits& limits = {});

// {app="x", job="y"}: labels as a stream has them. Errors: InvalidArgument.
Result<Labels> parse_labels(std::string_view text);
// The same the other way.
std::string labels_text(const Labels& labels);

// A log query that names streams and filters lines: {app="x", level!="debug"} |= "text" != "other". What is more
// (regular expressions of lines, parsers, metric queries) is refused.
struct Query {
    struct Matcher {
        std::string name;
        bool equal = true;
        std::string value;
    };
    std::vector<Matcher> matchers;
    std::vector<std::string> contains;
    std::vector<std::string> lacks;
};
// Errors: InvalidArgument, saying what is not understood and where.
Result<Query> parse_query(std::string_view text);

}  // namespace stoker::wire::loki
