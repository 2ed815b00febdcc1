// The format that file_sd reads and http_sd answers with: [{"targets": ["HOST:PORT"], "labels": {"a": "b"}}].
//
// Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "collect/discovery/target_labels.h"

namespace stoker::collect {

// Groups have `source`:0, `source`:1, ... Errors: InvalidArgument, with the place.
Result<std::vector<TargetGroup>> parse_target_list_json(std::string_view text, const std::string& source);
Result<std::vector<TargetGroup>> parse_target_list_yaml(std::string_view text, const std::string& source);

}  // namespace stoker::collect
