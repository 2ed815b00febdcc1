// How fast logs come in and are found again: a million lines by file, then by push, searches while they are loaded and
// after, processor time a line, bytes on disk.
//
//   node bench/logs/run.mjs [LINES]       STOKER_BINARY names another binary
import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startStoker, stopAll, temporaryDirectory, until } from '../../test/lib/stoker.mjs'

const total = Number(process.argv[2] ?? 1_000_000)
const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK']).toString())
const dir = temporaryDirectory()
mkdirSync(join(dir, 'logs'))

// Lines as engines write them: plain ones, some JSON, a failure now and then.
function lines(from, count) {
    let text = ''
    for (let i = from; i < from + count; i++) {
        if (i % 50_000 === 7) text += `torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. line ${i}\n`
        else if (i % 4 === 0) text += `{"level":"${i % 100 === 0 ? 'error' : 'info'}","ts":${1.7e9 + i / 1000},"msg":"request done","line":${i},"request_id":"req-${i * 7919}","tokens":${i % 4096},"model":"llama-8b"}\n`
        else text += `INFO 11-23 10:20:30 [loggers.py:111] Engine 000: Avg prompt throughput: ${i % 9973}.4 tokens/s, Running: ${i % 256} reqs, GPU KV cache usage: ${i % 100}.1%, line ${i}\n`
    }
    return text
}

const cpu = (pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}
const size = (path) => execFileSync('du', ['-sb', path]).toString().split('\t')[0] / 1e6

async function number(stoker, name) {
    const text = await (await fetch(`${stoker.console}/metrics`)).text()
    return [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].reduce((sum, found) => sum + Number(found[1]), 0)
}

async function timed(stoker, params) {
    const begin = performance.now()
    const answer = await (await fetch(`${stoker.console}/api/v1/logs?${new URLSearchParams({ last: '3650d', ...params })}`)).json()
    return { ms: performance.now() - begin, lines: answer.logs?.length ?? JSON.stringify(answer) }
}

const searches = {
    'newest 100': {},
    'a failure': { signature: 'any' },
    'errors': { severity: 'error' },
    'a text that is there once': { q: `req-${(total - 4) * 7919}` },
    'a text that is nowhere': { q: 'no such text anywhere' },
    'a trace that is nowhere': { trace_id: '0'.repeat(31) + '1' },
}

const config = `logs: {max_lines_per_second: 0, files: [{paths: ['${dir}/logs/*.log'], from: beginning, service: vllm}]}`
const stoker = await startStoker({ dir, config })
try {
    writeFileSync(join(dir, 'logs/a.tmp'), '')
    for (let i = 0; i < total; i += 50_000) appendFileSync(join(dir, 'logs/a.tmp'), lines(i, Math.min(50_000, total - i)))
    console.log(`${total} lines, ${size(join(dir, 'logs')).toFixed(0)} MB`)
    const before = cpu(stoker.pid)
    const begin = performance.now()
    execFileSync('mv', [join(dir, 'logs/a.tmp'), join(dir, 'logs/a.log')])
    let slowest = 0
    let asked = 0
    let accepted = 0
    await until('all are searchable', async () => {
        const one = await timed(stoker, {})
        asked++
        slowest = Math.max(slowest, one.ms)
        if (!accepted && (await number(stoker, 'stoker_logs_stored_total')) >= total) {
            accepted = performance.now() - begin
            console.log(`accepted in ${(accepted / 1000).toFixed(1)} s: ${Math.round(total / (accepted / 1000))} lines/s, ${(((cpu(stoker.pid) - before) / total) * 1e6).toFixed(1)} us of processor a line (searches and loading included)`)
        }
        return (await number(stoker, 'stoker_telemetry_rows_total')) >= total
    }, 600_000, 100)
    const loaded = performance.now() - begin
    console.log(`searchable in ${(loaded / 1000).toFixed(1)} s; meanwhile ${asked} searches, the slowest ${slowest.toFixed(0)} ms; ${(((cpu(stoker.pid) - before) / total) * 1e6).toFixed(1)} us of processor a line in all`)
    for (const [name, params] of Object.entries(searches)) {
        const runs = []
        for (let i = 0; i < 5; i++) runs.push(await timed(stoker, params))
        runs.sort((a, b) => a.ms - b.ms)
        console.log(`  ${name}: median ${runs[2].ms.toFixed(0)} ms, worst ${runs[4].ms.toFixed(0)} ms, ${runs[0].lines} lines`)
    }
    console.log(`on disk: telemetry ${size(join(stoker.data, 'telemetry')).toFixed(0)} MB`)
    const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${stoker.pid}/status`, 'utf8'))[1]
    console.log(`resident: ${(rss / 1024).toFixed(0)} MiB`)
    console.log(`stopped in ${await stoker.stop()} ms`)
} finally {
    await stopAll()
}
