// Forms in pieces of every size.
#include "wire/multipart.h"

#include <gtest/gtest.h>

namespace stoker::wire {
namespace {

constexpr std::string_view kForm =
    "--xYz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"model\"\r\nContent-Type: audio/wav\r\n\r\n"
    "RIFF\r\n--xY not yet\r\n\r\nname=\"model\"\r\n"
    "\r\n--xYz\r\ncontent-disposition: form-data; name=model\r\n\r\nwhisper-1"
    "\r\n--xYz\r\nContent-Disposition: form-data; name=\"stream\"\r\n\r\ntrue\r\n--xYz--\r\n";

TEST(FormScanner, FindsTheFieldsWhateverThePieces) {
    for (std::size_t size = 1; size <= kForm.size(); ++size) {
        FormScanner form("xYz");
        for (std::size_t at = 0; at < kForm.size(); at += size) ASSERT_TRUE(form.feed(kForm.substr(at, size)));
        EXPECT_TRUE(form.done());
        EXPECT_EQ(form.model(), "whisper-1");
        EXPECT_EQ(form.model_value().of(kForm), "whisper-1");
        EXPECT_TRUE(form.stream());
    }
}

TEST(FormScanner, RefusesWhatAnEngineCouldReadOtherwise) {
    const std::string model = "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nx\r\n";
    const std::string cases[] = {
        "preamble\r\n" + model + "--b--",
        model + model + "--b--",
        "--b\r\nContent-Disposition: form-data; name=\"model\"; filename=\"a\"\r\n\r\nx\r\n--b--",
        "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n" + std::string(2000, 'x') + "\r\n--b--",
        "--b\r\nX: " + std::string(20000, 'x') + "\r\n\r\n",
        model + "--bogus",
        "{\"model\":\"x\"}",
    };
    for (const std::string& text : cases) {
        FormScanner form("b");
        EXPECT_FALSE(form.feed(text)) << text.substr(0, 80);
        EXPECT_STRNE(form.problem(), "");
        EXPECT_FALSE(form.done());
    }
}

TEST(FormScanner, KeepsNoFile) {
    FormScanner form("b");
    ASSERT_TRUE(form.feed("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n"));
    const std::string piece(1 << 20, '\r');
    for (int i = 0; i < 8; ++i) ASSERT_TRUE(form.feed(piece));
    ASSERT_TRUE(form.feed("\r\n--b--"));
    EXPECT_TRUE(form.done());
    EXPECT_FALSE(form.model());
}

TEST(FormBoundary, IsFoundHoweverItIsWritten) {
    EXPECT_EQ(form_boundary("multipart/form-data; boundary=abc"), "abc");
    EXPECT_EQ(form_boundary("Multipart/Form-Data;charset=utf-8; Boundary=\"a;b\\\"c\""), "a;b\"c");
    EXPECT_EQ(form_boundary("multipart/form-data"), "");
    EXPECT_EQ(form_boundary("application/json; boundary=abc"), "");
    EXPECT_EQ(form_boundary("multipart/mixed; boundary=abc"), "");
}

}  // namespace
}  // namespace stoker::wire
