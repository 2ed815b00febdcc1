#include "heal/wording.h"

namespace stoker::heal {

std::string seconds(Duration duration) {
    const std::int64_t tenths = (duration.count() + 50) / 100;
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
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

std::string list_steps(const std::vector<Step>& steps) {
    std::string text;
    for (const Step step : steps) {
        if (!text.empty()) text += ", ";
        text += to_string(step);
    }
    return text;
}

}  // namespace stoker::heal
