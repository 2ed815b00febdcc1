#include "api/federated_querier.h"

#include <gmock/gmock.h>

#include "api/federation.h"
#include "promql/memory_querier.h"
#include "wire/compression.h"
#include "wire/remote_read.h"

namespace stoker::api {
namespace {

using testing::HasSubstr;

// A peer with one series, which says what it was asked for.
FederationPeer peer(const std::string& name, double value, std::vector<std::string>* asked = nullptr) {
    return {name, [=](const std::string& request) -> Result<std::string> {
                const auto body = wire::decompress("snappy", request, 1 << 20);
                const auto read = wire::decode_read_request(*body);
                for (const auto& matcher : read->queries.at(0).matchers) {
                    if (asked != nullptr) asked->push_back(matcher.name + "=" + matcher.value);
                }
                wire::ReadResponseEncoder encoder;
                const std::vector<wire::WriteRequest::Sample> samples = {{value, 59'000, 0}};
                encoder.add_series({{"__name__", "up"}, {"job", "engine"}}, samples, {});
                encoder.end_query();
                return wire::snappy_compress(encoder.message());
            }};
}

FederationPeer broken(const std::string& name, const std::string& answer) {
    return {name, [=](const std::string&) -> Result<std::string> {
                if (answer.empty()) return Error{Errc::DeadlineExceeded, "no answer within 5s"};
                return answer;
            }};
}

struct FederationTest : testing::Test {
    promql::MemoryQuerier local;
    FederationView view;

    FederationTest() { local.add(tsdb::Labels({{"__name__", "up"}, {"job", "engine"}}), {58'000, 1}); }
    std::string ask(const std::string& query) const {
        const Federation federation(local, view, {});
        collect::PushRequest request;
        request.body = "query=" + net::url_encode(query) + "&time=60";
        return federation.query(request).body;
    }
};

TEST_F(FederationTest, SeriesOfAllAreEvaluatedTogether) {
    view.peers = {peer("b", 2), peer("a", 4)};
    EXPECT_THAT(ask("sum(up)"), HasSubstr(R"("value":[60,"7"])"));
    EXPECT_THAT(ask("sum by (stoker) (up)"), HasSubstr(R"({"metric":{"stoker":"a"},"value":[60,"4"]})"));
    EXPECT_THAT(ask("up"), HasSubstr(R"("stoker":"local")"));
    EXPECT_THAT(ask("sum(up)"), testing::Not(HasSubstr("warnings")));
}

TEST_F(FederationTest, TheLabelSaysWhoIsAsked) {
    std::vector<std::string> asked;
    view.peers = {peer("a", 4, &asked), broken("b", "")};
    EXPECT_THAT(ask(R"(sum(up{stoker="a",job=~"e.*"}))"), HasSubstr(R"("value":[60,"4"])"));
    EXPECT_THAT(asked, testing::UnorderedElementsAre("__name__=up", "job=e.*"));
    EXPECT_THAT(ask(R"(sum(up{stoker!="b"}))"), HasSubstr(R"("value":[60,"5"])"));
    EXPECT_THAT(ask(R"(sum(up{stoker="local"}))"), HasSubstr(R"("value":[60,"1"])"));
}

TEST_F(FederationTest, WhoDoesNotAnswerIsLeftOutAndSaid) {
    view.peers = {peer("a", 4), broken("b", ""), broken("c", "<html>"), broken("d", wire::snappy_compress("\xff"))};
    const std::string answer = ask("sum(up) + sum(up)");
    EXPECT_THAT(answer, HasSubstr(R"("value":[60,"10"])"));
    EXPECT_THAT(answer, HasSubstr("partial result: nothing of b is in it: no answer within 5s"));
    EXPECT_THAT(answer, HasSubstr("nothing of c is in it"));
    EXPECT_THAT(answer, HasSubstr("nothing of d is in it"));
    view.max_samples = 0;
    EXPECT_THAT(ask("up"), HasSubstr("nothing of a is in it"));
}

TEST_F(FederationTest, MistakesAreThoseOfPrometheus) {
    EXPECT_THAT(ask("sum("), HasSubstr(R"("errorType":"bad_data")"));
    const Federation federation(local, view, {});
    collect::PushRequest request;
    request.body = "query=up&start=0&end=60";
    EXPECT_EQ(federation.query_range(request).status, 400);
    request.body += "&step=30";
    EXPECT_EQ(federation.query_range(request).status, 200);
}

}  // namespace
}  // namespace stoker::api
