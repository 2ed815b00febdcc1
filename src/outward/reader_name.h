// What somebody with a name from the configuration is called as a reader of a journal.
#pragma once

#include <string>
#include <string_view>

namespace stoker::outward {

// "KIND.NAME". Names that are too long for a journal end with a checksum instead.
std::string reader_name(std::string_view kind, std::string_view name);

}  // namespace stoker::outward
