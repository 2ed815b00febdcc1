#include "alert/template_functions.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>

namespace stoker::alert::internal {

namespace {

constexpr std::array<const char*, 8> kLarge = {"k", "M", "G", "T", "P", "E", "Z", "Y"};
constexpr std::array<const char*, 8> kBinary = {"Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"};
constexpr std::array<const char*, 8> kSmall = {"m", "u", "n", "p", "f", "a", "z", "y"};

Error wrong(std::string message) {
    return Error{Errc::InvalidArgument, std::move(message)};
}

std::optional<std::string> special(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
    return std::nullopt;
}

// printf with one double; `format` is ours or was checked to hold one conversion of a double.
std::string print_double(const std::string& format, double value) {
    if (auto text = special(value)) return *text;
    std::array<char, 512> buffer{};
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    const int length = std::snprintf(buffer.data(), buffer.size(), format.c_str(), value);
#pragma GCC diagnostic pop
    return {buffer.data(), std::min(static_cast<std::size_t>(std::max(length, 0)), buffer.size() - 1)};
}

std::string four_digits(double value) {
    return print_double("%.4g", value);
}

template <std::size_t N>
std::string scale_down(double value, double base, const std::array<const char*, N>& prefixes) {
    const char* prefix = "";
    for (const char* next : prefixes) {
        if (std::abs(value) < base) break;
        prefix = next;
        value /= base;
    }
    return four_digits(value) + prefix;
}

std::string scale_up(double value) {
    const char* prefix = "";
    for (const char* next : kSmall) {
        if (std::abs(value) >= 1) break;
        prefix = next;
        value *= 1000;
    }
    return four_digits(value) + prefix;
}

// Text that holds a number counts as one, as it does in Prometheus.
Result<double> to_number(const TemplateValue& value) {
    if (const auto* number = std::get_if<double>(&value)) return *number;
    const std::string& text = std::get<std::string>(value);
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size() && !text.empty()) return number;
    return wrong("\"" + text + "\" is no number");
}

std::string pad(std::string text, const std::string& flags, std::size_t width) {
    if (text.size() >= width) return text;
    const std::string fill(width - text.size(), ' ');
    return flags.find('-') != std::string::npos ? text + fill : fill + text;
}

// One conversion of printf: "%-8.2f" as flags "-", width 8, precision 2, verb 'f'.
struct Conversion {
    std::string flags;
    std::size_t width = 0;
    std::optional<int> precision;
    char verb = '\0';
};

// Reads what follows a '%'. Width and precision are bounded, so that no template makes a large text.
bool read_conversion(std::string_view& format, Conversion& conversion) {
    const auto number = [&format](int& value) {
        const auto [end, error] = std::from_chars(format.data(), format.data() + format.size(), value);
        if (error != std::errc()) return true;  // None there.
        format.remove_prefix(static_cast<std::size_t>(end - format.data()));
        return value >= 0 && value <= 100;
    };
    while (!format.empty() && std::string_view("+- 0#").find(format[0]) != std::string_view::npos) {
        conversion.flags += format[0];
        format.remove_prefix(1);
    }
    int width = 0;
    if (!number(width)) return false;
    conversion.width = static_cast<std::size_t>(width);
    if (format.starts_with('.')) {
        format.remove_prefix(1);
        int precision = 0;
        if (!number(precision)) return false;
        conversion.precision = precision;
    }
    if (format.empty()) return false;
    conversion.verb = format[0];
    format.remove_prefix(1);
    return true;
}

Result<std::string> print_one(const Conversion& conversion, const TemplateValue& arg) {
    const auto* number = std::get_if<double>(&arg);
    switch (conversion.verb) {
        case 'f':
        case 'F':
        case 'e':
        case 'E':
        case 'g':
        case 'G': {
            if (number == nullptr) return wrong(std::string("printf: %") + conversion.verb + " needs a number");
            if (conversion.verb == 'g' && !conversion.precision) {
                return pad(to_text(arg), conversion.flags, conversion.width);
            }
            const std::string format = "%" + conversion.flags + std::to_string(conversion.width) + "." +
                                       std::to_string(conversion.precision.value_or(6)) + conversion.verb;
            // A width of 0 would read as the flag.
            const std::string without_width =
                "%" + conversion.flags + "." + std::to_string(conversion.precision.value_or(6)) + conversion.verb;
            return print_double(conversion.width == 0 ? without_width : format, *number);
        }
        case 's':
        case 'v': {
            std::string text = to_text(arg);
            if (conversion.precision && number == nullptr) {
                text.resize(std::min(text.size(), static_cast<std::size_t>(*conversion.precision)));
            }
            return pad(std::move(text), conversion.flags, conversion.width);
        }
        case 'q':
            return pad("\"" + to_text(arg) + "\"", conversion.flags, conversion.width);
        default:
            return wrong(std::string("printf: %") + conversion.verb +
                         " is not supported (use %f, %e, %g, %s, %v or %q)");
    }
}

Result<TemplateValue> print_formatted(const std::vector<TemplateValue>& args) {
    const auto* format = args.empty() ? nullptr : std::get_if<std::string>(&args[0]);
    if (format == nullptr) return wrong("printf needs a format");
    std::string out;
    std::size_t next = 1;
    for (std::string_view rest = *format; !rest.empty();) {
        const std::size_t percent = std::min(rest.find('%'), rest.size());
        out += rest.substr(0, percent);
        rest.remove_prefix(percent);
        if (rest.empty()) break;
        rest.remove_prefix(1);
        if (rest.starts_with('%')) {
            out += '%';
            rest.remove_prefix(1);
            continue;
        }
        Conversion conversion;
        if (!read_conversion(rest, conversion)) return wrong("printf: bad format \"" + *format + "\"");
        if (next == args.size()) return wrong("printf: more conversions than arguments in \"" + *format + "\"");
        TRY(const std::string text, print_one(conversion, args[next++]));
        out += text;
    }
    if (next != args.size()) return wrong("printf: more arguments than conversions in \"" + *format + "\"");
    return TemplateValue(std::move(out));
}

std::string upper(std::string text) {
    for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return text;
}

std::string lower(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

}  // namespace

std::string to_text(const TemplateValue& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    const double number = std::get<double>(value);
    if (auto text = special(number)) return *text;
    if (number == 0) return std::signbit(number) ? "-0" : "0";
    const double size = std::abs(number);
    std::array<char, 64> buffer{};
    const auto style = size < 1e-4 || size >= 1e6 ? std::chars_format::scientific : std::chars_format::fixed;
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, style);
    return {buffer.data(), end.ptr};
}

