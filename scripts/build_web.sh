#!/usr/bin/env bash
# Builds the page into web/dist if a source is newer than the last build.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../web"
if [[ -e dist/index.html && -z "$(find src index.html package-lock.json vite.config.ts tsconfig.json -newer dist/index.html -print -quit)" ]]; then
    exit 0
fi
echo "web: building the page"
npm run --silent build
touch dist/index.html
