// The registry as samples and as Prometheus' text format 0.0.4.
#include <string>

#include "base/metrics.h"
#include "base/text.h"

namespace stoker::metrics {
namespace {

using Labels = std::vector<std::pair<std::string, std::string>>;
using Visit = std::function<void(const Exposed&)>;

// An empty label is the same as none.
Labels pair_up(const std::vector<std::string>& names, const LabelValues& values) {
    Labels labels;
    labels.reserve(names.size() + 1);
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (!values[i].empty()) labels.emplace_back(names[i], values[i]);
    }
    return labels;
}

template <typename Metric>
void expose(const std::string& name, const Family<Metric>& family, const Visit& visit) {
    family.each([&](const LabelValues& values, const Metric& metric) {
        const Labels labels = pair_up(family.label_names(), values);
        visit({name, labels, metric.value()});
    });
}

void expose(const std::string& name, const Family<Histogram>& family, const Visit& visit) {
    const std::string bucket_name = name + "_bucket";
    const std::string sum_name = name + "_sum";
    const std::string count_name = name + "_count";
    family.each([&](const LabelValues& values, const Histogram& histogram) {
        const Labels labels = pair_up(family.label_names(), values);
        Labels bucket_labels = labels;
        bucket_labels.emplace_back("le", "");
        // The sum is read first and the count made from the buckets: a count never trails the buckets it covers.
        const double sum = histogram.sum();
        std::uint64_t below = 0;
        for (std::size_t i = 0; i <= histogram.bounds().size(); ++i) {
            below += histogram.in_bucket(i);
            bucket_labels.back().second = i < histogram.bounds().size() ? format_number(histogram.bounds()[i]) : "+Inf";
            visit({bucket_name, bucket_labels, static_cast<double>(below)});
        }
        visit({sum_name, labels, sum});
        visit({count_name, labels, static_cast<double>(below)});
    });
}

// Help escapes backslash and line end; label values the quote as well.
void append_escaped(std::string& out, std::string_view text, bool quote) {
    for (char c : text) {
        if (c == '\\') {
            out += "\\\\";
        } else if (c == '\n') {
            out += "\\n";
        } else if (c == '"' && quote) {
            out += "\\\"";
        } else {
            out += c;
        }
    }
}

void append_sample(std::string& out, const Exposed& sample) {
    out += sample.name;
    char separator = '{';
    for (const auto& [name, value] : sample.labels) {
        out += separator;
        separator = ',';
        out += name;
        out += "=\"";
        append_escaped(out, value, true);
        out += '"';
    }
    if (separator == ',') out += '}';
    out += ' ';
    out += format_number(sample.value);
    out += '\n';
}

void append_head(std::string& out, const std::string& name, std::string_view help, std::string_view type) {
    out += "# HELP " + name + ' ';
    append_escaped(out, help, false);
    out += "\n# TYPE " + name + ' ';
    out += type;
    out += '\n';
}

}  // namespace

void Registry::each_sample(const Visit& visit) const {
    update();
    MutexLock lock(mutex_);
    for (const auto& [name, entry] : entries_) {
        if (entry.counter) expose(name, *entry.counter, visit);
        if (entry.gauge) expose(name, *entry.gauge, visit);
        if (entry.histogram) expose(name, *entry.histogram, visit);
    }
}

std::string Registry::text() const {
    update();
    std::string out;
    const Visit append = [&out](const Exposed& sample) { append_sample(out, sample); };
    MutexLock lock(mutex_);
    for (const auto& [name, entry] : entries_) {
        append_head(out, name, entry.help, entry.counter ? "counter" : entry.gauge ? "gauge" : "histogram");
        if (entry.counter) expose(name, *entry.counter, append);
        if (entry.gauge) expose(name, *entry.gauge, append);
        if (entry.histogram) expose(name, *entry.histogram, append);
    }
    return out;
}

}  // namespace stoker::metrics
