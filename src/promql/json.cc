// Values as the Prometheus HTTP API writes them.
#include "promql/engine.h"
#include "promql/format.h"
#include "promql/histogram_text.h"

namespace stoker::promql {

namespace {

void append_point(std::string& out, const tsdb::Sample& sample, const tsdb::HistogramPtr& histogram = nullptr) {
    if (histogram != nullptr) {
        out += '[' + format_seconds(sample.time) + ',';
        append_json_histogram(out, *histogram);
        out += ']';
        return;
    }
    out += '[' + format_seconds(sample.time) + ",\"" + format_sample_value(sample.value) + "\"]";
}

// The series' numbers, or its histograms; nothing if there are none of them.
void append_points(std::string& out, const MatrixSeries& series, bool histograms) {
    bool any = false;
    for (std::size_t i = 0; i < series.samples.size(); ++i) {
        const tsdb::HistogramPtr histogram = series.histograms.empty() ? nullptr : series.histograms[i];
        if ((histogram != nullptr) != histograms) continue;
        out += any ? "," : histograms ? ",\"histograms\":[" : ",\"values\":[";
        any = true;
        append_point(out, series.samples[i], histogram);
    }
    if (any) out += ']';
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
        out += element.histogram ? ",\"histogram\":" : ",\"value\":";
        append_point(out, element.sample, element.histogram);
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
        append_points(out, series, false);
        if (!series.histograms.empty()) append_points(out, series, true);
        out += '}';
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
