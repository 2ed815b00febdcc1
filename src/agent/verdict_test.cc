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

TEST(AgentVerdict, OtlpByStatus) {
    const SentAs sent{.otlp = true};
    const std::pair<int, SendOutcome> rows[] = {
        {200, SendOutcome::Sent},     {429, SendOutcome::TryAgain}, {503, SendOutcome::TryAgain},
        {401, SendOutcome::TryAgain}, {404, SendOutcome::TryAgain}, {400, SendOutcome::Refused},
        {413, SendOutcome::Refused},  {500, SendOutcome::Refused},
    };
    for (const auto& [status, outcome] : rows) {
        const auto judged = judge(net::Response{status, {}, ""}, sent, 10);
        EXPECT_EQ(static_cast<int>(judged.answer.outcome), static_cast<int>(outcome)) << status;
        EXPECT_EQ(judged.error.empty(), status == 200) << judged.error;
        EXPECT_FALSE(judged.to_v1 || judged.to_snappy);
        EXPECT_EQ(judged.answer.worth_parting, outcome == SendOutcome::Refused);
    }
    // ExportMetricsServiceResponse{partial_success{rejected_data_points: 3, error_message: "old"}}
    const auto partial = judge(net::Response{200, {}, std::string("\x0a\x07\x08\x03\x12\x03old", 9)}, sent, 10);
    EXPECT_EQ(partial.answer.refused, 3U);
    EXPECT_NE(partial.error.find("old"), std::string::npos);
    EXPECT_EQ(judge(Error{Errc::Unavailable, "refused"}, sent, 10).answer.outcome, SendOutcome::TryAgain);
}

}  // namespace
}  // namespace stoker::agent
