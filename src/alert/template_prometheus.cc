// The template functions that Prometheus adds to Go's.
#include <arpa/inet.h>
#include <re2/re2.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "alert/template_functions.h"
#include "base/text.h"
#include "promql/histogram_text.h"

namespace stoker::alert::internal {
namespace {

Error wrong(std::string message) {
    return Error{Errc::InvalidArgument, std::move(message)};
}

const std::string& text_of(const TemplateValue& value) {
    return std::get<std::string>(value);
}

// Texts that hold a number count as one.
Result<double> number_of(const TemplateValue& value) {
    if (const auto* number = std::get_if<double>(&value)) return *number;
    if (const auto* number = std::get_if<std::int64_t>(&value)) return static_cast<double>(*number);
    if (const auto* span = std::get_if<SpanValue>(&value)) return static_cast<double>(span->nanos) / 1e9;
    if (const auto* text = std::get_if<std::string>(&value)) {
        if (const auto number = parse_number(*text)) return *number;
        return wrong("strconv.ParseFloat: parsing " + quote_json(*text) + ": invalid syntax");
    }
    return wrong("can't convert " + std::string(type_name(value)) + " to float");
}

template <std::string (*function)(double)>
Result<TemplateValue> of_number(const Arguments& args, FunctionContext&) {
    TRY(const double number, number_of(args[0]));
    return TemplateValue(function(number));
}

// Times and durations of Go are counted in nanoseconds.
Result<std::int64_t> nanos_of(double seconds, std::string_view what) {
    const double nanos = seconds * 1e9;
    if (std::isnan(nanos) || nanos >= 9223372036854775808.0 || nanos < -9223372036854775808.0) {
        return wrong(to_text(seconds) + " cannot be represented as a nanoseconds " + std::string(what) +
                     " since it overflows int64");
    }
    return static_cast<std::int64_t>(nanos);
}

Result<TimeValue> time_of(double seconds) {
    TRY(const std::int64_t nanos, nanos_of(seconds, "timestamp"));
    return TimeValue{nanos / 1'000'000 - (nanos % 1'000'000 < 0 ? 1 : 0)};
}

Result<TemplateValue> humanize_timestamp(const Arguments& args, FunctionContext&) {
    TRY(const double seconds, number_of(args[0]));
    if (!std::isfinite(seconds)) return TemplateValue(four_digits(seconds));
    TRY(const TimeValue time, time_of(seconds));
    return TemplateValue(time_text(time));
}

Result<TemplateValue> to_time(const Arguments& args, FunctionContext&) {
    TRY(const double seconds, number_of(args[0]));
    TRY(const TimeValue time, time_of(seconds));
    return TemplateValue(time);
}

Result<TemplateValue> to_duration(const Arguments& args, FunctionContext&) {
    TRY(const double seconds, number_of(args[0]));
    TRY(const std::int64_t nanos, nanos_of(seconds, "duration"));
    return TemplateValue(SpanValue{nanos});
}

Result<TemplateValue> now(const Arguments&, FunctionContext& context) {
    return TemplateValue(static_cast<double>(to_millis(context.at)) / 1000);
}

Result<TemplateValue> parse_span(const Arguments& args, FunctionContext&) {
    TRY(const Duration duration, parse_duration(text_of(args[0])));
    return TemplateValue(static_cast<double>(duration.count()) / 1000);
}

Result<TemplateValue> query(const Arguments& args, FunctionContext& context) {
    if (context.query == nullptr || !*context.query) return wrong("queries are not available here");
    if (++context.queries > context.limits.queries) {
        return Error{Errc::ResourceExhausted, "more than " + std::to_string(context.limits.queries) + " queries"};
    }
    if (std::chrono::steady_clock::now() > context.deadline) {
        return Error{Errc::DeadlineExceeded, "the template takes too long"};
    }
    TRY(const promql::Value value, (*context.query)(text_of(args[0]), context.at));
    auto list = std::make_shared<ListValue>();
    if (const auto* scalar = std::get_if<promql::Scalar>(&value.data)) {
        list->elements.emplace_back(sample_value({}, scalar->sample.value));
    } else if (const auto* vector = std::get_if<promql::Vector>(&value.data)) {
        for (const promql::VectorSample& sample : *vector) {
            TemplateValue shown = sample.sample.value;
            if (sample.histogram != nullptr) shown = promql::histogram_text(*sample.histogram);
            list->elements.emplace_back(sample_value(sample.labels, std::move(shown)));
        }
    } else {
        return wrong("query result is not a vector or scalar");
    }
    return TemplateValue(ListPtr(std::move(list)));
}

Result<TemplateValue> first(const Arguments& args, FunctionContext&) {
    const auto& elements = std::get<ListPtr>(args[0])->elements;
    if (elements.empty()) return wrong("first() called on vector with no elements");
    return elements[0];
}

std::string label_of(const TemplateValue& sample, const std::string& name) {
    const auto* struct_value = std::get_if<MapPtr>(&sample);
    if (struct_value == nullptr) return "";
    const auto labels = (*struct_value)->entries.find("Labels");
    if (labels == (*struct_value)->entries.end()) return "";
    const auto* map = std::get_if<MapPtr>(&labels->second);
    if (map == nullptr) return "";
    const auto found = (*map)->entries.find(name);
    const auto* text = found == (*map)->entries.end() ? nullptr : std::get_if<std::string>(&found->second);
    return text == nullptr ? "" : *text;
}

Result<TemplateValue> label(const Arguments& args, FunctionContext&) {
    return TemplateValue(label_of(args[1], text_of(args[0])));
}

Result<TemplateValue> value(const Arguments& args, FunctionContext&) {
    return std::get<MapPtr>(args[0])->entries.at("Value");
}

Result<TemplateValue> strvalue(const Arguments& args, FunctionContext&) {
    return TemplateValue(label_of(args[0], "__value__"));
}

Result<TemplateValue> sort_by_label(const Arguments& args, FunctionContext&) {
    auto sorted = std::make_shared<ListValue>(*std::get<ListPtr>(args[1]));
    const std::string& name = text_of(args[0]);
    std::stable_sort(
        sorted->elements.begin(), sorted->elements.end(),
        [&](const TemplateValue& a, const TemplateValue& b) { return label_of(a, name) < label_of(b, name); });
    return TemplateValue(ListPtr(std::move(sorted)));
}

Result<TemplateValue> args_map(const Arguments& args, FunctionContext&) {
    auto map = std::make_shared<MapValue>();
    map->kind = MapValue::Kind::Anything;
    for (std::size_t i = 0; i < args.size(); ++i) {
        map->entries.emplace("arg" + std::to_string(i), args[i]);
        map->nesting = std::max(map->nesting, nesting(args[i]) + 1);
    }
    if (map->nesting > 100) return Error{Errc::ResourceExhausted, "maps nested too deep"};
    return TemplateValue(MapPtr(std::move(map)));
}

std::string cased(std::string text, int (*change)(int)) {
    std::transform(text.begin(), text.end(), text.begin(), [change](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x80 ? static_cast<char>(change(byte)) : c;
    });
    return text;
}

Result<TemplateValue> to_upper(const Arguments& args, FunctionContext&) {
    return TemplateValue(cased(text_of(args[0]), std::toupper));
}

Result<TemplateValue> to_lower(const Arguments& args, FunctionContext&) {
    return TemplateValue(cased(text_of(args[0]), std::tolower));
}

// The first letter of each word large; letters, digits and _ make words.
Result<TemplateValue> title(const Arguments& args, FunctionContext&) {
    std::string text = text_of(args[0]);
    bool begins = true;
    for (char& c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool within = std::isalnum(byte) != 0 || c == '_' || byte >= 0x80;
        if (begins && byte < 0x80) c = static_cast<char>(std::toupper(byte));
        begins = !within;
    }
    return TemplateValue(std::move(text));
}

Result<std::unique_ptr<RE2>> compile(const std::string& pattern) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(std::int64_t{8} << 20);
    auto expression = std::make_unique<RE2>(pattern, options);
    if (expression->ok()) return expression;
    return wrong("error parsing regexp: " + expression->error());
}

Result<TemplateValue> match(const Arguments& args, FunctionContext&) {
    TRY(const auto expression, compile(text_of(args[0])));
    return TemplateValue(RE2::PartialMatch(text_of(args[1]), *expression));
}

// Go's replacement text: $1, ${1}, $name, ${name}, $$. A group that is not there is nothing.
std::string expand_groups(std::string_view replacement, const RE2& expression,
                          const std::vector<re2::StringPiece>& groups) {
    std::string out;
    while (!replacement.empty()) {
        const std::size_t dollar = std::min(replacement.find('$'), replacement.size());
        out += replacement.substr(0, dollar);
        replacement.remove_prefix(dollar);
        if (replacement.empty()) break;
        replacement.remove_prefix(1);
        if (replacement.starts_with('$')) {
            out += '$';
            replacement.remove_prefix(1);
            continue;
        }
        const bool braces = replacement.starts_with('{');
        const auto is_name = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
        const std::string_view from = replacement.substr(braces ? 1 : 0);
        const auto end = std::find_if_not(from.begin(), from.end(), is_name);
        const std::string name(from.begin(), end);
        if (name.empty() || (braces && (end == from.end() || *end != '}'))) {
            out += '$';
            continue;
        }
        replacement.remove_prefix(name.size() + (braces ? 2 : 0));
        std::size_t index = groups.size();
        const auto [last, error] = std::from_chars(name.data(), name.data() + name.size(), index);
        if (error != std::errc() || last != name.data() + name.size()) {
            const auto named = expression.NamedCapturingGroups().find(name);
            index = named == expression.NamedCapturingGroups().end() ? groups.size()
                                                                     : static_cast<std::size_t>(named->second);
        }
        if (index < groups.size() && groups[index].data() != nullptr)
            out.append(groups[index].data(), groups[index].size());
    }
    return out;
}

Result<TemplateValue> re_replace_all(const Arguments& args, FunctionContext& context) {
    TRY(const auto expression, compile(text_of(args[0])));
    const std::string& text = text_of(args[2]);
    std::vector<re2::StringPiece> groups(static_cast<std::size_t>(expression->NumberOfCapturingGroups()) + 1);
    std::string out;
    std::size_t at = 0;
    std::size_t copied = 0;
    std::optional<std::size_t> last_end;
    while (at <= text.size() && out.size() <= context.limits.output &&
           expression->Match(text, at, text.size(), RE2::UNANCHORED, groups.data(), static_cast<int>(groups.size()))) {
        const auto begin = static_cast<std::size_t>(groups[0].data() - text.data());
        const std::size_t end = begin + groups[0].size();
        // An empty match right after a match does not count.
        if (end > begin || begin != last_end) {
            out += text.substr(copied, begin - copied);
            out += expand_groups(text_of(args[1]), *expression, groups);
            copied = end;
            last_end = end;
        }
        at = end;
        if (end != begin) continue;
        ++at;  // Over one character.
        while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) ++at;
    }
    if (copied < text.size()) out += text.substr(copied);
    return TemplateValue(std::move(out));
}

