// Writes a configuration as YAML, for people to see what is in effect.
#include <fmt/format.h>

#include "app/config.h"
#include "base/config_more.h"
#include "base/text.h"

namespace stoker::app {
namespace {

// JSON's strings are YAML's double-quoted ones.
class YamlWriter : public config::Fields, public config::MoreFields {
public:
    YamlWriter(std::string& out, std::size_t indent, bool in_item = false)
        : out_(out), indent_(indent, ' '), in_item_(in_item) {}

    void field(std::string_view key, std::string& value, std::string_view) override { add(key, quote_json(value)); }
    void field(std::string_view key, bool& value, std::string_view) override { add(key, value ? "true" : "false"); }
    void field(std::string_view key, std::int64_t& value, std::string_view) override {
        add(key, std::to_string(value));
    }
    void field(std::string_view key, double& value, std::string_view) override { add(key, format_number(value)); }
    void field(std::string_view key, Duration& value, std::string_view) override { add(key, format_duration(value)); }
    void field(std::string_view key, config::Bytes& value, std::string_view) override {
        add(key, config::format_bytes(value));
    }
    void field(std::string_view key, std::vector<std::string>& value, std::string_view) override {
        std::vector<std::string> quoted;
        for (const std::string& text : value) quoted.push_back(quote_json(text));
        add(key, "[" + join(quoted, ", ") + "]");
    }
    void field(std::string_view key, std::map<std::string, std::string>& value, std::string_view) override {
        std::vector<std::string> shown;
        for (const auto& [name, text] : value) shown.push_back(quote_json(name) + ": " + quote_json(text));
        add(key, "{" + join(shown, ", ") + "}");
    }
    void secrets(std::string_view key, std::map<std::string, std::string>& value, std::string_view) override {
        std::vector<std::string> shown;
        for (const auto& [name, text] : value) shown.push_back(quote_json(name) + ": <secret>");
        add(key, "{" + join(shown, ", ") + "}");
    }
    void secret(std::string_view key, std::string& value, std::string_view) override {
        if (!value.empty()) add(key, "<secret>");
    }
    void choice(std::string_view key, std::string& value, std::vector<std::string>, std::string_view) override {
        add(key, value);
    }
    void list_map(std::string_view key, std::map<std::string, std::vector<std::string>>& value,
                  std::string_view) override {
        std::vector<std::string> shown;
        for (const auto& [name, texts] : value) {
            std::vector<std::string> quoted;
            for (const std::string& text : texts) quoted.push_back(quote_json(text));
            shown.push_back(quote_json(name) + ": [" + join(quoted, ", ") + "]");
        }
        add(key, "{" + join(shown, ", ") + "}");
    }
    void masked(std::string_view key, std::string& value, std::string_view doc) override { secret(key, value, doc); }
    bool given(std::string_view) override { return false; }
    void required(std::string_view) override {}
    void check(std::string_view, bool, std::string_view) override {}

protected:
    void object_with(std::string_view key, std::string_view, bool present,
                     const std::function<void(Fields&)>& body) override {
        if (!present) return;
        begin(key);
        out_ += '\n';
        YamlWriter inner(out_, indent_.size() + 2);
        body(inner);
    }
    void list_with(std::string_view key, std::string_view, const ListAccess& list) override {
        if (list.size() == 0) return add(key, "[]");
        begin(key);
        out_ += '\n';
        for (std::size_t i = 0; i < list.size(); ++i) {
            out_ += indent_ + "- ";
            YamlWriter item(out_, indent_.size() + 2, true);
            list.at(i, item);
        }
    }

private:
    // The first key of a list's item stands on the line of its dash.
    void begin(std::string_view key) {
        if (!std::exchange(in_item_, false)) out_ += indent_;
        out_ += key;
        out_ += ':';
    }
    void add(std::string_view key, std::string_view value) {
        begin(key);
        out_ += ' ';
        out_ += value;
        out_ += '\n';
    }

    std::string& out_;
    const std::string indent_;
    bool in_item_;
};

}  // namespace

std::string to_yaml(const Config& config) {
    Config shown = config;  // Descriptions want what they may write to.
    std::string out;
    YamlWriter root(out, 0);
    describe(root, shown);
    return out;
}

}  // namespace stoker::app
