#include "agent/verdict.h"

#include <gtest/gtest.h>

namespace stoker::agent {
namespace {

using collect::SendOutcome;

struct Row {
    int status;
    SentAs sent;
    SendOutcome outcome;
    const char* fallback;  // "", "1.0" or "snappy".
};

TEST(AgentVerdict, ByStatus) {
    constexpr auto kV1 = wire::RemoteWriteVersion::V1;
    constexpr auto kV2 = wire::RemoteWriteVersion::V2;
    const Row rows[] = {
        {204, {kV1}, SendOutcome::Sent, ""},
        {500, {kV1}, SendOutcome::TryAgain, ""},
        {429, {kV1}, SendOutcome::TryAgain, ""},
        {400, {kV1}, SendOutcome::Refused, ""},
        {413, {kV1}, SendOutcome::Refused, ""},
        // A token, a path or a proxy that somebody will correct.
        {401, {kV1}, SendOutcome::TryAgain, ""},
        {403, {kV2}, SendOutcome::TryAgain, ""},
        {404, {kV1}, SendOutcome::TryAgain, ""},
        {407, {kV1}, SendOutcome::TryAgain, ""},
        {415, {kV2}, SendOutcome::TryAgain, "1.0"},
        {415, {kV2, true, false}, SendOutcome::TryAgain, "snappy"},
        {400, {kV1, true, false}, SendOutcome::TryAgain, "snappy"},
        {400, {kV1, true, true}, SendOutcome::Refused, ""},
    };
    for (const Row& row : rows) {
        const auto judged = judge(net::Response{row.status, {}, "why"}, row.sent, 10);
        EXPECT_EQ(static_cast<int>(judged.answer.outcome), static_cast<int>(row.outcome)) << row.status;
        EXPECT_EQ(judged.to_v1 ? "1.0" : judged.to_snappy ? "snappy" : "", std::string(row.fallback)) << row.status;
        EXPECT_EQ(judged.error.empty(), row.status == 204);
    }
    EXPECT_EQ(judge(Error{Errc::Unavailable, "refused"}, {}, 10).answer.outcome, SendOutcome::TryAgain);
}

}  // namespace
}  // namespace stoker::agent
