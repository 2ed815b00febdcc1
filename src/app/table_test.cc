#include "app/table.h"

#include <gtest/gtest.h>

namespace stoker::app {
namespace {

TEST(Table, AlignsColumns) {
    Table table({"ID", "STATE"});
    table.add({"a", "ok"});
    table.add({"längst", "down"});
    EXPECT_EQ(table.text(), "ID      STATE\na       ok\nlängst  down\n");
}

TEST(Table, Numbers) {
    EXPECT_EQ(short_number(3), "3");
    EXPECT_EQ(short_number(0.1 + 0.2), "0.3");
    EXPECT_EQ(short_seconds(0.00085), "850 us");
    EXPECT_EQ(short_seconds(0.0123), "12.3 ms");
    EXPECT_EQ(short_seconds(4.5), "4.50 s");
}

}  // namespace
}  // namespace stoker::app
