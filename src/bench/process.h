// What another process has used so far, from /proc.
#pragma once

namespace stoker::bench {

struct ProcessUse {
    double cpu_seconds = 0;  // Of all its threads, in the kernel too.
    long resident_kib = 0;
};

// All zero if there is no such process.
ProcessUse process_use(int pid);

}  // namespace stoker::bench
