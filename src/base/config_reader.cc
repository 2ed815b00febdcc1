// Reads YAML into described structs.
//
// One Reader stands for one YAML mapping. It indexes the mapping's entries first (where duplicates show), then
// describe() asks for each key it knows, and what nobody asked for is unknown. Nothing stops at the first problem.
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>

#include "base/config.h"
#include "base/config_expand.h"
#include "base/config_more.h"
#include "base/file.h"
#include "base/text.h"

namespace stoker::config {
namespace {

// What is the same for the whole file.
struct Reading {
    std::string file;
    const Environment& environment;
    std::vector<Problem> problems;

    void report(const YAML::Mark& mark, std::string key, std::string message) {
        // yaml-cpp counts from 0, and has no place for a node that isn't there.
        const bool known = !mark.is_null();
        problems.push_back(
            {file, known ? mark.line + 1 : 1, known ? mark.column + 1 : 1, std::move(key), std::move(message)});
    }
};

// What stands there, in the words of an error message.
std::string found(const YAML::Node& node) {
    switch (node.Type()) {
        case YAML::NodeType::Undefined:
        case YAML::NodeType::Null:
            return "nothing";
        case YAML::NodeType::Sequence:
            return "a list";
        case YAML::NodeType::Map:
            return "an object";
        case YAML::NodeType::Scalar:
            break;
    }
    constexpr std::size_t kShown = 60;
    const std::string& text = node.Scalar();
    return fmt::format("'{}{}'", text.substr(0, kShown), text.size() > kShown ? "..." : "");
}

class Reader : public Fields, public MoreFields {
public:
    Reader(Reading& reading, const YAML::Node& map, std::string path)
        : reading_(reading), place_(map.Mark()), path_(std::move(path)) {
        for (const auto& pair : map) index(pair.first, pair.second);
    }

    // Reports the keys that were never described. REQUIRES: describe() has run.
    void refuse_unknown() {
        for (const auto& [key, entry] : entries_) {
            if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
            const auto nearest = nearest_name(key, known_);
            reading_.report(entry.key_mark, path_of(key),
                            nearest ? fmt::format("unknown key; did you mean '{}'?", *nearest)
                                    : fmt::format("unknown key; known here: {}", join(known_, ", ")));
        }
    }

    void field(std::string_view key, std::string& value, std::string_view) override {
        if (auto text = scalar(key, "text")) value = *std::move(text);
    }

    void field(std::string_view key, bool& value, std::string_view) override {
        const auto text = scalar(key, "true or false");
        if (!text) return;
        const std::string lower = to_lower(*text);
        const bool yes = lower == "true" || lower == "yes" || lower == "on";
        const bool no = lower == "false" || lower == "no" || lower == "off";
        if (!yes && !no) return expected(key, "true or false");
        value = yes;
    }

    void field(std::string_view key, std::int64_t& value, std::string_view) override {
        const auto text = scalar(key, "a whole number");
        if (!text) return;
        const auto number = parse_integer(*text);
        if (!number) return expected(key, "a whole number");
        value = *number;
    }

    void field(std::string_view key, double& value, std::string_view) override {
        const auto text = scalar(key, "a number");
        if (!text) return;
        const auto number = parse_number(*text);
        if (!number) return expected(key, "a number");
        value = *number;
    }

    void field(std::string_view key, Duration& value, std::string_view) override {
        const auto text = scalar(key, "a duration such as 250ms, 15s or 1m30s");
        if (text) accept(key, parse_duration(*text), value);
    }

    void field(std::string_view key, Bytes& value, std::string_view) override {
        const auto text = scalar(key, "a size such as 512, 64KiB or 16MiB");
        if (text) accept(key, parse_bytes(*text), value);
    }

    void field(std::string_view key, std::vector<std::string>& value, std::string_view) override {
        Entry* entry = find(key);
        if (entry == nullptr) return;
        if (entry->value.IsNull()) return value.clear();
        if (!entry->value.IsSequence()) return expected(key, "a list such as [a, b]");
        value.clear();
        std::size_t index = 0;
        for (const YAML::Node& node : entry->value) {
            auto text = scalar(*entry, node, fmt::format("{}[{}]", path_of(key), index++), "text");
            if (text) value.push_back(*std::move(text));
        }
    }

    void field(std::string_view key, std::map<std::string, std::string>& value, std::string_view) override {
        Entry* entry = find(key);
        if (entry == nullptr) return;
        if (entry->value.IsNull()) return value.clear();
        if (!entry->value.IsMap()) return expected(key, "an object such as {name: value}");
        value.clear();
        Reader inner(reading_, entry->value, path_of(key));
        for (auto& [name, inner_entry] : inner.entries_) {
            auto text = scalar(*entry, inner_entry.value, inner.path_of(name), "text");
            if (text) value.emplace(name, *std::move(text));
        }
    }

    void list_map(std::string_view key, std::map<std::string, std::vector<std::string>>& value,
                  std::string_view doc) override {
        Entry* entry = find(key);
        if (entry == nullptr) return;
        value.clear();
        if (entry->value.IsNull()) return;
        if (!entry->value.IsMap()) return expected(key, "an object such as {name: [value]}");
        Reader inner(reading_, entry->value, path_of(key));
        for (const auto& [name, inner_entry] : inner.entries_) inner.field(name, value[name], doc);
    }

