// Runs every *.test.mjs here (or those named), one file after another: they share two cores and measure time.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const named = process.argv.slice(2)
const files = readdirSync(here).filter((name) => name.endsWith('.test.mjs') && (named.length === 0 || named.some((part) => name.includes(part))))
let failed = 0
for (const file of files.sort()) {
    console.log(`-- ${file}`)
    // A busy machine can starve what measures real time: a failure must happen twice, and the first is told.
    const passes = () => spawnSync(process.execPath, ['--test', '--test-reporter=spec', join(here, file)], { stdio: 'inherit', timeout: 600_000 }).status === 0
    if (passes()) continue
    console.log(`-- ${file} failed; once more`)
    if (!passes()) failed++
}
console.log(`e2e files: ${files.length - failed} passed, ${failed} failed`)
process.exit(failed ? 1 : 0)
