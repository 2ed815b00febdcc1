// Values as the Prometheus HTTP API writes them.
#include <array>

#include "promql/engine.h"
#include "promql/format.h"
#include "promql/histogram_text.h"
#include "promql/number_text.h"

namespace stoker::promql {

namespace {

void append_point(std::string& out, const tsdb::Sample& sample, const tsdb::HistogramPtr& histogram = nullptr) {
    if (histogram != nullptr) {
        out += '[' + format_seconds(sample.time) + ',';
        append_json_histogram(out, *histogram);
        out += ']';
        return;
    }
    append_json_point(out, sample);
}

// The series' numbers, or its histograms; nothing if there are none of them.
void append_points(std::string& out, const MatrixSeries& series, bool histograms) {
    static const tsdb::HistogramPtr kNone;
    bool any = false;
    for (std::size_t i = 0; i < series.samples.size(); ++i) {
        const tsdb::HistogramPtr& histogram = series.histograms.empty() ? kNone : series.histograms[i];
        if ((histogram != nullptr) != histograms) continue;
        out += any ? "," : histograms ? ",\"histograms\":[" : ",\"values\":[";
        any = true;
        append_point(out, series.samples[i], histogram);
    }
    if (any) out += ']';
}

void append_result(std::string& out, const Scalar& scalar) {
    append_point(out, scalar.sample);
}

void append_result(std::string& out, const Text& text) {
    out += '[' + format_seconds(text.time) + ',';
    append_json_string(out, text.value);
    out += ']';
}

void append_result(std::string& out, const Vector& vector) {
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
}

void append_result(std::string& out, const Matrix& matrix) {
    // Room for nearly all there can be: growing would copy what is there again and again, and what is not used is never
    // touched.
    constexpr std::size_t kPoint = 34;
    std::size_t points = 0;
    for (const MatrixSeries& series : matrix) points += series.samples.size();
    out.reserve(out.size() + points * kPoint);
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
}

}  // namespace

void append_prometheus_json(std::string& out, const Value& value) {
    static constexpr std::array<std::string_view, 4> kTypes = {"scalar", "string", "vector", "matrix"};
    out += "{\"resultType\":\"";
    out += kTypes[value.data.index()];
    out += "\",\"result\":";
    std::visit([&](const auto& data) { append_result(out, data); }, value.data);
    out += '}';
}

std::string to_prometheus_json(const Value& value) {
    std::string out;
    append_prometheus_json(out, value);
    return out;
}

}  // namespace stoker::promql
