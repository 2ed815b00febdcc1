# The verbs of this project. Each sets up what it needs first, and does again only what changed.
#
#   make run     build the release binary and start Stoker (a demo, if no engine is found on this machine)
#   make test    lint, unit tests under ASan+UBSan and TSan, fuzzing for seconds, and the whole binary driven by real clients
#   make build   the release binary: build/release/stoker
#   make lint    format, clang-tidy on what changed, module order, file sizes
#   make fmt     formats the sources
#   make crash   kills a writing store 500 times, tears and flips its files, and looks for what was acknowledged
#   make soak    half an hour (MINUTES=N) of mixed load with random faults and reloads; then the books are compared
#   make bench   comparisons with other software on this machine; updates docs/benchmarks.md (TRACES=FILES: Azure LLM inference traces)

JOBS ?= $(shell nproc)
SHELL := bash

.PHONY: run test build lint fmt bench crash soak web clean unit-asan unit-tsan fuzz e2e

run: build
	@exec build/release/stoker serve --demo-if-empty

build: web
	@cmake --preset release >build-configure.log 2>&1 || { cat build-configure.log; exit 1; }
	@cmake --build --preset release -j $(JOBS) --target stoker

web:
	@scripts/setup.sh build
	@scripts/build_web.sh

test:
	@scripts/setup.sh test
	@scripts/test.sh

unit-asan unit-tsan fuzz e2e lint:
	@scripts/setup.sh test
	@scripts/test.sh $@

fmt:
	@git ls-files '*.cc' '*.h' | xargs clang-format-14 -i

bench: build
	@scripts/setup.sh test
	@scripts/setup.sh bench
	@cmake --build --preset release -j $(JOBS) --target bench_gateway bench_metrics bench_balance
	@bench/gateway/run.py
	@bench/metrics/run.py
	@bench/agent/run.py
	@build/release/bench_balance $(foreach trace,$(TRACES),--trace $(trace)) --update docs/benchmarks.md

crash:
	@scripts/setup.sh build
	@cmake --preset release >build-configure.log 2>&1 || { cat build-configure.log; exit 1; }
	@cmake --build --preset release -j $(JOBS) --target stoker_crash
	@build/release/stoker_crash --kills $(or $(KILLS),500)

soak: build
	@scripts/setup.sh test
	@test/soak/soak.mjs --minutes $(or $(MINUTES),30)

clean:
	rm -rf build web/dist
