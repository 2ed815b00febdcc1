// Walks a template's tree and writes what it says, within limits.
#pragma once

#include <string>

#include "alert/template.h"
#include "alert/template_functions.h"
#include "alert/template_tree.h"

namespace stoker::alert::internal {

// Errors: InvalidArgument, ResourceExhausted, DeadlineExceeded, placed as TemplateTree::place says.
Result<std::string> run_template(const TemplateTree& tree, const TemplateValue& data, FunctionContext context);

}  // namespace stoker::alert::internal
