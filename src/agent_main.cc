#include "agent/command.h"

int main(int argc, char** argv) {
    return stoker::agent::run_command(argc, argv);
}
