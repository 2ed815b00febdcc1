#include "collect/gpu/xid_source.h"

#include <gmock/gmock.h>
#include <time.h>

#include <fstream>

#include "collect/gpu/gpu_fixture.h"
#include "collect/gpu/xid_events.h"

namespace stoker::collect {
namespace {

TEST(XidBook, TheLargerOfTwoCountsIsTheTruth) {
    XidBook book;
    const char* pci = "0000:3b:00.0";
    book.note(XidFrom::History, pci, 79, false, from_millis(1), "before us");
    EXPECT_EQ(book.counts().at(0).count, 0);
    EXPECT_EQ(book.counts().at(0).last, from_millis(1));
    book.note(XidFrom::Event, pci, 79, false, from_millis(10), "");
    book.note(XidFrom::KernelLog, pci, 79, false, from_millis(9), "gone");
    book.note(XidFrom::KernelLog, pci, 79, false, from_millis(12), "gone again");
    book.note(XidFrom::Event, pci, 31, false, from_millis(11), "");
    const auto counts = book.counts();
    ASSERT_EQ(counts.size(), 2U);
    EXPECT_EQ(counts[0].code, 31);
    EXPECT_EQ(counts[0].count, 1);
    EXPECT_EQ(counts[1].count, 2);
    EXPECT_EQ(counts[1].last, from_millis(12));
    EXPECT_EQ(counts[1].detail, "gone again");
}

TEST(XidBook, ABrokenDriverCannotFillIt) {
    XidBook book;
    for (int i = 0; i < 2'100; ++i) book.note(XidFrom::Event, "0000:3b:00.0", i + 1, false, from_millis(1), "");
    EXPECT_EQ(book.counts().size(), 2'000U);
    EXPECT_EQ(book.dropped(), 100);
}

class XidSourceTest : public testing::FakeNvml {
protected:
    void SetUp() override {
        FakeNvml::SetUp();
        log_ = file_.string() + ".kmsg";
        log_file_.open(log_, std::ios::trunc);
        write_log("NVRM: Xid (PCI:0000:3b:00): 48, before us");
        source_ = std::make_unique<XidSource>(log_, book_, board_, std::make_shared<XidTable>(testing::shipped_xids()),
                                              GpuSourceOptions{.dcgm = DcgmNames::Add, .host = "box"});
        GpuReading gpu;
        gpu.id.index = 3;
        gpu.id.uuid = "GPU-3";
        gpu.id.pci = "0000:3b:00.0";
        gpu.id.generation = "hopper";
        board_->set({.reader = "nvml", .at = from_millis(1), .error = {}, .gpus = {gpu}});
    }
    void TearDown() override {
        std::filesystem::remove(log_);
        FakeNvml::TearDown();
    }
    void write_log(const std::string& message) {
        timespec time{};
        clock_gettime(CLOCK_MONOTONIC, &time);
        log_file_ << "4,1," << static_cast<std::int64_t>(time.tv_sec) * 1'000'000 << ",-;" << message << std::endl;
    }
    std::string total(const std::string& xid, const std::string& severity, const std::string& action) const {
        return sink_.newest("gpu_xid_errors_total{action=\"" + action +
                            "\",gpu=\"3\",instance=\"box\",pci=\"0000:3b:00.0\",severity=\"" + severity +
                            "\",uuid=\"GPU-3\",xid=\"" + xid + "\"}");
    }

    std::string log_;
    std::ofstream log_file_;
    std::shared_ptr<XidBook> book_ = std::make_shared<XidBook>();
    std::shared_ptr<GpuBoard> board_ = std::make_shared<GpuBoard>();
    std::unique_ptr<XidSource> source_;
    testing::RememberingSink sink_;
};

TEST_F(XidSourceTest, CountsWhatTheKernelLogsFromNowOnAndKnowsWhatItLoggedBefore) {
    ASSERT_TRUE(source_->collect(now(), sink_));
    EXPECT_EQ(total("48", "critical", "reset_gpu"), "0");
    write_log("NVRM: Xid (PCI:0000:3b:00): 79, GPU has fallen off the bus.");
    write_log("usb 1-1: something else");
    write_log("NVRM: Xid (PCI:0000:3b:00): 79, GPU has fallen off the bus.");
    ASSERT_TRUE(source_->collect(now(), sink_));
    EXPECT_EQ(total("79", "critical", "reboot"), "2");
    EXPECT_EQ(sink_.newest("stoker_gpu_kernel_log_readable{instance=\"box\"}"), "1");
    EXPECT_EQ(book_->counts().at(1).detail, "GPU has fallen off the bus.");
}

TEST_F(XidSourceTest, WithoutTheKernelLogEventsAreCountedAllTheSame) {
    XidSource deaf("/no/such/kmsg", book_, board_, std::make_shared<XidTable>(testing::shipped_xids()),
                   {.dcgm = DcgmNames::Add, .host = "box"});
    book_->note(XidFrom::Event, "0000:3b:00.0", 31, false, now(), "");
    ASSERT_TRUE(deaf.collect(now(), sink_));
    EXPECT_EQ(total("31", "warning", "restart_app"), "1");
    EXPECT_EQ(sink_.newest("stoker_gpu_kernel_log_readable{instance=\"box\"}"), "0");
}

TEST_F(XidSourceTest, SwitchesHaveNamesOfTheirOwn) {
    ASSERT_TRUE(source_->collect(now(), sink_));
    write_log("nvidia-nvswitch0: SXid (PCI:0000:c1:00.0): 24007, Fatal, Link 36");
    ASSERT_TRUE(source_->collect(now(), sink_));
    EXPECT_EQ(sink_.newest(R"(nvswitch_sxid_errors_total{instance="box",pci="0000:c1:00.0",sxid="24007"})"), "1");
}

TEST_F(XidSourceTest, EventsOfTheDriverReachTheBook) {
    tell("gpus=2\n");
    XidEvents events(library(), book_);
    events.start();
    const auto until = [](const std::function<bool()>& holds) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (!holds() && std::chrono::steady_clock::now() < end)
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        return holds();
    };
    ASSERT_TRUE(until([&] { return events.waiting(); }));
    tell("gpus=2\nxid=1:79\nxid=1:79\nxid=0:31\n");
    ASSERT_TRUE(until([&] { return book_->counts().size() == 2; }));
    const auto counts = book_->counts();
    EXPECT_EQ(counts[0].pci, "0000:3b:00.0");
    EXPECT_EQ(counts[0].code, 31);
    EXPECT_EQ(counts[1].pci, "0000:3c:00.0");
    EXPECT_TRUE(until([&] { return book_->counts()[1].count == 2; }));
    const auto before_stop = std::chrono::steady_clock::now();
    events.stop();
    EXPECT_LT(std::chrono::steady_clock::now() - before_stop, std::chrono::seconds(2));
}

}  // namespace
}  // namespace stoker::collect
