#include "wire/openmetrics_rules.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "wire/prometheus_text_line.h"

namespace stoker::wire::internal {
namespace {

constexpr std::size_t kMaxExemplarCharacters = 128;

// Independent of the labels' order, which exposers may change from line to line.
std::uint64_t hash_of(const std::pair<std::string_view, std::string_view>& label) {
    const std::uint64_t name = std::hash<std::string_view>{}(label.first);
    const std::uint64_t value = std::hash<std::string_view>{}(label.second);
    std::uint64_t mixed = (name ^ (value << 1 | value >> 63)) * 0x9e3779b97f4a7c15ULL;
    mixed ^= mixed >> 32;
    return mixed * 0xd6e8feb86659fd93ULL;
}

std::optional<std::string_view> label(const ExpositionSample& sample, std::string_view name) {
    for (const auto& [key, value] : sample.labels) {
        if (key == name) return value;
    }
    return std::nullopt;
}

std::size_t characters(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

bool OpenMetricsRules::fail(std::string message) {
    error_ = std::move(message);
    return false;
}

bool OpenMetricsRules::metadata(const ExpositionMetadata& metadata) {
    if (!open_ || metadata.family != family_) {
        if (!close_family() || !open_family(metadata.family, Type::Unknown, true)) return false;
    }
    if (has_samples_) return fail("the metadata of " + family_ + " comes after its samples");
    bool& seen = metadata.kind == ExpositionMetadata::Kind::Type   ? has_type_
                 : metadata.kind == ExpositionMetadata::Kind::Help ? has_help_
                                                                   : has_unit_;
    if (seen) return fail("the same metadata of " + family_ + " is given twice");
    seen = true;
    if (metadata.kind == ExpositionMetadata::Kind::Unit) unit_ = metadata.text;
    if (metadata.kind != ExpositionMetadata::Kind::Type) return true;
    static constexpr std::array<std::pair<std::string_view, Type>, 8> kTypes{{{"unknown", Type::Unknown},
                                                                              {"gauge", Type::Gauge},
                                                                              {"counter", Type::Counter},
                                                                              {"histogram", Type::Histogram},
                                                                              {"gaugehistogram", Type::GaugeHistogram},
                                                                              {"summary", Type::Summary},
                                                                              {"info", Type::Info},
                                                                              {"stateset", Type::StateSet}}};
    for (const auto& [name, type] : kTypes) {
        if (name == metadata.text) type_ = type;
    }
    return true;
}

bool OpenMetricsRules::open_family(std::string_view name, Type type, bool described) {
    family_ = name;
    type_ = type;
    open_ = true;
    has_type_ = has_help_ = has_unit_ = has_samples_ = false;
    unit_.clear();
    metrics_.clear();
    in_metric_ = false;
    // Described families know all of their names only once their type has been read.
    return described || reserve_names();
}

// The names that the family's samples may have are its own from now on.
bool OpenMetricsRules::reserve_names() {
    static constexpr std::array<std::string_view, 1> kPlain{""};
    static constexpr std::array<std::string_view, 3> kCounter{"", "_total", "_created"};
    static constexpr std::array<std::string_view, 5> kHistogram{"", "_bucket", "_count", "_sum", "_created"};
    static constexpr std::array<std::string_view, 4> kGaugeHistogram{"", "_bucket", "_gcount", "_gsum"};
    static constexpr std::array<std::string_view, 4> kSummary{"", "_count", "_sum", "_created"};
    static constexpr std::array<std::string_view, 2> kInfo{"", "_info"};
    const auto reserve = [this](const auto& suffixes) {
        for (const std::string_view suffix : suffixes) {
            if (!names_.insert(family_ + std::string(suffix)).second) {
                return fail("the name " + family_ + std::string(suffix) +
                            " was used before: a family's lines must be in one piece, and names must not clash");
            }
        }
        return true;
    };
    switch (type_) {
        case Type::Counter:
            return reserve(kCounter);
        case Type::Histogram:
            return reserve(kHistogram);
        case Type::GaugeHistogram:
            return reserve(kGaugeHistogram);
        case Type::Summary:
            return reserve(kSummary);
        case Type::Info:
            return reserve(kInfo);
        default:
            return reserve(kPlain);
    }
}

bool OpenMetricsRules::close_family() {
    if (!open_) return true;
    open_ = false;
    if (!close_point()) return false;
    if (!has_samples_ && !reserve_names()) return false;
    if (unit_.empty()) return true;
    if (type_ == Type::Info || type_ == Type::StateSet) return fail(family_ + " is of a type that has no unit");
    const bool named = family_.size() > unit_.size() + 1 && family_.ends_with("_" + unit_);
    return named || fail("the unit " + unit_ + " is not the end of the name " + family_);
}

bool OpenMetricsRules::end() {
    return close_family();
}

OpenMetricsRules::Role OpenMetricsRules::role_of(std::string_view name) {
    if (!open_ || !name.starts_with(family_)) return Role::Bad;
    const std::string_view suffix = name.substr(family_.size());
    const bool counting = type_ == Type::Histogram || type_ == Type::Summary;
    if (suffix.empty()) {
        if (type_ == Type::Summary) return Role::Quantile;
        const bool plain = type_ == Type::Unknown || type_ == Type::Gauge || type_ == Type::StateSet;
        return plain ? Role::Value : Role::Bad;
    }
    if (suffix == "_total" && type_ == Type::Counter) return Role::Total;
    if (suffix == "_created" && (counting || type_ == Type::Counter)) return Role::Created;
    if (suffix == "_bucket" && counts()) return Role::Bucket;
    if (suffix == (type_ == Type::GaugeHistogram ? "_gcount" : "_count") && (counting || counts())) return Role::Count;
    if (suffix == (type_ == Type::GaugeHistogram ? "_gsum" : "_sum") && (counting || counts())) return Role::Sum;
    return suffix == "_info" && type_ == Type::Info ? Role::Value : Role::Bad;
}

OpenMetricsRules::Role OpenMetricsRules::sample(const ExpositionSample& sample) {
    new_metric_ = false;
    Role role = role_of(sample.name);
    if (role == Role::Bad) {
        if (open_ && sample.name == family_) {
            fail("a sample of " + family_ + " needs one of the suffixes of its type");
            return Role::Bad;
        }
        if (!close_family() || !open_family(sample.name, Type::Unknown, false)) return Role::Bad;
        role = Role::Value;
        has_samples_ = true;
    } else if (!has_samples_) {
        has_samples_ = true;
        if (!reserve_names()) return Role::Bad;
    }
    const bool fine =
        enter_metric(sample, role) && enter_time(sample, role) && check(sample, role) && check_exemplar(sample, role);
    return fine ? role : Role::Bad;
}

bool OpenMetricsRules::enter_metric(const ExpositionSample& sample, Role role) {
    const std::string_view apart = role == Role::Bucket      ? std::string_view("le")
                                   : role == Role::Quantile  ? std::string_view("quantile")
                                   : type_ == Type::StateSet ? std::string_view(family_)
                                                             : std::string_view();
    std::uint64_t metric = 0;
    for (const auto& pair : sample.labels) {
        if (apart.empty() || pair.first != apart) metric += hash_of(pair);
    }
    if (in_metric_ && metric == metric_) return true;
    if (!close_point()) return false;
    new_metric_ = in_metric_ = true;
    metric_ = metric;
    time_ = sample.time_ms;
    return metrics_.insert(metric).second || fail("the lines of one metric of " + family_ + " are not together");
}

// Within a metric, points follow each other in time.
bool OpenMetricsRules::enter_time(const ExpositionSample& sample, Role role) {
    if (sample.time_ms == time_) return true;
    if (!sample.time_ms || !time_) return fail("a metric of " + family_ + " has samples with and without timestamps");
    if (*sample.time_ms < *time_) return fail("the timestamps of a metric of " + family_ + " go back");
    if (role == Role::Created) return true;  // It says the same of all points.
    time_ = sample.time_ms;
    return close_point();
}

bool OpenMetricsRules::close_point() {
    const Point point = point_;
    point_ = {};
    if (!counts()) return true;
    const bool any = point.last_bound || point.count || point.sum || point.created;
    if (!any) return true;
    if (!point.infinite) return fail("a histogram of " + family_ + " has no bucket le=\"+Inf\"");
    if (point.count && *point.count != *point.infinite) {
        return fail("the count of " + family_ + " is not that of its bucket le=\"+Inf\"");
    }
    if (point.count.has_value() != point.sum.has_value()) {
        return fail("a histogram of " + family_ + " has only one of count and sum");
    }
    if (point.sum && type_ == Type::Histogram) {
        if (point.negative_bounds) return fail(family_ + " has buckets below zero, so it cannot have a sum");
        if (*point.sum < 0) return fail("the sum of " + family_ + " is negative");
    }
    return true;
}

bool OpenMetricsRules::once(std::optional<double>& slot, double value, const char* what) {
    if (slot) return fail(std::string("a second ") + what + " of the same metric of " + family_);
    slot = value;
    return true;
}

bool OpenMetricsRules::check(const ExpositionSample& sample, Role role) {
    const bool negative = !(sample.value >= 0);  // NaN too.
    switch (role) {
        case Role::Bucket:
            return check_bucket(sample);
        case Role::Quantile:
            return check_quantile(sample);
        case Role::Total:
            if (negative) return fail("the counter " + family_ + " is negative or NaN");
            if (point_.value) return fail("a second value of the same metric of " + family_);
            return point_.value = true;
        case Role::Count:
            if (negative) return fail("the count of " + family_ + " is negative or NaN");
            return once(point_.count, sample.value, "count");
        case Role::Sum:
            if (type_ == Type::Summary && negative) return fail("the sum of " + family_ + " is negative or NaN");
            return once(point_.sum, sample.value, "sum");
        case Role::Created:
            if (negative) return fail("the creation time of " + family_ + " is negative or NaN");
            return once(point_.created, sample.value, "creation time");
        default:
            return check_value(sample);
    }
}

bool OpenMetricsRules::check_value(const ExpositionSample& sample) {
    if (type_ == Type::StateSet) {
        if (!label(sample, family_)) return fail("the state set " + family_ + " has no label " + family_);
        return sample.value == 0 || sample.value == 1 || fail("a state of " + family_ + " is neither 0 nor 1");
    }
    if (type_ == Type::Info && sample.value != 1) return fail("the info " + family_ + " is not 1");
    if (point_.value) return fail("a second value of the same metric of " + family_);
    return point_.value = true;
}

bool OpenMetricsRules::check_bucket(const ExpositionSample& sample) {
    const auto text = label(sample, "le");
    double bound = 0;
    if (!text || !parse_value(*text, bound) || std::isnan(bound)) {
        return fail("a bucket of " + family_ + " has no label le with a number");
    }
    if (!(sample.value >= 0)) return fail("a bucket of " + family_ + " is negative or NaN");
    if (point_.last_bound && bound <= *point_.last_bound)
        return fail("the buckets of " + family_ + " are not in order");
    if (point_.last_bound && sample.value < point_.last_count) return fail("the buckets of " + family_ + " decrease");
    point_.last_bound = bound;
    point_.last_count = sample.value;
    point_.negative_bounds = point_.negative_bounds || bound < 0;
    if (std::isinf(bound) && bound > 0) point_.infinite = sample.value;
    return true;
}

bool OpenMetricsRules::check_quantile(const ExpositionSample& sample) {
    const auto text = label(sample, "quantile");
    double quantile = 0;
    if (!text || !parse_value(*text, quantile) || !(quantile >= 0 && quantile <= 1)) {
        return fail("a sample of the summary " + family_ + " has no label quantile between 0 and 1");
    }
    return !(sample.value < 0) || fail("a quantile of " + family_ + " is negative");
}

bool OpenMetricsRules::check_exemplar(const ExpositionSample& sample, Role role) {
    if (sample.exemplar == nullptr) return true;
    if (role != Role::Bucket && role != Role::Total) {
        return fail("only buckets and counters have exemplars, not " + std::string(sample.name));
    }
    std::size_t length = 0;
    for (const auto& [name, value] : sample.exemplar->labels) length += characters(name) + characters(value);
    return length <= kMaxExemplarCharacters ||
           fail("the exemplar's labels have " + std::to_string(length) + " characters, the limit is 128");
}

}  // namespace stoker::wire::internal
