#include "api/federate_text.h"

#include <algorithm>

#include "base/text.h"
#include "collect/push/remote_write_convert.h"
#include "wire/prometheus_protobuf_encoder.h"

namespace stoker::api {
namespace {

bool legacy_char(char c, bool first, bool colon) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colon && c == ':');
    return letter || (!first && c >= '0' && c <= '9');
}

bool legacy_name(std::string_view name, bool colon) {
    bool first = true;
    return !name.empty() && std::all_of(name.begin(), name.end(),
                                        [&](char c) { return legacy_char(c, std::exchange(first, false), colon); });
}

// Bytes of one character beyond ASCII become one '_' together.
std::string underscored(std::string_view name, bool colon) {
    std::string out;
    for (const char c : name) {
        if ((static_cast<unsigned char>(c) & 0xc0) == 0x80) continue;
        out += legacy_char(c, out.empty(), colon) ? c : '_';
    }
    return out;
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '\\' || c == '"') out += '\\';
        if (c == '\n') {
            out += "\\n";
        } else {
            out += c;
        }
    }
    return out + "\"";
}

class Writer {
public:
    explicit Writer(NameEscaping escaping) : escaping_(escaping) {}

    void type(std::string_view metric, std::string_view type) {
        out_ += "# TYPE " + shown(metric, true) + " " + std::string(type) + "\n";
    }

    void line(std::string_view metric, const tsdb::Labels& labels, std::string_view le, double value,
              std::int64_t time) {
        const bool plain = escaping_ == NameEscaping::Underscores || legacy_name(metric, true);
        std::string inner = plain ? "" : quoted(metric);
        const auto add = [&](std::string_view name, std::string_view text) {
            if (!inner.empty()) inner += ',';
            inner += shown(name, false) + "=" + quoted(text);
        };
        for (const auto& [name, text] : labels) {
            if (name != tsdb::kMetricName) add(name, text);
        }
        if (!labels.has("instance")) add("instance", "");
        if (!le.empty()) add("le", le);
        if (plain) out_ += shown(metric, true);
        out_ += "{" + inner + "} " + format_number(value) + " " + std::to_string(time) + "\n";
    }

    std::string take() { return std::move(out_); }

private:
    std::string shown(std::string_view name, bool colon) const {
        if (legacy_name(name, colon)) return std::string(name);
        return escaping_ == NameEscaping::Underscores ? underscored(name, colon) : quoted(name);
    }

    const NameEscaping escaping_;
    std::string out_;
};

}  // namespace

std::string federated_text(const std::vector<FederatedSample>& samples, NameEscaping escaping) {
    Writer writer(escaping);
    const FederatedSample* before = nullptr;
    for (const FederatedSample& one : samples) {
        const std::string metric(one.labels.metric());
        const bool histogram = one.histogram != nullptr;
        const bool same =
            before != nullptr && before->labels.metric() == metric && (before->histogram != nullptr) == histogram;
        if (!same) writer.type(metric, histogram ? "histogram" : "untyped");
        before = &one;
        const std::int64_t time = one.sample.time;
        if (!histogram) {
            writer.line(metric, one.labels, "", one.sample.value, time);
            continue;
        }
        writer.line(metric + "_bucket", one.labels, "+Inf", one.histogram->count, time);
        writer.line(metric + "_sum", one.labels, "", one.histogram->sum, time);
        writer.line(metric + "_count", one.labels, "", one.histogram->count, time);
    }
    return writer.take();
}

std::string federated_protobuf(const std::vector<FederatedSample>& samples, NameEscaping escaping) {
    using wire::EncodedFamily;
    const auto shown = [escaping](std::string_view name, bool colon) {
        const bool keep = escaping == NameEscaping::None || legacy_name(name, colon);
        return keep ? std::string(name) : underscored(name, colon);
    };
    wire::ProtobufExpositionEncoder encoder;
    std::string family;
    EncodedFamily type = EncodedFamily::Untyped;
    for (const FederatedSample& one : samples) {
        const std::string name = shown(one.labels.metric(), true);
        const bool gauge = one.histogram && one.histogram->reset_hint == tsdb::Histogram::ResetHint::Gauge;
        const EncodedFamily wanted = gauge           ? EncodedFamily::GaugeHistogram
                                     : one.histogram ? EncodedFamily::Histogram
                                                     : EncodedFamily::Untyped;
        if (name != family || wanted != type) encoder.begin_family(name, wanted);
        family = name;
        type = wanted;
        std::vector<std::pair<std::string, std::string_view>> owned;
        for (const auto& [label, text] : one.labels) {
            if (label != tsdb::kMetricName) owned.emplace_back(shown(label, false), text);
        }
        if (!one.labels.has("instance")) owned.emplace_back("instance", "");
        const std::vector<std::pair<std::string_view, std::string_view>> labels(owned.begin(), owned.end());
        if (one.histogram) {
            encoder.add(labels, collect::to_wire(*one.histogram, one.sample.time, 0), one.sample.time);
        } else {
            encoder.add(labels, one.sample.value, one.sample.time);
        }
    }
    return encoder.finish();
}

}  // namespace stoker::api
