// Pages of each engine and version, and the canonical metrics made of them (testdata/README.md).
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <set>

#include "base/file.h"
#include "base/text.h"
#include "collect/engine/canonical.h"
#include "collect/engine/json_page.h"
#include "collect/scrape/scrape_page.h"

namespace stoker::collect {
namespace {

namespace fs = std::filesystem;

const fs::path kPages = fs::path(__FILE__).parent_path() / "testdata";

std::string canonical_text(const std::string& kind, const std::string& version, const std::string& body) {
    const auto page = read_page(body, PageFormat::Prometheus, 0, {});
    if (!page) return page.error().message;
    Canonical canonical(CanonicalPlan::make(Adapters::built_in(), kind, version));
    for (const auto& sample : page->samples) canonical.add(sample.name, sample.labels, sample.value);
    std::string out;
    for (const auto& value : canonical.values()) {
        std::string labels;
        for (const auto& [name, text] : value.labels)
            labels += (labels.empty() ? "" : ",") + name + "=" + quote_json(text);
        out += value.name + "{" + labels + "} " + format_number(value.value) + "\n";
    }
    return out;
}

TEST(Golden, EveryEnginesPageBecomesTheCanonicalMetrics) {
    std::set<std::string> kinds;
    for (const auto& entry : fs::directory_iterator(kPages)) {
        const std::string extension = entry.path().extension();
        if (extension != ".prom" && extension != ".json") continue;
        const std::string stem = entry.path().stem();
        const std::string kind = stem.substr(0, stem.find('@'));
        const Adapter* adapter = Adapters::built_in()->find(kind);
        ASSERT_NE(adapter, nullptr) << stem;
        kinds.insert(kind);
        auto body = read_file(entry.path());
        ASSERT_TRUE(body) << body.error().message;
        if (extension == ".json") body = json_page(*adapter, *body);
        ASSERT_TRUE(body) << body.error().message;
        const std::string got = canonical_text(kind, stem.substr(stem.find('@') + 1), *body);
        fs::path golden = entry.path();
        golden.replace_extension(".golden");
        if (std::getenv("STOKER_UPDATE") != nullptr) {
            ASSERT_TRUE(write_file_atomic(golden, got));
        }
        const auto want = read_file(golden);
        ASSERT_TRUE(want) << want.error().message;
        EXPECT_EQ(got, *want) << stem;
    }
    for (const Adapter& adapter : Adapters::built_in()->all()) {
        EXPECT_TRUE(kinds.contains(adapter.name)) << "no page of " << adapter.name << " in testdata";
    }
}

}  // namespace
}  // namespace stoker::collect
