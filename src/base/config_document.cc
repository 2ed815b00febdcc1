// Writes Markdown from described structs: one section and table for each object, in the order of describe().
#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "base/config.h"
#include "base/config_more.h"
#include "base/text.h"

namespace stoker::config {
namespace {

struct Row {
    std::string key;
    std::string type;
    std::string initial;
    std::string doc;
};

struct Section {
    std::string path;
    std::string doc;
    std::vector<Row> rows;
};

// A cell of a Markdown table: a bar would end it.
std::string cell(std::string_view text) {
    std::string out;
    for (char c : text) {
        if (c == '|') out += '\\';
        out += c == '\n' ? ' ' : c;
    }
    return out;
}

std::string code(std::string_view text) {
    return text.empty() ? "" : fmt::format("`{}`", text);
}

class Documenter : public Fields, public MoreFields {
public:
    // Sections are added while others are being filled, so they must not move: a deque.
    Documenter(std::deque<Section>& sections, std::string path, std::string_view doc)
        : sections_(sections), section_(sections.emplace_back(Section{std::move(path), std::string(doc), {}})) {}

    void field(std::string_view key, std::string& value, std::string_view doc) override {
        add(key, "text", value, doc);
    }
    void field(std::string_view key, bool& value, std::string_view doc) override {
        add(key, "true or false", value ? "true" : "false", doc);
    }
    void field(std::string_view key, std::int64_t& value, std::string_view doc) override {
        add(key, "whole number", std::to_string(value), doc);
    }
    void field(std::string_view key, double& value, std::string_view doc) override {
        add(key, "number", format_number(value), doc);
    }
    void field(std::string_view key, Duration& value, std::string_view doc) override {
        add(key, "duration", format_duration(value), doc);
    }
    void field(std::string_view key, Bytes& value, std::string_view doc) override {
        add(key, "size", format_bytes(value), doc);
    }
    void field(std::string_view key, std::vector<std::string>& value, std::string_view doc) override {
        add(key, "list of texts", value.empty() ? "" : "[" + join(value, ", ") + "]", doc);
    }
    void field(std::string_view key, std::map<std::string, std::string>& value, std::string_view doc) override {
        std::vector<std::string> pairs;
        for (const auto& [name, text] : value) pairs.push_back(fmt::format("{}: {}", name, text));
        add(key, "names to texts", pairs.empty() ? "" : "{" + join(pairs, ", ") + "}", doc);
    }
    void secret(std::string_view key, std::string&, std::string_view doc) override {
        add(key, fmt::format("secret, or a path as `{}_file`", key), "", doc);
    }
    void choice(std::string_view key, std::string& value, std::vector<std::string> allowed,
                std::string_view doc) override {
        for (std::string& one : allowed) one = code(one);
        add(key, join(allowed, ", "), value, doc);
    }
    void list_map(std::string_view key, std::map<std::string, std::vector<std::string>>&,
                  std::string_view doc) override {
        add(key, "names to lists of texts", "", doc);
    }
    void masked(std::string_view key, std::string&, std::string_view doc) override { add(key, "secret", "", doc); }
    bool given(std::string_view) override { return false; }
    void required(std::string_view key) override {
        for (Row& row : section_.rows) {
            if (row.key == key) row.initial = "**required**";
        }
    }
    void check(std::string_view, bool, std::string_view) override {}

protected:
    void object_with(std::string_view key, std::string_view doc, bool present,
                     const std::function<void(Fields&)>& body) override {
        nest(key, "", present ? "object" : "object, may be left out", doc, body);
    }
    void list_with(std::string_view key, std::string_view doc, const ListAccess& list) override {
        nest(key, "[]", "list of objects", doc, list.add);
        list.clear();
    }

private:
    void add(std::string_view key, std::string type, std::string_view initial, std::string_view doc) {
        section_.rows.push_back({std::string(key), std::move(type), code(initial), std::string(doc)});
    }

    void nest(std::string_view key, std::string_view suffix, std::string_view type, std::string_view doc,
              const std::function<void(Fields&)>& body) {
        const std::string path = fmt::format("{}{}{}{}", section_.path, section_.path.empty() ? "" : ".", key, suffix);
        section_.rows.push_back({std::string(key), std::string(type), "", fmt::format("See `{}` below.", path)});
        Documenter inner(sections_, path, doc);
        body(inner);
    }

    std::deque<Section>& sections_;
    Section& section_;
};

void write_section(std::string& out, const Section& section) {
    if (!section.path.empty()) {
        const bool nested = section.path.find('.') != std::string::npos;
        out += fmt::format("\n{} `{}`\n", nested ? "###" : "##", section.path);
        if (!section.doc.empty()) out += fmt::format("\n{}\n", section.doc);
    }
    if (section.rows.empty()) return;
    out += "\n| key | type | default | meaning |\n|---|---|---|---|\n";
    for (const Row& row : section.rows) {
        out += fmt::format("| `{}` | {} | {} | {} |\n", row.key, cell(row.type), cell(row.initial), cell(row.doc));
    }
}

}  // namespace

std::string document(const std::string& title, const std::function<void(Fields&)>& body,
                     std::string_view introduction) {
    std::deque<Section> sections;
    Documenter root(sections, "", "");
    body(root);
    std::string out = fmt::format("# {}\n", title);
    if (!introduction.empty()) out += fmt::format("\n{}\n", trim(introduction));
    for (const Section& section : sections) write_section(out, section);
    return out;
}

}  // namespace stoker::config
