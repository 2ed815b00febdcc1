// `stoker engines`: what Stoker knows of inference engines.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/commands.h"
#include "base/result.h"
#include "base/time.h"
#include "collect/engine/adapters.h"

namespace stoker::app {

struct EnginesOptions {
    std::vector<std::string> adapters;  // Files over the built-in ones.
    Output output = Output::Text;
};
// The built-in adapters with these over them. Errors: InvalidArgument, every problem on a line of its own.
Result<std::shared_ptr<const collect::Adapters>> load_adapters(const std::vector<std::string>& files);

int engines_list(const EnginesOptions& options);
int engines_docs(const EnginesOptions& options);

struct EnginesCheckOptions {
    std::string url;  // http://HOST:PORT, or with the path of its metrics.
    std::vector<std::string> adapters;
    std::string token;         // Sent as a bearer token.
    bool ask = false;          // Send one small request, and see whether it is counted.
    int looks = 4;             // At its metrics.
    Duration interval{1'000};  // Between two of them.
    Output output = Output::Text;
};
int engines_check(const EnginesCheckOptions& options);

}  // namespace stoker::app
