#include "query.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <fstream>
#include <stdexcept>

#include "http.h"

namespace stoker::bench {

namespace {

std::string escape(const std::string& text) {
    static const char* digits = "0123456789ABCDEF";
    std::string out;
    for (const unsigned char c : text) {
        if (std::isalnum(c) != 0) {
            out += static_cast<char>(c);
        } else {
            out += {'%', digits[c >> 4], digits[c & 15]};
        }
    }
    return out;
}

std::int64_t seconds_of(const std::string& text) {
    const std::string units = "smhd";
    const std::int64_t sizes[] = {1, 60, 3600, 86400};
    const auto unit = units.find(text.back());
    if (unit == std::string::npos) throw std::runtime_error("not a duration: " + text);
    return std::stoll(text) * sizes[unit];
}

std::string target_of(const QuerySpec& query, std::int64_t end) {
    // VictoriaMetrics' nocache: this measures evaluation, not a cache of answers, which the others don't have.
    const std::string text = escape(query.text) + "&nocache=1";
    if (query.range == 0) return "/api/v1/query?time=" + std::to_string(end) + "&query=" + text;
    return "/api/v1/query_range?start=" + std::to_string(end - query.range) + "&end=" + std::to_string(end) +
           "&step=" + std::to_string(query.step) + "&query=" + text;
}

}  // namespace

std::vector<QuerySpec> read_queries(const std::string& file) {
    std::ifstream in(file);
    if (!in) throw std::runtime_error("can't read " + file);
    std::vector<QuerySpec> queries;
    for (std::string line; std::getline(in, line);) {
        if (line.empty() || line[0] == '#') continue;
        const auto first = line.find('\t'), second = line.find('\t', first + 1);
        if (first == std::string::npos || second == std::string::npos)
            throw std::runtime_error("three columns, please: " + line);
        QuerySpec query;
        query.name = line.substr(0, first);
        query.text = line.substr(second + 1);
        const std::string kind = line.substr(first + 1, second - first - 1);
        if (kind != "instant") {
            const auto slash = kind.find('/');
            query.range = seconds_of(kind.substr(0, slash));
            query.step = seconds_of(kind.substr(slash + 1));
        }
        queries.push_back(std::move(query));
    }
    return queries;
}

std::vector<QueryTiming> run_queries(const std::string& address, const std::vector<QuerySpec>& queries,
                                     std::int64_t end_seconds, int rounds) {
    Http http(address);
    std::vector<QueryTiming> timings;
    for (const QuerySpec& query : queries) {
        QueryTiming timing{query.name, {}, {}};
        for (int round = 0; round < rounds; ++round) {
            const std::string target = target_of(query, end_seconds - round);
            const auto began = std::chrono::steady_clock::now();
            Answer answer = http.get(target);
            timing.seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
            if (answer.status != 200)
                throw std::runtime_error(query.text + ": status " + std::to_string(answer.status) + ": " +
                                         answer.body.substr(0, 300));
            if (round == 0) timing.answer = std::move(answer.body);
        }
        std::sort(timing.seconds.begin(), timing.seconds.end());
        timings.push_back(std::move(timing));
    }
    return timings;
}

}  // namespace stoker::bench
