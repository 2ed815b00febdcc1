#!/usr/bin/env python3
"""Refuses an #include of one module from another that CMakeLists.txt does not name among its DEPS."""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
allowed: dict[str, set[str]] = {}
for name, rest in re.findall(r"^stoker_module\((\w+)([^)]*)\)", (root / "CMakeLists.txt").read_text(), re.M):
    deps = re.search(r"DEPS ([a-z_ ]+?)(?: LIBS|$)", rest.strip())
    allowed[name] = {name, *(deps.group(1).split() if deps else [])}

problems = []
include = re.compile(r'^#include "([a-z_]+)/', re.M)
# What only one module may include: the borders around heavy or replaceable libraries.
borders = {"boost/beast": {"net"}, "openssl/": {"net", "crypto"}, "rocksdb/": {"tsdb"}, "duckdb.h": {"records"}, "sqlite3.h": {"state"},
           "yaml-cpp/": {"base", "alert", "collect"}, "CLI/": {"app", "agent"}, "simdjson": {"wire"}}
for path in sorted((root / "src").glob("*/**/*")):
    if path.suffix not in {".cc", ".h"}:
        continue
    module, text = path.relative_to(root / "src").parts[0], path.read_text()
    if module not in allowed:
        problems.append(f"{path}: src/{module} is not declared in CMakeLists.txt")
        continue
    problems += [f"{path}: includes {dep}/, which is not among the DEPS of {module}"
                 for dep in sorted(set(include.findall(text)) - allowed[module])]
    problems += [f"{path}: only {', '.join(sorted(who))} may include <{what}…>" for what, who in borders.items()
                 if f"#include <{what}" in text and module not in who]
print("\n".join(problems) or f"{len(allowed)} modules keep their order")
sys.exit(bool(problems))
