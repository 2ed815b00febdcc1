#include "app/cli.h"

int main(int argc, char** argv) {
    return stoker::app::run_cli(argc, argv);
}
