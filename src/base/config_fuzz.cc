// Any text as a configuration: a list of problems or a value, never a crash.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "base/config.h"

namespace stoker::config {
namespace {

struct Node {
    std::string text;
    bool flag = false;
    std::int64_t whole = 0;
    double number = 0;
    Duration duration{0};
    Bytes bytes;
    std::vector<std::string> texts;
    std::map<std::string, std::string> map;
    std::string choice = "a";
    std::vector<Node> nodes;
};

void describe(Fields& f, Node& c) {
    f.field("t", c.text, "");
    f.field("f", c.flag, "");
    f.field("w", c.whole, "");
    f.required("w");
    f.field("n", c.number, "");
    f.check("n", c.number >= 0, "must not be negative");
    f.field("d", c.duration, "");
    f.field("b", c.bytes, "");
    f.field("l", c.texts, "");
    f.field("m", c.map, "");
    f.choice("c", c.choice, {"a", "b"}, "");
    f.list("o", c.nodes, "");
}

}  // namespace
}  // namespace stoker::config

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stoker::config;
    const std::string text(reinterpret_cast<const char*>(data), size);
    Node node;
    const auto environment = [](const std::string& name) { return std::optional<std::string>(name); };
    const auto problems = read_yaml(
        text, "fuzz.yaml", [&](Fields& f) { describe(f, node); }, environment);
    for (const Problem& problem : problems) {
        STOKER_CHECK(problem.line >= 1 && problem.column >= 1 && !problem.message.empty());
    }
    return 0;
}
