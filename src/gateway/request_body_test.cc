// Bodies that are none: what the client gets to hear of them.
#include "gateway/rig_test.h"

namespace stoker::gateway::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string chunked(const std::string& path, const std::string& type, const std::string& body) {
    return "POST " + path + " HTTP/1.1\r\nhost: x\r\ncontent-type: " + type + "\r\ntransfer-encoding: chunked\r\n\r\n" +
           body;
}

TEST(RequestBody, MalformedChunksAreAnswered) {
    Rig rig(1);
    const std::string json = chunked("/v1/chat/completions", "application/json", "5\r\n{\"mod\r\nnonsense\r\n");
    const std::string answer = rig.send_raw(json);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 "));
    EXPECT_THAT(answer, HasSubstr(R"("code":"invalid_request")"));
    EXPECT_THAT(answer, HasSubstr("chunks are malformed"));
    const std::string form =
        chunked("/v1/audio/transcriptions", "multipart/form-data; boundary=b", "3\r\n--b\r\nnonsense\r\n");
    EXPECT_THAT(rig.send_raw(form), StartsWith("HTTP/1.1 400 "));
    for (const auto& record : rig.records(2)) {
        EXPECT_EQ(record.status, 400);
        EXPECT_EQ(record.outcome, "client_error");
        EXPECT_EQ(record.error, "invalid_request");
    }
}

}  // namespace
}  // namespace stoker::gateway::test
