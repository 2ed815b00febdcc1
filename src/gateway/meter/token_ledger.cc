#include "gateway/meter/token_ledger.h"

#include <algorithm>

namespace stoker::gateway {
namespace {

void add(metrics::Counter* counter, std::int64_t tokens) {
    if (tokens > 0) counter->add(static_cast<double>(tokens));
}

}  // namespace

wire::Usage own_usage(const wire::Usage& usage, std::int64_t before) {
    wire::Usage own = usage;
    own.completion_tokens = std::max<std::int64_t>(usage.completion_tokens - before, 0);
    own.prompt_tokens += before;
    return own;
}

LedgerSeries LedgerSeries::of(const Lookup& series) {
    return {series("counted", "stream", "completion"),   series("usage", "stream", "prompt"),
            series("usage", "stream", "completion"),     series("usage", "whole", "prompt"),
            series("usage", "whole", "completion"),      series("unreported", "stream", "prompt"),
            series("unreported", "stream", "completion")};
}

void LedgerSeries::enter(const AttemptTokens& attempt) const {
    if (attempt.stream) add(counted, attempt.events);
    if (attempt.usage) {
        add(attempt.stream ? stream_prompt : whole_prompt, attempt.usage->prompt_tokens);
        add(attempt.stream ? stream_completion : whole_completion, attempt.usage->completion_tokens);
    } else if (attempt.events > 0) {  // Before the first token an engine may not even have begun with the prompt.
        add(unreported_prompt, attempt.estimated_prompt);
        add(unreported_completion, attempt.events);
    }
}

}  // namespace stoker::gateway
