#include "collect/engine/finding.h"

namespace stoker::collect {

std::string_view to_string(FindingCode code) {
    switch (code) {
        case FindingCode::NoMetrics:
            return "no_metrics";
        case FindingCode::JsonPage:
            return "json_page";
        case FindingCode::UnreadablePage:
            return "unreadable_page";
        case FindingCode::Empty:
            return "empty";
        case FindingCode::ConstantZero:
            return "constant_zero";
        case FindingCode::DuplicateRanks:
            return "duplicate_ranks";
        case FindingCode::DuplicateSeries:
            return "duplicate_series";
        case FindingCode::CounterFell:
            return "counter_fell";
        case FindingCode::ShareOutOfRange:
            return "share_out_of_range";
        case FindingCode::CountDisagrees:
            return "count_disagrees";
        case FindingCode::Quirk:
            break;
    }
    return "quirk";
}

std::string_view to_string(Severity severity) {
    if (severity == Severity::Note) return "note";
    return severity == Severity::Warning ? "warning" : "error";
}

std::string_view meaning(FindingCode code) {
    switch (code) {
        case FindingCode::NoMetrics:
            return "It answers, and shows no metrics: they are switched off, elsewhere, or want a key.";
        case FindingCode::JsonPage:
            return "200 with JSON where a metrics page was expected; to a careless scraper that is an idle engine.";
        case FindingCode::UnreadablePage:
            return "A page that breaks the format's rules. It is taken as a whole or not at all.";
        case FindingCode::Empty:
            return "A page without any of the metrics that this engine is known by.";
        case FindingCode::ConstantZero:
            return "A number that is 0 although others prove that there was work.";
        case FindingCode::DuplicateRanks:
            return "The same numbers once for each value of a label that looks like a rank or a process; they are "
                   "added up.";
        case FindingCode::DuplicateSeries:
            return "One series twice on a page.";
        case FindingCode::CounterFell:
            return "A counter got smaller while others went on: several processes or engines answer in turn. Told for "
                   "12 scrapes.";
        case FindingCode::ShareOutOfRange:
            return "A share below 0 or above 1: percent, mostly.";
        case FindingCode::CountDisagrees:
            return "Another count says otherwise: the gateway waits for answers of an engine that says it is idle, got "
                   "answers while its counters stood still, or (`--ask`) a request was counted wrongly.";
        case FindingCode::Quirk:
            break;
    }
    return "Known to be wrong in this version.";
}

}  // namespace stoker::collect
