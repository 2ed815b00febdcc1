#!/usr/bin/env python3
"""Refuses a co_await inside the condition of an if or while: gcc 12 lays out the coroutine's frame wrongly and the program
crashes at run time. Name the value first; the initialiser of `if (auto x = co_await f(); ...)` is fine."""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
problems = []
for path in sorted((root / "src").glob("*/*.*")):
    if path.suffix not in {".cc", ".h"}:
        continue
    text = re.sub(r"//[^\n]*", "", path.read_text())
    for match in re.finditer(r"\b(if|while)\s*\(", text):
        depth, end = 1, match.end()
        while depth and end < len(text):
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        condition = text[match.end():end - 1]
        if "co_await" in condition.rsplit(";", 1)[-1]:
            line = text.count("\n", 0, match.start()) + 1
            problems.append(f"{path}:{line}: co_await in the condition of {match.group(1)}; name the value first")
print("\n".join(problems) or "no co_await stands in a condition")
sys.exit(bool(problems))
