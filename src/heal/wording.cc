#include "heal/wording.h"

namespace stoker::heal {

std::string spoken(Duration duration) {
    const std::int64_t millis = duration.count();
    const auto two = [](std::int64_t large, const char* unit, std::int64_t small, const char* small_unit) {
        std::string text = std::to_string(large) + " " + unit;
        return small == 0 ? text : text + " " + std::to_string(small) + " " + small_unit;
    };
    if (millis < 1) return "under 1 ms";
    if (millis < 1'000) return std::to_string(millis) + " ms";
    const std::int64_t tenths = (millis + 50) / 100;
    if (tenths < 600) {
        const std::string whole = std::to_string(tenths / 10);
        return (tenths % 10 == 0 ? whole : whole + "." + std::to_string(tenths % 10)) + " s";
    }
    const std::int64_t seconds = (millis + 500) / 1'000;
    if (seconds < 3'600) return two(seconds / 60, "min", seconds % 60, "s");
    return two(seconds / 3'600, "h", seconds % 3'600 / 60, "min");
}

std::string with_detail(std::string text, std::string_view detail) {
    if (!detail.empty()) text.append(": ").append(detail);
    return text;
}

std::string_view past_tense(Step step) {
    switch (step) {
        case Step::Eject:
            return "Ejected from the pool";
        case Step::Restart:
            return "Restarted";
        case Step::WaitHealthy:
            return "Healthy again";
        case Step::Probe:
            return "Probe request answered";
        case Step::Readmit:
            return "Readmitted to the pool";
    }
    return "";
}

std::string verified(const VerifyConfig& verify, Duration held) {
    const bool built_in = verify.query == kNormalReplica;
    std::string text = built_in ? "Errors are back to normal: the replica serves and its requests do not fail"
                                : "Back to normal, as the policy's query tells";
    return text + "; held for " + spoken(held);
}

std::string list_steps(const std::vector<Step>& steps) {
    std::string text;
    for (const Step step : steps) {
        if (!text.empty()) text += ", ";
        text += to_string(step);
    }
    return text;
}

}  // namespace stoker::heal
