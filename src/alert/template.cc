#include "alert/template.h"

#include <chrono>
#include <utility>

#include "alert/template_run.h"
#include "alert/template_tree.h"
#include "promql/histogram_text.h"

namespace stoker::alert {
namespace {

// Declares what users find easier to remember than .Labels; part of the template as it is in Prometheus, so that places
// in messages are the same.
constexpr std::string_view kPreamble =
    "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}";

std::string name_of(std::string_view alert) {
    return "__alert_" + std::string(alert);
}

// Texts parsed are kept up to so many; past that, which takes rules made anew again and again, all are forgotten.
constexpr std::size_t kMostTrees = 10'000;

}  // namespace

Result<Expander::TreePtr> Expander::parsed(std::string_view text, std::string_view alert) const {
    std::string key = std::string(alert) + '\0' + std::string(text);
    {
        MutexLock lock(mutex_);
        const auto found = trees_.find(key);
        if (found != trees_.end()) return found->second;
    }
    auto tree = internal::parse_template(std::string(kPreamble) + std::string(text), name_of(alert));
    if (!tree) return std::move(tree).error().context("error parsing template " + name_of(alert));
    auto shared = std::make_shared<const internal::TemplateTree>(*std::move(tree));
    MutexLock lock(mutex_);
    if (trees_.size() >= kMostTrees) trees_.clear();
    trees_.emplace(std::move(key), shared);
    return shared;
}

Result<std::string> Expander::expand(std::string_view text, const AlertData& data) const {
    if (text.find("{{") == std::string_view::npos) return std::string(text);
    TRY(const TreePtr tree, parsed(text, data.alert));
    auto root = std::make_shared<internal::MapValue>();
    root->kind = internal::MapValue::Kind::Struct;
    root->entries.emplace("Labels", internal::text_map(data.labels));
    root->entries.emplace("ExternalLabels", internal::text_map(options_.external_labels));
    root->entries.emplace("ExternalURL", options_.external_url);
    if (data.histogram != nullptr) {
        root->entries.emplace("Value", promql::histogram_text(*data.histogram));
    } else {
        root->entries.emplace("Value", data.value);
    }
    internal::FunctionContext context;
    context.query = &options_.query;
    context.at = data.at;
    context.external_url = options_.external_url;
    context.limits = options_.limits;
    context.deadline = std::chrono::steady_clock::now() + options_.limits.time;
    auto done = internal::run_template(*tree, internal::MapPtr(std::move(root)), std::move(context));
    if (!done) return std::move(done).error().context("error executing template " + name_of(data.alert));
    return done;
}

Result<Unit> check_template(std::string_view text, std::string_view alert, std::size_t* offset) {
    auto tree = internal::parse_template(std::string(kPreamble) + std::string(text), name_of(alert));
    if (tree) return Unit{};
    const std::size_t at = tree.error().detail;
    if (offset != nullptr) *offset = at > kPreamble.size() ? at - 1 - kPreamble.size() : 0;
    Error error = std::move(tree).error();
    error.detail = 0;
    return error;
}

}  // namespace stoker::alert
