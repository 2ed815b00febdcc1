// Files that somebody else writes: every *.prom of some folders, in Prometheus' text format, as node_exporter's
// textfile collector reads them.
//
// Each file that could be read has node_textfile_mtime_seconds, so that one that is no longer written is seen; one that
// can't be read, or has samples with times, is left out whole and sets node_textfile_scrape_error. A file should be
// replaced in one step (written beside and renamed), or half of it may be read.
#pragma once

#include <string>
#include <vector>

#include "collect/program/exposed_pages.h"
#include "collect/source.h"

namespace stoker::collect {

struct TextfileOptions {
    std::vector<std::string> folders;
    std::string instance;  // The label `instance`; job is "node", as of this machine's other metrics.
    PageLimits limits;
    std::size_t max_files = 1'000;
    std::size_t max_file_bytes = std::size_t{16} << 20;
};

class TextfileSource : public Source {
public:
    explicit TextfileSource(TextfileOptions options);

    std::string_view name() const override { return "textfile"; }
    Result<Unit> collect(Timestamp now, SampleSink& sink) override;

private:
    // Adds the file's samples; returns when it was written. Errors: as ExposedPages::add, and those of reading.
    Result<double> read(const std::string& path);

    const TextfileOptions options_;
    ExposedPages pages_;
};

}  // namespace stoker::collect
