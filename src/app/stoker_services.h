// What the console asks of Stoker, beside the class that answers.
#pragma once

#include <string>

#include "api/services.h"

namespace stoker::app {

// The overview as JSON, for live pages.
std::string overview_of(api::Services& services);

}  // namespace stoker::app
