// A wall clock that a test can set: preloaded (LD_PRELOAD) into a process, it adds what the file STOKER_TEST_CLOCK
// holds (eight bytes, a signed count of seconds) to the real time. The steady clock is left alone. It asks the kernel
// itself and takes no memory, as allocators ask for the time before they can give any.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <ctime>

namespace {

const volatile std::int64_t* offset = nullptr;

__attribute__((constructor)) void map_offset() {
    const char* file = std::getenv("STOKER_TEST_CLOCK");
    if (file == nullptr) return;
    const int handle = open(file, O_RDONLY | O_CLOEXEC);
    if (handle < 0) return;
    void* mapped = mmap(nullptr, sizeof(std::int64_t), PROT_READ, MAP_SHARED, handle, 0);
    close(handle);
    if (mapped != MAP_FAILED) offset = static_cast<const volatile std::int64_t*>(mapped);
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* time) noexcept {
    const auto failed = static_cast<int>(syscall(SYS_clock_gettime, clock, time));
    const bool wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
    if (failed == 0 && wall && offset != nullptr) time->tv_sec += *offset;
    return failed;
}

int gettimeofday(timeval* time, void*) noexcept {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t* out) noexcept {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    if (out != nullptr) *out = now.tv_sec;
    return now.tv_sec;
}

}  // extern "C"
