// Values as the Prometheus HTTP API writes them.
#include "promql/engine.h"
#include "promql/format.h"

namespace stoker::promql {

namespace {

void append_point(std::string& out, const tsdb::Sample& sample) {
    out += '[' + format_seconds(sample.time) + ",\"" + format_sample_value(sample.value) + "\"]";
}

std::string_view append_result(std::string& out, const Scalar& scalar) {
    append_point(out, scalar.sample);
    return "scalar";
}

std::string_view append_result(std::string& out, const Text& text) {
    out += '[' + format_seconds(text.time) + ',';
    append_json_string(out, text.value);
    out += ']';
    return "string";
}

std::string_view append_result(std::string& out, const Vector& vector) {
    out += '[';
    for (const VectorSample& element : vector) {
        if (&element != &vector.front()) out += ',';
        out += "{\"metric\":";
        append_json_labels(out, element.labels);
        out += ",\"value\":";
        append_point(out, element.sample);
        out += '}';
    }
    out += ']';
    return "vector";
}

std::string_view append_result(std::string& out, const Matrix& matrix) {
    out += '[';
    for (const MatrixSeries& series : matrix) {
        if (&series != &matrix.front()) out += ',';
        out += "{\"metric\":";
        append_json_labels(out, series.labels);
        out += ",\"values\":[";
        for (const tsdb::Sample& sample : series.samples) {
            if (&sample != &series.samples.front()) out += ',';
            append_point(out, sample);
        }
        out += "]}";
    }
    out += ']';
    return "matrix";
}

}  // namespace

std::string to_prometheus_json(const Value& value) {
    std::string result;
    const std::string_view type = std::visit([&](const auto& data) { return append_result(result, data); }, value.data);
    return "{\"resultType\":\"" + std::string(type) + "\",\"result\":" + result + "}";
}

}  // namespace stoker::promql