std::string humanize(double value) {
    if (value == 0 || !std::isfinite(value)) return four_digits(value);
    return std::abs(value) >= 1 ? scale_down(value, 1000, kLarge) : scale_up(value);
}

std::string humanize_1024(double value) {
    if (std::abs(value) <= 1 || !std::isfinite(value)) return four_digits(value);
    return scale_down(value, 1024, kBinary);
}

std::string humanize_duration(double seconds) {
    if (!std::isfinite(seconds)) return four_digits(seconds);
    if (seconds == 0) return four_digits(seconds) + "s";
    if (std::abs(seconds) < 1) return scale_up(seconds) + "s";
    const std::string sign = seconds < 0 ? "-" : "";
    const double size = std::abs(seconds);
    if (size < 60) return sign + four_digits(size) + "s";
    const auto whole = static_cast<std::int64_t>(std::min(size, 9e18));
    std::string out = std::to_string(whole / 60 % 60) + "m " + std::to_string(whole % 60) + "s";
    if (whole >= 3600) out = std::to_string(whole / 3600 % 24) + "h " + out;
    if (whole >= 24 * 3600) out = std::to_string(whole / (24 * 3600)) + "d " + out;
    return sign + out;
}

std::string humanize_percentage(double ratio) {
    return four_digits(ratio * 100) + "%";
}

Result<TemplateValue> call_function(std::string_view name, const std::vector<TemplateValue>& args) {
    if (name == "printf") return print_formatted(args);
    struct OfNumber {
        std::string_view name;
        std::string (*function)(double);
    };
    static constexpr std::array<OfNumber, 4> kOfNumber = {{{"humanize", humanize},
                                                           {"humanize1024", humanize_1024},
                                                           {"humanizeDuration", humanize_duration},
                                                           {"humanizePercentage", humanize_percentage}}};
    const auto found =
        std::find_if(kOfNumber.begin(), kOfNumber.end(), [&](const OfNumber& one) { return one.name == name; });
    const bool of_text = name == "toUpper" || name == "toLower";
    if (found == kOfNumber.end() && !of_text) return wrong("function \"" + std::string(name) + "\" not defined");
    if (args.size() != 1) {
        return wrong("wrong number of args for " + std::string(name) + ": want 1 got " + std::to_string(args.size()));
    }
    if (of_text) return TemplateValue(name == "toUpper" ? upper(to_text(args[0])) : lower(to_text(args[0])));
    auto number = to_number(args[0]);
    if (!number) return std::move(number).error().context(name);
    return TemplateValue(found->function(*number));
}

}  // namespace stoker::alert::internal
