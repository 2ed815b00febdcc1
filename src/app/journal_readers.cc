#include "app/journal_readers.h"

#include "base/log.h"

namespace stoker::app {

void forget_other_readers(journal::Journal& journal, std::string_view prefix, const std::set<std::string>& wanted) {
    for (const std::string& reader : journal.consumers()) {
        if (!std::string_view(reader).starts_with(prefix) || wanted.contains(reader)) continue;
        const auto forgotten = journal.forget(reader);
        if (!forgotten) {
            log::warn("the place of a reader that is gone stays",
                      {{"reader", reader}, {"error", forgotten.error().message}});
        } else {
            log::info("a reader is in the configuration no more, its place is forgotten", {{"reader", reader}});
        }
    }
}

}  // namespace stoker::app
