// The list of embedded files; scripts/embed_page.py writes its definition from web/dist when building.
#pragma once

#include <string_view>
#include <vector>

namespace stoker::api {

struct PageFile {
    std::string_view path;  // "/index.html"
    std::string_view type;  // Content-Type.
    std::string_view plain;
    std::string_view gzip;
};

const std::vector<PageFile>& page_files();

}  // namespace stoker::api
