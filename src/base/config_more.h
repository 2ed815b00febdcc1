// What descriptions of foreign formats (Prometheus' scrape configurations) need beside Fields: maps of lists, secrets
// whose file is read each time they are used, and keys that are known but have no place here.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"

namespace stoker::config {

// Every Fields is one of these too.
class MoreFields {
public:
    virtual ~MoreFields() = default;
    virtual void list_map(std::string_view key, std::map<std::string, std::vector<std::string>>& value,
                          std::string_view doc) = 0;
    virtual void masked(std::string_view key, std::string& value, std::string_view doc) = 0;
    virtual bool given(std::string_view key) = 0;
};

// {name: [text, ...]}.
void list_map(Fields& f, std::string_view key, std::map<std::string, std::vector<std::string>>& value,
              std::string_view doc);

// A text that is never shown, without the `key_file` that secret() brings along.
void masked(Fields& f, std::string_view key, std::string& value, std::string_view doc);

// Whether the key stands there, whatever it holds; it is then no unknown one. False where nothing is read.
bool given(Fields& f, std::string_view key);

}  // namespace stoker::config
