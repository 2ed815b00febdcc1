#include "load.h"

#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>

namespace stoker::bench_balance {
namespace {

constexpr int kApplications = 64;
constexpr double kPopularity = 0.9;  // Zipf's exponent.
constexpr double kMeanTurns = 6;
constexpr double kMeanThink = 20;  // Seconds.

Nanos seconds(double value) {
    return Nanos{static_cast<std::int64_t>(value * 1e9)};
}

// A length with this median; a twentieth of them is more than five times as long.
std::uint32_t length_of(double median, double most, std::mt19937_64& random) {
    const double drawn = std::lognormal_distribution<double>(std::log(median), 1)(random);
    return static_cast<std::uint32_t>(std::clamp(drawn, 4.0, most));
}

// English prose has more than four bytes a token, code and other languages fewer.
double bytes_per_token(std::mt19937_64& random) {
    return std::uniform_real_distribution<double>(3, 5)(random);
}

std::uint64_t mix(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

// A block's name says all before it, as a session only ever grows at its end: whose text it is, and which block.
std::vector<std::uint64_t> blocks(const Session& session, double system, double length, double block,
                                  std::uint64_t seed) {
    std::vector<std::uint64_t> made(static_cast<std::size_t>(length / block));
    for (std::size_t i = 0; i < made.size(); ++i) {
        const bool common = static_cast<double>(i + 1) * block <= system;
        const std::uint64_t owner = common ? session.system * 2 : session.id * 2 + 1;
        made[i] = mix(mix(owner + seed) + i) | 1;
    }
    return made;
}

}  // namespace

Load chat_load(double rate, Nanos length, std::uint64_t seed, std::uint32_t max_context) {
    std::mt19937_64 random(seed);
    std::vector<double> popularity;
    std::vector<Session> applications(kApplications);
    for (int i = 0; i < kApplications; ++i) {
        popularity.push_back(std::pow(i + 1, -kPopularity));
        applications[i].system = static_cast<std::uint64_t>(i) + 1;
        applications[i].system_tokens = length_of(1000, 6000, random);
        applications[i].bytes_per_token = bytes_per_token(random);
    }
    std::discrete_distribution<std::size_t> application(popularity.begin(), popularity.end());
    std::exponential_distribution<double> gap(rate);
    std::exponential_distribution<double> think(1 / kMeanThink);
    std::geometric_distribution<int> more_turns(1 / kMeanTurns);

    Load load{"chat", {}, length};
    std::uint64_t id = seed << 32;
    for (Nanos at = seconds(gap(random)); at < length; at += seconds(gap(random))) {
        Session session = applications[application(random)];
        session.id = ++id;
        session.start = at;
        std::uint32_t context = session.system_tokens;
        for (int turn = more_turns(random); turn >= 0; --turn) {
            const std::uint32_t text = length_of(120, 4000, random);
            const std::uint32_t answer = length_of(150, 1500, random);
            context += text + answer;
            if (context > max_context) break;
            session.turns.push_back({text, answer, seconds(think(random))});
        }
        if (!session.turns.empty()) load.sessions.push_back(std::move(session));
    }
    return load;
}

Load trace_load(std::string name, std::vector<twin::TraceRow> rows, double rate, Nanos length, std::uint64_t seed,
                std::uint32_t max_context) {
    std::mt19937_64 random(seed);
    auto shape =
        rows.empty() ? twin::TrafficShape::conversation(rate) : twin::TrafficShape::replay(std::move(rows), rate);
    Load load{std::move(name), {}, length};
    std::uint64_t id = seed << 32;
    Nanos at{0};
    for (auto next = shape.next(random); (at += next.gap) < length; next = shape.next(random)) {
        Session session;
        session.id = ++id;
        session.bytes_per_token = bytes_per_token(random);
        session.start = at;
        const std::uint32_t output = std::min(next.output_tokens, max_context / 2);
        session.turns.push_back({std::min(next.prompt_tokens, max_context - output), output, Nanos{0}});
        load.sessions.push_back(std::move(session));
    }
    return load;
}

Result<std::vector<twin::TraceRow>> read_trace(const std::string& path) {
    const gzFile file = gzopen(path.c_str(), "rb");  // Reads what is not compressed as it is.
    if (file == nullptr) return Error{Errc::NotFound, path + ": can't be read"};
    std::string text;
    std::vector<char> buffer(1 << 16);
    int count = 0;
    while ((count = gzread(file, buffer.data(), static_cast<unsigned>(buffer.size()))) > 0) {
        text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    gzclose(file);
    if (count < 0) return Error{Errc::InvalidArgument, path + ": not a whole gzip file"};
    TRY(std::vector<twin::TraceRow> rows, twin::parse_trace(text));
    if (rows.empty()) return Error{Errc::InvalidArgument, path + ": no requests"};
    return rows;
}

std::vector<twin::BlockHash> engine_blocks(const Session& session, std::uint32_t tokens, std::uint32_t block_tokens) {
    return blocks(session, session.system_tokens, tokens, block_tokens, 1);
}

std::vector<gateway::PromptHash> gateway_blocks(const Session& session, std::uint32_t tokens) {
    return blocks(session, session.system_tokens * session.bytes_per_token, tokens * session.bytes_per_token,
                  gateway::kPromptBlockBytes, 2);
}

std::int64_t estimated_tokens(const Session& session, std::uint32_t tokens) {
    const double bytes = tokens * session.bytes_per_token;
    return std::max<std::int64_t>(1, std::llround(bytes / static_cast<double>(gateway::kBytesPerToken)));
}

}  // namespace stoker::bench_balance
