#include "app/cli.h"

// Read by jemalloc where that is linked in: memory not used for a second goes back to the system, by a thread of its
// own, and loops and background threads share a few arenas instead of having many half empty ones.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0,narenas:4";
}

int main(int argc, char** argv) {
    return stoker::app::run_cli(argc, argv);
}
