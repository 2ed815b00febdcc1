// Lists every value of described structs as text, for comparing two configurations.
#include <fmt/format.h>

#include "base/config.h"
#include "base/config_more.h"
#include "base/text.h"

namespace stoker::config {
namespace {

using Values = std::vector<std::pair<std::string, std::string>>;

class Flattener : public Fields, public MoreFields {
public:
    Flattener(Values& values, std::string prefix) : values_(values), prefix_(std::move(prefix)) {}

    void field(std::string_view key, std::string& value, std::string_view) override { add(key, value); }
    void field(std::string_view key, bool& value, std::string_view) override { add(key, value ? "true" : "false"); }
    void field(std::string_view key, std::int64_t& value, std::string_view) override {
        add(key, std::to_string(value));
    }
    void field(std::string_view key, double& value, std::string_view) override { add(key, format_number(value)); }
    void field(std::string_view key, Duration& value, std::string_view) override { add(key, format_duration(value)); }
    void field(std::string_view key, Bytes& value, std::string_view) override { add(key, format_bytes(value)); }
    void field(std::string_view key, std::vector<std::string>& value, std::string_view) override {
        for (std::size_t i = 0; i < value.size(); ++i) add(fmt::format("{}[{}]", key, i), value[i]);
    }
    void field(std::string_view key, std::map<std::string, std::string>& value, std::string_view) override {
        for (const auto& [name, text] : value) add(fmt::format("{}.{}", key, name), text);
    }
    void secret(std::string_view key, std::string& value, std::string_view) override { add(key, value); }
    void choice(std::string_view key, std::string& value, std::vector<std::string>, std::string_view) override {
        add(key, value);
    }
    void list_map(std::string_view key, std::map<std::string, std::vector<std::string>>& value,
                  std::string_view doc) override {
        for (auto& [name, texts] : value) field(fmt::format("{}.{}", key, name), texts, doc);
    }
    void masked(std::string_view key, std::string& value, std::string_view) override { add(key, value); }
    bool given(std::string_view) override { return false; }
    void required(std::string_view) override {}
    void check(std::string_view, bool, std::string_view) override {}

protected:
    void object_with(std::string_view key, std::string_view, bool present,
                     const std::function<void(Fields&)>& body) override {
        if (!present) return;
        Flattener inner(values_, fmt::format("{}{}.", prefix_, key));
        body(inner);
    }
    void list_with(std::string_view key, std::string_view, const ListAccess& list) override {
        for (std::size_t i = 0; i < list.size(); ++i) {
            Flattener inner(values_, fmt::format("{}{}[{}].", prefix_, key, i));
            list.at(i, inner);
        }
    }

private:
    void add(std::string_view key, std::string value) {
        values_.emplace_back(prefix_ + std::string(key), std::move(value));
    }

    Values& values_;
    const std::string prefix_;
};

}  // namespace

std::vector<std::pair<std::string, std::string>> flatten(const std::function<void(Fields&)>& body) {
    Values values;
    Flattener root(values, "");
    body(root);
    return values;
}

}  // namespace stoker::config
