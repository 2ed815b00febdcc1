#include "collect/logs/journald.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace stoker::collect {
namespace {

TEST(Journalctl, IsAskedForWhatIsNew) {
    EXPECT_EQ(join(journalctl_command({}, ""), " "), "journalctl --output=json --follow --quiet --no-pager --lines=0");
    EXPECT_EQ(join(journalctl_command({.units = {"a", "b*"}, .directory = "/x y"}, "s=1;i=2"), " "),
              "journalctl --output=json --follow --quiet --no-pager --directory=/x y --unit=a --unit=b* "
              "--after-cursor=s=1;i=2 --lines=all");
}

}  // namespace
}  // namespace stoker::collect