struct HostPort {
    std::string host;
    std::string port;
};

// "host:port" or "[host]:port"; nothing else.
std::optional<HostPort> split_host_port(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos) return std::nullopt;
    std::string host = text.substr(0, colon);
    if (host.starts_with('[')) {
        if (host.find(']') != host.size() - 1) return std::nullopt;
        host = host.substr(1, host.size() - 2);
    } else if (host.find_first_of(":[]") != std::string::npos) {
        return std::nullopt;
    }
    return HostPort{std::move(host), text.substr(colon + 1)};
}

Result<TemplateValue> strip_port(const Arguments& args, FunctionContext&) {
    const auto parts = split_host_port(text_of(args[0]));
    return TemplateValue(parts ? parts->host : text_of(args[0]));
}

Result<TemplateValue> strip_domain(const Arguments& args, FunctionContext&) {
    const std::string& text = text_of(args[0]);
    const HostPort parts = split_host_port(text).value_or(HostPort{text, ""});
    in6_addr address{};
    if (inet_pton(AF_INET, parts.host.c_str(), &address) == 1 ||
        inet_pton(AF_INET6, parts.host.c_str(), &address) == 1) {
        return TemplateValue(text);
    }
    std::string host = parts.host.substr(0, parts.host.find('.'));
    return TemplateValue(parts.port.empty() ? host : host + ":" + parts.port);
}

