#include "twin/trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stoker::twin {
namespace {

using std::chrono::milliseconds;

TEST(Trace, ReadsTheAzureFormat) {
    auto rows = parse_trace(
        "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,374,44\n"
        "2023-11-16 18:15:50.9951690,396,109\r\n2023-11-16 18:15:48,0,0\n\n");
    ASSERT_TRUE(rows.has_value()) << rows.error().message;
    ASSERT_EQ(rows->size(), 3u);
    EXPECT_EQ((*rows)[0].at, Nanos{0});
    EXPECT_EQ((*rows)[0].prompt_tokens, 374u);
    EXPECT_EQ((*rows)[1].at, Nanos{1'319'410'000});  // In order of time.
    EXPECT_EQ((*rows)[1].output_tokens, 1u);
    EXPECT_EQ((*rows)[2].at, Nanos{4'314'579'000});
}

TEST(Trace, NamesTheBadLine) {
    for (const char* text :
         {"x,y,z\n", "TIMESTAMP,a,b\n2023-11-16 18:15:46,1\n", "TIMESTAMP,a,b\n2023-11-16 18:15:46,-1,2\n",
          "TIMESTAMP,a,b\n2023-11-16 18:15:46.x,1,2\n", "TIMESTAMP,a,b\nyesterday,1,2\n"}) {
        auto rows = parse_trace(text);
        ASSERT_FALSE(rows.has_value()) << text;
        EXPECT_THAT(rows.error().message, ::testing::HasSubstr("trace line"));
    }
}

TEST(TrafficShape, ConversationHasTheMeansOfTheTrace) {
    std::mt19937_64 random(7);
    auto shape = TrafficShape::conversation(5);
    constexpr int kDraws = 200'000;
    double gap = 0;
    double prompt = 0;
    double output = 0;
    for (int i = 0; i < kDraws; ++i) {
        auto arrival = shape.next(random);
        gap += std::chrono::duration<double>(arrival.gap).count() / kDraws;
        prompt += static_cast<double>(arrival.prompt_tokens) / kDraws;
        output += static_cast<double>(arrival.output_tokens) / kDraws;
    }
    EXPECT_NEAR(gap, 0.2, 0.006);
    EXPECT_NEAR(prompt, 1155, 40);
    EXPECT_NEAR(output, 211, 10);
}

TEST(TrafficShape, ReplayScalesAndStartsOver) {
    std::vector<TraceRow> rows = {{milliseconds{0}, 1, 2}, {milliseconds{500}, 3, 4}, {milliseconds{2000}, 5, 6}};
    std::mt19937_64 random(1);
    auto shape = TrafficShape::replay(rows, 2);  // Twice as fast as the trace's one a second.
    EXPECT_EQ(shape.next(random).prompt_tokens, 1u);
    EXPECT_EQ(shape.next(random).gap, milliseconds{250});
    auto third = shape.next(random);
    EXPECT_EQ(third.gap, milliseconds{750});
    EXPECT_EQ(third.output_tokens, 6u);
    auto again = shape.next(random);
    EXPECT_EQ(again.prompt_tokens, 1u);
    EXPECT_EQ(again.gap, milliseconds{500});
}

}  // namespace
}  // namespace stoker::twin
