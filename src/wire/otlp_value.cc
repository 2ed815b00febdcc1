#include "wire/otlp_value.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/text.h"

namespace stoker::wire::otlp {

const std::string* find(const Attributes& attributes, std::string_view key) {
    for (const auto& [name, value] : attributes) {
        if (name == key) return &value;
    }
    return nullptr;
}

namespace internal {

std::string double_text(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
    // Plain digits in the range that people read, as JSON writers do it.
    const double size = std::abs(value);
    const bool plain = size == 0 || (size >= 1e-6 && size < 1e21);
    char text[64];
    const auto end = std::to_chars(text, text + sizeof(text), value,
                                   plain ? std::chars_format::fixed : std::chars_format::scientific)
                         .ptr;
    return {text, end};
}

std::string double_json(double value) {
    return std::isfinite(value) ? double_text(value) : quote_json(double_text(value));
}

std::string base64(std::string_view bytes) {
    static constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
        unsigned group = 0;
        for (std::size_t k = 0; k < 3; ++k) {
            group = group << 8 | (k < have ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        }
        for (std::size_t k = 0; k < 4; ++k) {
            out += k <= have ? kDigits[group >> (18 - 6 * k) & 63] : '=';
        }
    }
    return out;
}

std::string id_text(std::string_view bytes) {
    if (bytes.find_first_not_of('\0') == std::string_view::npos) return {};
    static constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    for (const char c : bytes) {
        out += kDigits[static_cast<unsigned char>(c) >> 4];
        out += kDigits[static_cast<unsigned char>(c) & 15];
    }
    return out;
}

}  // namespace internal
}  // namespace stoker::wire::otlp
