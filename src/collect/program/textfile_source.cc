#include "collect/program/textfile_source.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "base/file.h"

namespace stoker::collect {
namespace {

namespace fs = std::filesystem;

// The *.prom files of a folder, in order. Errors: what keeps it from being listed.
Result<std::vector<std::string>> files_of(const std::string& folder, std::size_t most) {
    std::error_code failure;
    std::vector<std::string> files;
    fs::directory_iterator entry(folder, failure);
    for (; !failure && entry != fs::directory_iterator(); entry.increment(failure)) {
        if (entry->path().extension() != ".prom") continue;
        if (files.size() == most) {
            return Error{Errc::ResourceExhausted, folder + " has more than " + std::to_string(most) + " *.prom files"};
        }
        files.push_back(entry->path().string());
    }
    if (failure) return Error{Errc::Unavailable, folder + ": " + failure.message()};
    std::sort(files.begin(), files.end());
    return files;
}

}  // namespace

TextfileSource::TextfileSource(TextfileOptions options)
    : options_(std::move(options)), pages_({{"instance", options_.instance}, {"job", "node"}}, options_.limits) {}

Result<double> TextfileSource::read(const std::string& path) {
    struct stat status {};
    if (stat(path.c_str(), &status) != 0) {
        return Error{Errc::Unavailable, path + ": " + std::generic_category().message(errno)};
    }
    // A pipe would have us wait for its writer.
    if (!S_ISREG(status.st_mode)) return Error{Errc::InvalidArgument, path + " is no regular file"};
    TRY(const std::string text, read_file(path, options_.max_file_bytes));
    auto added = pages_.add(text, PageTimes::Refused);
    if (!added) return std::move(added).error().context(path);
    return static_cast<double>(status.st_mtim.tv_sec) + static_cast<double>(status.st_mtim.tv_nsec) / 1e9;
}

Result<Unit> TextfileSource::collect(Timestamp now, SampleSink& sink) {
    pages_.begin(now);
    std::optional<Error> first;
    const auto note = [&first](Error error) {
        if (!first) first = std::move(error);
    };
    for (const std::string& folder : options_.folders) {
        auto files = files_of(folder, options_.max_files);
        if (!files) {
            note(std::move(files).error());
            continue;
        }
        for (const std::string& file : *files) {
            auto written = read(file);
            if (written) {
                pages_.add("node_textfile_mtime_seconds", {{"file", file}}, *written);
            } else {
                note(std::move(written).error());
            }
        }
    }
    pages_.add("node_textfile_scrape_error", {}, first ? 1 : 0);
    pages_.finish(sink);
    if (first) return *std::move(first);
    return Unit{};
}

}  // namespace stoker::collect
