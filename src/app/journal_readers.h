// Readers of journals whose names come from the configuration: webhooks, Kafka topics, exports.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "journal/journal.h"

namespace stoker::app {

// Forgets the journal's consumers whose names begin with `prefix` and are not `wanted` any more: else they would have
// it keep everything up to its bound for nobody. What can't be forgotten now is logged, and is at the next start.
void forget_other_readers(journal::Journal& journal, std::string_view prefix, const std::set<std::string>& wanted);

}  // namespace stoker::app