Result<TemplateValue> url_query_escape(const Arguments& args, FunctionContext&) {
    return TemplateValue(query_escaped(text_of(args[0])));
}

Result<TemplateValue> graph_link(const Arguments& args, FunctionContext&) {
    return TemplateValue("/graph?g0.expr=" + query_escaped(text_of(args[0])) + "&g0.tab=0");
}

Result<TemplateValue> table_link(const Arguments& args, FunctionContext&) {
    return TemplateValue("/graph?g0.expr=" + query_escaped(text_of(args[0])) + "&g0.tab=1");
}

Result<TemplateValue> same(const Arguments& args, FunctionContext&) {
    return args[0];
}

Result<TemplateValue> external_url(const Arguments&, FunctionContext& context) {
    return TemplateValue(context.external_url);
}

Result<TemplateValue> path_prefix(const Arguments&, FunctionContext& context) {
    const std::string& url = context.external_url;
    const std::size_t scheme = url.find("://");
    const std::size_t path = url.find('/', scheme == std::string::npos ? 0 : scheme + 3);
    if (path == std::string::npos) return TemplateValue(std::string());
    return TemplateValue(url.substr(path, url.find_first_of("?#", path) - path));
}

}  // namespace

const std::vector<TemplateFunction>& prometheus_functions() {
    using enum Takes;
    static const std::vector<TemplateFunction> kFunctions = {
        {"query", 1, 1, {Text}, query},
        {"first", 1, 1, {Samples}, first},
        {"label", 2, 2, {Text, Sample}, label},
        {"value", 1, 1, {Sample}, value},
        {"strvalue", 1, 1, {Sample}, strvalue},
        {"sortByLabel", 2, 2, {Text, Samples}, sort_by_label},
        {"humanize", 1, 1, {}, of_number<humanize>},
        {"humanize1024", 1, 1, {}, of_number<humanize_1024>},
        {"humanizeDuration", 1, 1, {}, of_number<humanize_duration>},
        {"humanizePercentage", 1, 1, {}, of_number<humanize_percentage>},
        {"humanizeTimestamp", 1, 1, {}, humanize_timestamp},
        {"toTime", 1, 1, {}, to_time},
        {"toDuration", 1, 1, {}, to_duration},
        {"now", 0, 0, {}, now},
        {"parseDuration", 1, 1, {Text}, parse_span},
        {"title", 1, 1, {Text}, title},
        {"toUpper", 1, 1, {Text}, to_upper},
        {"toLower", 1, 1, {Text}, to_lower},
        {"match", 2, 2, {Text, Text}, match},
        {"reReplaceAll", 3, 3, {Text, Text, Text}, re_replace_all},
        {"stripPort", 1, 1, {Text}, strip_port},
        {"stripDomain", 1, 1, {Text}, strip_domain},
        {"urlQueryEscape", 1, 1, {Text}, url_query_escape},
        {"graphLink", 1, 1, {Text}, graph_link},
        {"tableLink", 1, 1, {Text}, table_link},
        {"args", 0, kAnyNumber, {}, args_map},
        {"tmpl", 1, 2, {Text}, nullptr},
        {"safeHtml", 1, 1, {Text}, same},
        {"externalURL", 0, 0, {}, external_url},
        {"pathPrefix", 0, 0, {}, path_prefix},
    };
    return kFunctions;
}

}  // namespace stoker::alert::internal
