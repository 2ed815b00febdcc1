#!/usr/bin/env python3
"""Refuses source files over 500 lines; prints the longest ones."""
import subprocess
import sys

LIMIT = 500
names = subprocess.run(["git", "ls-files", "*.cc", "*.h", "*.ts", "*.tsx", "*.py", "*.mjs", "*.sh"], capture_output=True, text=True,
                       check=True).stdout.split()
sizes = sorted(((sum(1 for _ in open(name, encoding="utf-8")), name) for name in names), reverse=True)
too_long = [(size, name) for size, name in sizes if size > LIMIT]
for size, name in too_long:
    print(f"{name}: {size} lines; split it by idea (limit {LIMIT})")
print(f"{len(sizes)} source files, the longest {sizes[0][0]} lines")
sys.exit(bool(too_long))