    void masked(std::string_view key, std::string& value, std::string_view doc) override { field(key, value, doc); }
    bool given(std::string_view key) override { return find(key) != nullptr; }

    void secret(std::string_view key, std::string& value, std::string_view) override {
        const std::string file_key = std::string(key) + "_file";
        const auto text = scalar(key, "text");
        const auto path = scalar(file_key, "the path of a file");
        if (text) value = *text;
        if (!path) return;
        if (find(key) != nullptr) {
            return report(file_key, fmt::format("'{}' and '{}' are both given; keep one of them", key, file_key));
        }
        read_secret(file_key, *path, value);
    }

    void choice(std::string_view key, std::string& value, std::vector<std::string> allowed, std::string_view) override {
        auto text = scalar(key, "one of " + join(allowed, ", "));
        if (!text) return;
        if (std::find(allowed.begin(), allowed.end(), *text) == allowed.end()) {
            const auto nearest = nearest_name(*text, allowed);
            return report(key, fmt::format("expected one of {}, found '{}'{}", join(allowed, ", "), *text,
                                           nearest ? fmt::format("; did you mean '{}'?", *nearest) : ""));
        }
        value = *std::move(text);
    }

    void required(std::string_view key) override {
        const bool given = entries_.contains(key) || entries_.contains(std::string(key) + "_file");
        if (!given) reading_.report(place_, path_of(key), "is required and not given");
    }

    void check(std::string_view path, bool holds, std::string_view message) override {
        if (holds) return;
        const std::string_view key = path.substr(0, path.find_first_of(".["));
        const auto entry = entries_.find(key);
        if (entry == entries_.end()) return reading_.report(place_, path_of(path), std::string(message));
        if (entry->second.broken) return;
        // A list may hold several elements that are wrong in the same way; each is worth saying.
        if (key == path) entry->second.broken = true;
        reading_.report(place_of(entry->second, path.substr(key.size())), path_of(path), std::string(message));
    }

protected:
    void object_with(std::string_view key, std::string_view, bool, const std::function<void(Fields&)>& body) override {
        Entry* entry = find(key);
        // `gateway:` with everything beneath it commented out is common, and harmless.
        if (entry == nullptr || entry->value.IsNull()) return;
        read_object(*entry, entry->value, path_of(key), body);
    }

    void list_with(std::string_view key, std::string_view, const ListAccess& list) override {
        Entry* entry = find(key);
        if (entry == nullptr) return;
        if (entry->value.IsNull()) return list.clear();
        if (!entry->value.IsSequence()) return expected(key, "a list of objects");
        list.clear();
        std::size_t index = 0;
        for (const YAML::Node& node : entry->value) {
            read_object(*entry, node, fmt::format("{}[{}]", path_of(key), index++), list.add);
        }
    }

private:
    struct Entry {
        YAML::Mark key_mark;
        YAML::Node value;
        bool broken = false;  // A problem with this key was reported.

        // yaml-cpp places an empty value where the next thing stands, which helps nobody.
        YAML::Mark mark() const { return value.IsNull() || value.Mark().is_null() ? key_mark : value.Mark(); }
        // The place of a node beneath the value, or of the value itself.
        YAML::Mark mark(const YAML::Node& node) const { return node.IsNull() ? mark() : node.Mark(); }
    };

    void index(const YAML::Node& key, const YAML::Node& value) {
        if (!key.IsScalar()) {
            return reading_.report(key.Mark(), path_, "expected text as a key, found " + found(key));
        }
        const auto [entry, fresh] = entries_.try_emplace(key.Scalar(), Entry{key.Mark(), value});
        if (fresh) return;
        entry->second.broken = true;
        reading_.report(key.Mark(), path_of(key.Scalar()),
                        fmt::format("is given twice, first in line {}", entry->second.key_mark.line + 1));
    }

    std::string path_of(std::string_view key) const {
        return path_.empty() ? std::string(key) : key.empty() ? path_ : fmt::format("{}.{}", path_, key);
    }

    // The place that `rest` ("[1].url") leads to from an entry, as far as the file goes along with it.
    static YAML::Mark place_of(const Entry& entry, std::string_view rest) {
        constexpr std::string_view kSeparators = ".[]";
        YAML::Mark mark = entry.mark();
        YAML::Node node = entry.value;
        while (!rest.empty()) {
            const bool in_list = rest.front() == '[';
            rest.remove_prefix(std::min(rest.find_first_not_of(kSeparators), rest.size()));
            const std::string_view part = rest.substr(0, rest.find_first_of(kSeparators));
            rest.remove_prefix(std::min(part.size() + (in_list ? 1 : 0), rest.size()));
            const YAML::Node inner = child(node, part);
            if (!inner.IsDefined() || inner.IsNull()) return mark;
            mark = inner.Mark();
            node.reset(inner);
        }
        return mark;
    }

