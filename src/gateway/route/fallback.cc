#include "gateway/route/fallback.h"

namespace stoker::gateway {
namespace {

constexpr FallbackCause kCauses[] = {FallbackCause::Down, FallbackCause::Overloaded, FallbackCause::ContextTooLong,
                                     FallbackCause::ContentRefused};

}  // namespace

std::string_view to_string(FallbackCause cause) {
    switch (cause) {
        case FallbackCause::Down:
            return "down";
        case FallbackCause::Overloaded:
            return "overloaded";
        case FallbackCause::ContextTooLong:
            return "context_too_long";
        case FallbackCause::ContentRefused:
            return "content_refused";
    }
    return "unknown";
}

std::optional<FallbackCause> parse_fallback_cause(std::string_view text) {
    for (const FallbackCause cause : kCauses) {
        if (to_string(cause) == text) return cause;
    }
    return {};
}

}  // namespace stoker::gateway
