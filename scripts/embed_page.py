#!/usr/bin/env python3
"""Writes OUT/page_files.cc, which carries every file of DIST, plain and gzipped, by the assembler's .incbin."""
import gzip
import pathlib
import sys

dist, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
types = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".woff2": "font/woff2", ".json": "application/json"}
fallback = b"<!doctype html><title>Stoker</title><p>This binary was built without its page: run <code>make build</code>."

out.mkdir(parents=True, exist_ok=True)
files = {"/" + str(p.relative_to(dist)): p.read_bytes() for p in sorted(dist.rglob("*")) if p.is_file() and p.suffix in types}
files = files or {"/index.html": fallback}
assembly, entries = [], []
for number, (path, data) in enumerate(files.items()):
    for kind, content in (("plain", data), ("gzip", gzip.compress(data, 9, mtime=0))):
        blob = out / f"{number}.{kind}"
        blob.write_bytes(content)
        symbol = f"stoker_page_{number}_{kind}"
        assembly.append(f'asm(".section .rodata\\n{symbol}: .incbin \\"{blob}\\"\\n{symbol}_end:\\n.previous\\n");\n'
                        f'extern "C" const char {symbol}[], {symbol}_end[];')
    blobs = ", ".join(f"{{stoker_page_{number}_{kind}, static_cast<std::size_t>(stoker_page_{number}_{kind}_end - "
                      f"stoker_page_{number}_{kind})}}" for kind in ("plain", "gzip"))
    entries.append(f'        {{"{path}", "{types[pathlib.Path(path).suffix]}", {blobs}}},')
text = ('#include "api/page_files.h"\n\n#include <cstddef>\n\n' + "\n".join(assembly) +
        "\n\nnamespace stoker::api {\n\nconst std::vector<PageFile>& page_files() {\n    static const std::vector<PageFile> files = {\n" +
        "\n".join(entries) + "\n    };\n    return files;\n}\n\n}  // namespace stoker::api\n")
(out / "page_files.cc").write_text(text)