    static YAML::Node child(const YAML::Node& node, std::string_view part) {
        if (node.IsMap()) return node[std::string(part)];
        const auto index = parse_integer(part);
        if (!node.IsSequence() || !index || *index < 0) return YAML::Node(YAML::NodeType::Undefined);
        return node[static_cast<std::size_t>(*index)];
    }

    // The entry of a key that is described, if it is given.
    Entry* find(std::string_view key) {
        if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.emplace_back(key);
        const auto entry = entries_.find(key);
        return entry == entries_.end() ? nullptr : &entry->second;
    }

    // REQUIRES: the key is given.
    void report(std::string_view key, std::string message) {
        Entry& entry = *find(key);
        entry.broken = true;
        reading_.report(entry.mark(), path_of(key), std::move(message));
    }

    void expected(std::string_view key, std::string_view what) {
        report(key, fmt::format("expected {}, found {}", what, found(find(key)->value)));
    }

    std::optional<std::string> scalar(std::string_view key, std::string_view what) {
        Entry* entry = find(key);
        if (entry == nullptr) return std::nullopt;
        return scalar(*entry, entry->value, path_of(key), what);
    }

    // The text of a node that belongs to `entry`, variables replaced.
    std::optional<std::string> scalar(Entry& entry, const YAML::Node& node, const std::string& path,
                                      std::string_view what) {
        const YAML::Mark mark = entry.mark(node);
        if (!node.IsScalar()) {
            entry.broken = true;
            reading_.report(mark, path, fmt::format("expected {}, found {}", what, found(node)));
            return std::nullopt;
        }
        auto text = expand(node.Scalar(), reading_.environment);
        if (text) return *std::move(text);
        entry.broken = true;
        reading_.report(mark, path, text.error().message);
        return std::nullopt;
    }

    template <typename T>
    void accept(std::string_view key, Result<T> parsed, T& value) {
        if (!parsed) return report(key, parsed.error().message);
        value = *parsed;
    }

    void read_object(Entry& entry, const YAML::Node& node, const std::string& path,
                     const std::function<void(Fields&)>& body) {
        if (!node.IsMap()) {
            entry.broken = true;
            return reading_.report(entry.mark(node), path,
                                   "expected an object such as {key: value}, found " + found(node));
        }
        const std::size_t before = reading_.problems.size();
        Reader inner(reading_, node, path);
        body(inner);
        inner.refuse_unknown();
        if (reading_.problems.size() > before) entry.broken = true;
    }

    void read_secret(const std::string& file_key, const std::string& path, std::string& value) {
        constexpr std::size_t kLongestSecretFile = std::size_t{64} << 10;
        const auto full = std::filesystem::path(reading_.file).parent_path() / path;
        const auto content = read_file(full, kLongestSecretFile);
        if (!content) return report(file_key, content.error().message);
        const std::string_view line = trim(split(*content, '\n').front());
        if (line.empty()) return report(file_key, fmt::format("the first line of {} is empty", full.string()));
        value = line;
    }

    Reading& reading_;
    const YAML::Mark place_;
    const std::string path_;
    std::map<std::string, Entry, std::less<>> entries_;
    std::vector<std::string> known_;
};

// The line, from 1, where a second document begins; 0 if there is none. Not asked of yaml-cpp, whose LoadAll yields
// documents without end on some malformed texts.
int second_document(std::string_view text) {
    int number = 0;
    bool content = false;
    for (const std::string_view line : split(text, '\n')) {
        ++number;
        const bool marker = line.starts_with("---") && (line.size() == 3 || trim(line.substr(3, 1)).empty());
        if (marker && content) return number;
        const std::string_view rest = trim(line);
        content = content || marker || !(rest.empty() || rest.starts_with('#') || rest.starts_with('%'));
    }
    return 0;
}

void read_root(Reading& reading, std::string_view text, const std::function<void(Fields&)>& body) {
    if (const int line = second_document(text); line > 0) {
        reading.problems.push_back(
            {reading.file, line, 1, "", "expected one YAML document, found another after '---'"});
        return;
    }
    const YAML::Node document = YAML::Load(std::string(text));
    const YAML::Node root = document.IsNull() ? YAML::Node(YAML::NodeType::Map) : document;
    if (!root.IsMap()) {
        return reading.report(root.Mark(), "", "expected keys such as 'gateway: ...', found " + found(root));
    }
    Reader reader(reading, root, "");
    body(reader);
    reader.refuse_unknown();
}

}  // namespace

std::vector<Problem> read_yaml(std::string_view text, const std::string& file, const std::function<void(Fields&)>& body,
                               const Environment& environment) {
    Reading reading{file, environment, {}};
    try {
        read_root(reading, text, body);
    } catch (const YAML::Exception& error) {
        reading.report(error.mark, "", "YAML syntax: " + error.msg);
    }
    std::stable_sort(reading.problems.begin(), reading.problems.end(), [](const Problem& a, const Problem& b) {
        return std::pair(a.line, a.column) < std::pair(b.line, b.column);
    });
    return std::move(reading.problems);
}

}  // namespace stoker::config
