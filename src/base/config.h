// Configuration: one description of each struct serves reading, checking, and documentation.
//
//   struct Listen { std::string listen = "127.0.0.1:8700"; };
//   void describe(config::Fields& f, Listen& c) {
//       f.field("listen", c.listen, "Address of the gateway, HOST:PORT; port 0 takes a free one.");
//   }
//
// The struct's own initial values are the defaults; docs/configuration.md is generated from the descriptions. Reading
// refuses unknown keys with the nearest known one, and every error says FILE:LINE:COLUMN, the key, and what to do.
// `${NAME}` in a scalar is replaced from the environment (`$${` for a literal `${`); a text field `x` described with
// secret() may be given as `x_file: PATH` instead, whose first line is then its value.
//
// Not thread-safe; the result of reading is a plain value.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace stoker::config {

// A number of bytes, written as 512, 64KiB, 16MiB, 2GiB.
struct Bytes {
    std::uint64_t count = 0;
    friend auto operator<=>(const Bytes&, const Bytes&) = default;
};

Result<Bytes> parse_bytes(std::string_view text);

// The shortest form that parse_bytes reads back: 65536 is "64KiB".
std::string format_bytes(Bytes bytes);

// What describe() talks to: a reader of YAML, or a writer of documentation.
class Fields {
public:
    virtual ~Fields() = default;

    // Scalars. The doc is a sentence or two for operators; it names unit, range and effect.
    virtual void field(std::string_view key, std::string& value, std::string_view doc) = 0;
    virtual void field(std::string_view key, bool& value, std::string_view doc) = 0;
    virtual void field(std::string_view key, std::int64_t& value, std::string_view doc) = 0;
    virtual void field(std::string_view key, double& value, std::string_view doc) = 0;
    virtual void field(std::string_view key, Duration& value, std::string_view doc) = 0;
    virtual void field(std::string_view key, Bytes& value, std::string_view doc) = 0;
    virtual void field(std::string_view key, std::vector<std::string>& value, std::string_view doc) = 0;
    virtual void field(std::string_view key, std::map<std::string, std::string>& value, std::string_view doc) = 0;

    // A text that may come from a file (`key_file`) and is never shown by the API.
    virtual void secret(std::string_view key, std::string& value, std::string_view doc) = 0;

    // The same of a map's values; its keys are shown.
    virtual void secrets(std::string_view key, std::map<std::string, std::string>& value, std::string_view doc) {
        field(key, value, doc);
    }

    // A text out of a fixed set.
    virtual void choice(std::string_view key, std::string& value, std::vector<std::string> allowed,
                        std::string_view doc) = 0;

    // Marks a key as one that must be given; call after describing it.
    virtual void required(std::string_view key) = 0;

    // Reports a rule that the values break, at the place of `key`: check("port", port < 65536, "must be below 65536").
    // Said of a key that has a problem already, it adds none. The key may lead further in: "pools[1].name".
    virtual void check(std::string_view key, bool holds, std::string_view message) = 0;

    // A nested struct with its own describe().
    template <typename T>
    void object(std::string_view key, T& value, std::string_view doc) {
        object_with(key, doc, true, [&value](Fields& inner) { describe(inner, value); });
    }

    // A nested struct that is there only if the key is.
    template <typename T>
    void object(std::string_view key, std::optional<T>& value, std::string_view doc) {
        object_with(key, doc, value.has_value(),
                    [&value](Fields& inner) { describe(inner, value ? *value : value.emplace()); });
    }

    // A list of structs.
    template <typename T>
    void list(std::string_view key, std::vector<T>& values, std::string_view doc) {
        list_with(key, doc,
                  {.clear = [&values] { values.clear(); },
                   .size = [&values] { return values.size(); },
                   .add = [&values](Fields& inner) { describe(inner, values.emplace_back()); },
                   .at = [&values](std::size_t index, Fields& inner) { describe(inner, values[index]); }});
    }

protected:
    // A list of any element type.
    struct ListAccess {
        std::function<void()> clear;
        std::function<std::size_t()> size;
        std::function<void(Fields&)> add;  // Appends an element and describes it.
        std::function<void(std::size_t, Fields&)> at;
    };

    // `present`: whether the value holds a struct now.
    virtual void object_with(std::string_view key, std::string_view doc, bool present,
                             const std::function<void(Fields&)>& body) = 0;
    virtual void list_with(std::string_view key, std::string_view doc, const ListAccess& list) = 0;
};

// One thing wrong, at its place.
struct Problem {
    std::string file;
    int line = 0;     // From 1.
    int column = 0;   // From 1.
    std::string key;  // Dotted path: pools[0].replicas[1].url
    std::string message;

    std::string text() const;  // "stoker.yaml:12:5: pools[0].url: ..."
};

using Environment = std::function<std::optional<std::string>(const std::string&)>;

// Reads YAML text (one document) into what `body` describes. Returns every problem found, in the
// order of the file; the values are meaningful only if there is none. An empty text leaves all defaults.
// Relative `*_file` paths are taken from the folder of `file`.
std::vector<Problem> read_yaml(std::string_view text, const std::string& file, const std::function<void(Fields&)>& body,
                               const Environment& environment);

// Markdown tables of all keys, types, defaults and docs that `body` describes, under a title and an introduction.
std::string document(const std::string& title, const std::function<void(Fields&)>& body,
                     std::string_view introduction = {});

// Every value by its dotted path, in the order of the description: {"pools[0].name", "chat"}. Two configurations are
// the same if these are. Holds secrets: for comparing, not for showing.
std::vector<std::pair<std::string, std::string>> flatten(const std::function<void(Fields&)>& body);

// The process's own environment.
Environment process_environment();

}  // namespace stoker::config
