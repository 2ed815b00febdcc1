// Runs every *.test.mjs here (or those named), several side by side (E2E_JOBS; one for each core by default): most of a
// file's time is waiting. What a file printed is shown when it ends.
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const named = process.argv.slice(2)
const files = readdirSync(here).filter((name) => name.endsWith('.test.mjs') && (named.length === 0 || named.some((part) => name.includes(part))))
const lanes = Math.max(1, Number(process.env.E2E_JOBS) || Math.min(4, availableParallelism()))
const limit = 600_000 // Milliseconds for one file.

// Whether `file` passed; its output is held back until it ends, so that files do not mix.
function run(file) {
    return new Promise((resolve) => {
        const started = Date.now()
        const child = spawn(process.execPath, ['--test', '--test-reporter=spec', join(here, file)], { stdio: ['ignore', 'pipe', 'pipe'], timeout: limit })
        const output = []
        child.stdout.on('data', (bytes) => output.push(bytes))
        child.stderr.on('data', (bytes) => output.push(bytes))
        child.on('close', (code) => {
            const passed = code === 0
            process.stdout.write(`-- ${file}: ${passed ? 'passed' : 'FAILED'} in ${((Date.now() - started) / 1000).toFixed(1)} s\n${Buffer.concat(output)}`)
            resolve(passed)
        })
    })
}

const waiting = files.sort()
const again = []
async function lane() {
    for (let file = waiting.shift(); file; file = waiting.shift()) if (!(await run(file))) again.push(file)
}
const count = files.length
await Promise.all(Array.from({ length: lanes }, lane))

// A busy machine can starve what measures real time: a failure must happen twice, the second time with the machine to itself.
let failed = 0
for (const file of again) {
    console.log(`-- ${file} failed; once more, alone`)
    if (!(await run(file))) failed++
}
console.log(`e2e files: ${count - failed} passed, ${failed} failed`)
process.exit(failed ? 1 : 0)
