// A day of traffic at 200 requests a second: stored, then searched and drilled into through the API that the page uses.
//
//   node bench/day/run.mjs [--hours 24] [--rate 200] [--folder DIR]      (after: ninja -C build/release stoker bench_day)
//
// Prints what lies on disk and how long each click takes: the first time, and the median of five.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root, startStoker, stopAll } from '../../test/lib/stoker.mjs'

const option = (name, byDefault) => {
    const at = process.argv.indexOf(`--${name}`)
    return at < 0 ? byDefault : process.argv[at + 1]
}
const hours = Number(option('hours', 24))
const rate = Number(option('rate', 200))
const dir = option('folder', mkdtempSync(join(tmpdir(), 'stoker-day-')))
const data = join(dir, 'data')
mkdirSync(data, { recursive: true })

const began = Date.now()
const made = spawnSync(join(root, 'build/release/bench_day'), [data, String(hours), String(rate)], { stdio: 'inherit' })
if (made.status !== 0) process.exit(1)
console.log(`${hours} h at ${rate} requests a second, stored in ${((Date.now() - began) / 1000).toFixed(0)} s`)
for (const part of ['journal', 'records', 'telemetry']) console.log(`${part}: ${execFileSync('du', ['-sm', join(data, part)], { encoding: 'utf8' }).split('\t')[0]} MiB`)

const stoker = await startStoker({ dir, config: 'collect: {host: false, discovery: {enabled: false}}\n' })
const get = async (path, options) => {
    const response = await fetch(stoker.console + path, options)
    const text = await response.text()
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text.slice(0, 200)}`)
    return JSON.parse(text)
}
const sql = (query) => get('/api/v1/sql', { method: 'POST', body: JSON.stringify({ store: 'telemetry', query }) })
const last = `${hours + 1}h`
const [request] = (await get('/api/v1/requests?last=1d&limit=1')).requests
const midday = Math.floor(Date.now() / 1000 - (hours * 3600) / 2)
const [oldRequest] = (await get(`/api/v1/requests?last=${last}&to=${midday}&limit=1`)).requests
const [old] = (await get(`/api/v1/traces?last=${last}&to=${midday}&limit=1`)).traces
const kept = (await sql('SELECT count(*), count(DISTINCT trace_id), CAST(sum(weight) FILTER (parent_span_id = \'\') AS BIGINT) FROM spans')).rows[0]
console.log(`spans ${kept[0]} of ${kept[1]} traces, which stand for ${kept[2]} of ${Math.round(hours * 3600 * rate)} requests`)

const clicks = [
    ['requests, newest', `/api/v1/requests?last=${last}&limit=50`],
    ['requests of a model, slowest', `/api/v1/requests?last=${last}&model=llama-8b&sort=-duration&limit=50`],
    ['requests that failed', `/api/v1/requests?last=${last}&outcome=upstream_error&limit=50`],
    ['requests by a whole id, of midday', `/api/v1/requests?last=${last}&q=${oldRequest.id}&limit=50`],
    ['requests by part of an id', `/api/v1/requests?last=${last}&q=${oldRequest.id.slice(20, 32)}&limit=50`],
    ['one request', `/api/v1/requests/${request.id}`],
    ['traces, newest', `/api/v1/traces?last=${last}`],
    ['traces with errors', `/api/v1/traces?last=${last}&errors=true`],
    ['traces of 20 s and more', `/api/v1/traces?last=${last}&min_duration=20s`],
    ['traces by attribute', `/api/v1/traces?last=${last}&tag=stoker.tenant=tenant7`],
    ['traces by text that is nowhere', `/api/v1/traces?last=${last}&q=nowhere`],
    ['one trace, from a list', `/api/v1/traces/${old.trace_id}?near=${Math.floor(old.start_ns / 1e9)}`],
    ['one trace, by its id alone', `/api/v1/traces/${old.trace_id}`],
    ['Jaeger: services', '/api/services'],
    ['Jaeger: search', `/api/traces?service=stoker&operation=chat%20llama-8b&lookback=${hours}h&limit=20`],
]
// How far back a search came that ended with its budget.
const searched = (answer) => {
    const from = answer.searched_from_ms ?? (answer.searched_from_ns ?? 0) / 1e6
    return answer.complete === false ? `   the last ${((Date.now() - from) / 3.6e6).toFixed(1)} h` : ''
}
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1]
let slowest = 0
for (const [name, path] of clicks) {
    const times = []
    let answer
    for (let i = 0; i < 6; i++) {
        const start = performance.now()
        answer = await get(path)
        times.push(performance.now() - start)
    }
    slowest = Math.max(slowest, ...times)
    console.log(`${name.padEnd(34)} first ${times[0].toFixed(0).padStart(6)} ms   then ${median(times.slice(1)).toFixed(0).padStart(6)} ms${searched(answer)}`)
}
console.log(`slowest click: ${slowest.toFixed(0)} ms`)
await stopAll()
