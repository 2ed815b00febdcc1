// Prometheus' HTTP API: every endpoint over HTTP, its answers in the shape of a real Prometheus that runs beside Stoker.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { freePort, getJson, startSim, startStoker, stopAll, temporaryDirectory, until } from './lib/stoker.mjs'

const skip = spawnSync('prometheus', ['--version']).error ? 'prometheus is not installed' : false
const rules = `
groups:
  - name: group
    interval: 1s
    rules:
      - {record: "a:b", expr: "up", labels: {x: y}}
      - {alert: Up, expr: "up == 1", labels: {severity: page}, annotations: {text: "is {{ $value }}"}}
`

let stoker, prometheus, theirs

before(async () => {
    if (skip) return
    const sim = await startSim({ model: 'm' })
    const dir = temporaryDirectory()
    writeFileSync(join(dir, 'rules.yml'), rules)
    stoker = await startStoker({
        dir,
        config: `pools:\n  - {name: chat, models: [m], replicas: [{url: "${sim.url}", api_key: hush}]}\ncollect: {scrape_interval: 1s}\nrules: {files: [rules.yml]}\napi: {admin: true}\n`,
    })
    // The same rules and, for a target, the same engine.
    const port = await freePort()
    const home = temporaryDirectory()
    writeFileSync(join(home, 'rules.yml'), rules)
    writeFileSync(join(home, 'prometheus.yml'), `global: {scrape_interval: 1s}\nrule_files: [rules.yml]\nscrape_configs: [{job_name: engine, static_configs: [{targets: ["${new URL(sim.url).host}"]}]}]\n`)
    const log = openSync(join(home, 'log'), 'a')
    prometheus = spawn('prometheus', [`--config.file=${join(home, 'prometheus.yml')}`, `--storage.tsdb.path=${join(home, 'data')}`, `--web.listen-address=127.0.0.1:${port}`, '--web.enable-admin-api', '--enable-feature=exemplar-storage'], { stdio: ['ignore', log, log] })
    theirs = `http://127.0.0.1:${port}`
    for (const base of [stoker.console, theirs]) {
        await until(`${base} fires`, async () => (await getJson(`${base}/api/v1/alerts`)).data.alerts.some((alert) => alert.state === 'firing' && alert.labels.job === 'engine'), 40_000, 250)
    }
})
after(async () => {
    prometheus?.kill('SIGKILL')
    await stopAll()
})

// The keys and types of a value, recursively: {"a":1,"b":[{"c":""}]} is {a: 'number', b: [{c: 'string'}]}. Members of
// an array have one shape, the union of what each has.
function shape(value) {
    if (value === null) return 'null'
    if (Array.isArray(value)) return value.length === 0 ? [] : [value.map(shape).reduce(merge)]
    if (typeof value !== 'object') return typeof value
    return Object.fromEntries(Object.entries(value).sort().map(([key, inner]) => [key, shape(inner)]))
}
const isObject = (value) => typeof value === 'object' && !Array.isArray(value)
function merge(a, b) {
    if (Array.isArray(a) && Array.isArray(b)) return a.length === 0 ? b : b.length === 0 ? a : [merge(a[0], b[0])]
    if (!isObject(a) || !isObject(b)) return a
    const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort()
    return Object.fromEntries(keys.map((key) => [key, key in a && key in b ? merge(a[key], b[key]) : (a[key] ?? b[key])]))
}

// Maps from names that the data decides (labels, metrics) are compared as maps: by the shape of what they hold.
const open = new Set(['labels', 'discoveredLabels', 'metric', 'target', 'annotations', 'seriesLabels'])
function withoutNames(value, key = '') {
    if (Array.isArray(value)) return value.map((inner) => withoutNames(inner, key))
    if (typeof value !== 'object' || value === null) return value
    const values = Object.values(value)
    if (open.has(key) || '__name__' in value) return { '*': values[0] ?? '' }
    if (values.length > 0 && values.every((inner) => Array.isArray(inner) && inner[0]?.help !== undefined)) return { '*': values[0] }
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withoutNames(inner, name)]))
}

// What Prometheus 3 has beyond the 2.42 beside us, and Stoker with it.
const newer = new Set(['droppedTargetCounts', 'hostname', 'serverTime', 'GOMEMLIMIT', 'application', 'applicationVersion', 'state', 'keepFiringSince', 'lastError'])
// What Stoker says beyond Prometheus: clients pass over it.
const more = new Set(['lastScrapeSamples', 'discovery'])
function assertCovers(ours, reference, path) {
    if (Array.isArray(reference)) {
        assert.ok(Array.isArray(ours), `${path} is an array`)
        if (reference.length > 0 && ours.length > 0) assertCovers(ours[0], reference[0], `${path}[]`)
        if (reference.length > 0) assert.ok(ours.length > 0, `${path} holds something`)
        return
    }
    if (!isObject(reference)) return assert.equal(ours, reference, path)
    assert.ok(isObject(ours), `${path} is an object`)
    for (const key of Object.keys(reference)) {
        assert.ok(key in ours, `${path}.${key} is missing`)
        assertCovers(ours[key], reference[key], `${path}.${key}`)
    }
    for (const key of Object.keys(ours)) assert.ok(key in reference || newer.has(key) || more.has(key), `${path}.${key} is not Prometheus'`)
}

async function ask(base, path, options) {
    const response = await fetch(base + path, options)
    const text = await response.text()
    return { status: response.status, type: response.headers.get('content-type')?.split(';')[0], body: text === '' ? '' : JSON.parse(text) }
}

async function compare(path, options) {
    const [ours, reference] = [await ask(stoker.console, path, options), await ask(theirs, path, options)]
    assert.equal(ours.status, reference.status, `${path}: ${JSON.stringify(ours.body).slice(0, 300)}`)
    if (reference.body === '') return assert.equal(ours.body, '')
    assert.equal(ours.type, reference.type)
    assertCovers(shape(withoutNames(ours.body)), shape(withoutNames(reference.body)), path)
}

const now = () => Math.floor(Date.now() / 1000)
const form = (text) => ({ method: 'POST', body: text, headers: { 'content-type': 'application/x-www-form-urlencoded' } })

const queries = ['up{job="engine"}', 'sum(up)', 'up{job="engine"}[5s]', '1+1', '"text"', 'vector(1)', 'nope', 'rate(vllm:generation_tokens_total[10s])']
for (const query of queries) {
    test(`query ${query}`, { skip }, () => compare(`/api/v1/query?query=${encodeURIComponent(query)}`))
}

test('query with statistics', { skip }, () => compare('/api/v1/query?stats=all&query=up'))
test('query as a form', { skip }, () => compare('/api/v1/query', form('query=up&timeout=5s')))
test('a form wins over the URL', { skip }, async () => {
    assert.deepEqual((await ask(stoker.console, '/api/v1/query?query=nope', form('query=2'))).body.data.result[1], '2')
})
test('query_range', { skip }, async () => {
    await compare(`/api/v1/query_range?query=up&start=${now() - 5}&end=${now()}&step=1`)
    await compare('/api/v1/query_range', form(`query=sum(up)&start=${now() - 5}&end=${now()}&step=1s&stats=1`))
})

const others = [
    'series?match[]=up{job="engine"}', 'series?match[]=nope', 'labels', 'labels?match[]=nope', 'label/job/values', 'label/nope/values', 'metadata', 'metadata?limit=1', 'targets',
    'targets?state=active', 'targets?state=dropped', 'targets/metadata?limit=1', 'targets/metadata?metric=nope', 'rules?type=record', 'rules?type=alert', 'rules', 'alerts', 'alertmanagers',
    'scrape_pools', 'query_exemplars?query=up', 'query_exemplars?query=1', 'format_query?query=sum(up)by(job)', 'status/buildinfo', 'status/runtimeinfo', 'status/walreplay', 'status/config',
]
for (const path of others) test(path, { skip }, () => compare(`/api/v1/${path.replaceAll('"', '%22')}`))

const wrong = [
    'query', 'query?query=', 'query?query=sum(', 'query?query=up&time=x', 'query?query=up&timeout=x', 'query_range?query=up&start=1&end=0&step=1', 'query_range?query=up&start=x&end=1&step=1',
    'query_range?query=up&start=0&end=1&step=0', 'query_range?query=up&start=0&end=1&step=x', 'query_range?query=up&start=0&end=90000000&step=1', 'series', 'series?match[]={}', 
    'series?match[]=up&start=x', 'labels?end=x', 'metadata?limit=x', 'rules?type=x', 'query_exemplars?query=up%2B', 'query_exemplars?query=up&start=2&end=1',
    'format_query?query=sum(',
]
for (const path of wrong) {
    test(`refuses ${path}`, { skip }, async () => {
        await compare(`/api/v1/${path}`)
        const [ours, reference] = [await ask(stoker.console, `/api/v1/${path}`), await ask(theirs, `/api/v1/${path}`)]
        assert.equal(ours.body.errorType, reference.body.errorType)
        const plain = (text) => text.replaceAll('Invalid time value', 'invalid time value')
        assert.equal(plain(ours.body.error), plain(reference.body.error))
    })
}

test('what can not be evaluated or is no selector', { skip }, async () => {
    await compare(`/api/v1/query?query=${encodeURIComponent('{__name__=~"up|a:b"} + on() {__name__=~"up|a:b"}')}`)
    await compare('/api/v1/series?match[]=x(')
    await compare('/api/v1/targets/metadata?match_target=x(')
})

test('status/tsdb, status/flags', { skip }, async () => {
    await compare('/api/v1/status/tsdb')
    const { data } = await getJson(`${stoker.console}/api/v1/status/tsdb?limit=3`)
    assert.equal(data.seriesCountByMetricName.length, 3)
    assert.deepEqual(Object.keys(data.labelValueCountByLabelName[0]).sort(), ['name', 'value'])
    const flags = (await getJson(`${stoker.console}/api/v1/status/flags`)).data
    const reference = (await getJson(`${theirs}/api/v1/status/flags`)).data
    for (const [name, value] of Object.entries(flags)) {
        assert.equal(typeof value, 'string')
        if (name !== 'web.enable-remote-write-receiver') assert.ok(name in reference, name)
    }
    assert.equal(flags['query.lookback-delta'], '5m')
})

test('the configuration shows no secret', { skip }, async () => {
    const { yaml } = (await getJson(`${stoker.console}/api/v1/status/config`)).data
    assert.match(yaml, /api_key: <secret>/)
    assert.doesNotMatch(yaml, /hush/)
    assert.match(yaml, /admin: true/)
})

test('parse_query, notifications', { skip }, async () => {
    const tree = await ask(stoker.console, '/api/v1/parse_query?query=sum(up)')
    assert.equal(tree.status, 200)
    assert.deepEqual((await ask(stoker.console, '/api/v1/notifications')).body, { status: 'success', data: [] })
})

test('limits and what they leave out', { skip }, async () => {
    const { data, warnings } = await getJson(`${stoker.console}/api/v1/label/__name__/values?limit=2`)
    assert.equal(data.length, 2)
    assert.deepEqual(warnings, ['results truncated due to limit'])
    assert.equal((await getJson(`${stoker.console}/api/v1/query?query=up&limit=1`)).data.result.length, 1)
    const page = (await getJson(`${stoker.console}/api/v1/rules?group_limit=1&exclude_alerts=true`)).data
    assert.equal(page.groups.length, 1)
})

test('unknown paths answer in Prometheus\' shape', { skip }, async () => {
    const { status, body } = await ask(stoker.console, '/api/v1/nope')
    assert.equal(status, 404)
    assert.equal(body.status, 'error')
    assert.equal(body.errorType, 'not_found')
    assert.equal((await fetch(`${stoker.console}/api/v1/query?query=1`, { method: 'DELETE' })).status, 405)
})

test('admin: snapshot, delete, clean', { skip }, async () => {
    await compare('/api/v1/admin/tsdb/snapshot', { method: 'POST' })
    const { name } = (await getJson(`${stoker.console}/api/v1/admin/tsdb/snapshot`, { method: 'PUT' })).data
    assert.ok(existsSync(join(stoker.data, 'snapshots', name)))
    await compare('/api/v1/admin/tsdb/delete_series?match[]=nope', { method: 'POST' })
    await compare('/api/v1/admin/tsdb/delete_series', { method: 'POST' })
    await compare('/api/v1/admin/tsdb/clean_tombstones', { method: 'POST' })
    const count = async () => (await getJson(`${stoker.console}/api/v1/query?query=count_over_time(node_load1[1h])`)).data.result.length
    assert.equal(await count(), 1)
    const end = Date.now() / 1000
    await fetch(`${stoker.console}/api/v1/admin/tsdb/delete_series?match[]=node_load1&end=${end}`, { method: 'POST' })
    const left = await getJson(`${stoker.console}/api/v1/query?query=node_load1&time=${end}`)
    assert.equal(left.data.result.length, 0)
})

test('admin is off unless allowed, and for this page alone', { skip }, async () => {
    const evil = await fetch(`${stoker.console}/api/v1/admin/tsdb/snapshot`, { method: 'POST', headers: { origin: 'http://evil.example' } })
    assert.equal(evil.status, 403)
    const other = await startStoker({ config: 'api: {cors_origins: ["https://grafana.example"]}\ncollect: {discovery: {enabled: false}}\n' })
    const refused = await ask(other.console, '/api/v1/admin/tsdb/snapshot', { method: 'POST' })
    assert.equal(refused.status, 503)
    assert.equal(refused.body.error, 'admin APIs disabled')
    // CORS: reading for the origin that is named, nothing for others, changing for none.
    const origin = { origin: 'https://grafana.example' }
    const read = await fetch(`${other.console}/api/v1/query`, { ...form('query=1'), headers: { ...form('').headers, ...origin } })
    assert.equal(read.status, 200)
    assert.equal(read.headers.get('access-control-allow-origin'), 'https://grafana.example')
    const preflight = await fetch(`${other.console}/api/v1/query`, { method: 'OPTIONS', headers: origin })
    assert.equal(preflight.status, 204)
    assert.equal(preflight.headers.get('access-control-allow-methods'), 'GET, POST, OPTIONS')
    const stranger = await fetch(`${other.console}/api/v1/query?query=1`, { headers: { origin: 'http://evil.example' } })
    assert.equal(stranger.headers.get('access-control-allow-origin'), null)
    assert.equal((await fetch(`${other.console}/api/v1/config/reload`, { method: 'POST', headers: origin })).status, 403)
    assert.equal((await fetch(`${stoker.console}/api/v1/query?query=1`, { headers: origin })).headers.get('access-control-allow-origin'), null)
    await other.stop()
})

// 11,000 times the median of 20,000 points.
const heavy = `/api/v1/query_range?start=0&end=11000&step=1&query=${encodeURIComponent('quantile_over_time(0.5, vector(time() % 7)[20000s:1s])')}`

test('a query ends when its client leaves', { skip, timeout: 60_000 }, async () => {
    // Far more work than the client waits for, on one thread for queries: the next one can only run if this one ended.
    const one = await startStoker({ config: 'query: {max_concurrency: 1, timeout: 10m, max_samples: 1000000000}\ncollect: {scrape_interval: 1s, discovery: {enabled: false}}\n' })
    const begin = Date.now()
    await new Promise((done) => {
        const request = httpRequest(`${one.console}${heavy}`)
        request.on('error', () => {})
        request.on('response', () => assert.fail('it was not to be done so soon'))
        request.on('close', done)
        request.end()
        setTimeout(() => request.destroy(), 500)
    })
    assert.equal((await getJson(`${one.console}/api/v1/query?query=1`)).data.result[1], '1')
    assert.ok(Date.now() - begin < 10_000, `took ${Date.now() - begin} ms`)
    await one.stop()
})

test('past the concurrency limit, waiting counts towards the timeout', { skip, timeout: 60_000 }, async () => {
    const one = await startStoker({ config: 'query: {max_concurrency: 1, timeout: 3s, max_samples: 1000000000}\ncollect: {scrape_interval: 1s, discovery: {enabled: false}}\n' })
    // Whichever comes second has the shorter time, for it waits behind the whole of the first's.
    const answers = await Promise.all([ask(one.console, heavy), ask(one.console, heavy)])
    for (const { status, body } of answers) {
        assert.equal(status, 503)
        assert.equal(body.errorType, 'timeout')
    }
    assert.ok(answers.some(({ body }) => body.error === 'query timed out in query queue'), JSON.stringify(answers))
    // Other work goes on meanwhile; see also that the writer's health is told.
    assert.equal((await fetch(`${one.console}/-/healthy`)).status, 200)
    await one.stop()
})

test('pushes: by their protocols, bounded each and in all', { skip, timeout: 60_000 }, async () => {
    const one = await startStoker({ config: 'ingest: {max_body: 64KiB, max_in_flight: 64KiB}\ncollect: {discovery: {enabled: false}}\n' })
    const push = (path, body, headers = {}) => fetch(one.console + path, { method: 'POST', body, headers })
    assert.equal((await push('/write', 'pushed,host=h value=1\n')).status, 204)
    assert.equal((await push('/api/v2/write/', 'pushed,host=h value=2\n')).status, 204)
    assert.equal((await getJson(`${one.console}/api/v1/query?query=pushed_value`)).data.result[0].metric.host, 'h')
    const otlp = JSON.stringify({ resourceMetrics: [] })
    for (const path of ['/v1/metrics', '/api/v1/otlp/v1/metrics']) assert.equal((await push(path, otlp, { 'content-type': 'application/json' })).status, 200)
    assert.equal((await push('/api/v1/metrics/batch', '[]')).status, 200)
    assert.equal((await push('/api/v1/write', 'no protobuf', { 'content-type': 'application/x-protobuf' })).status, 400)
    assert.equal((await fetch(`${one.console}/ping`)).status, 204)
    // A page of another site may not push through a visitor's browser; methods other than POST are refused.
    assert.equal((await push('/write', 'x value=1', { origin: 'http://evil.example' })).status, 403)
    assert.equal((await fetch(`${one.console}/write`)).status, 405)
    // Too large by itself.
    assert.equal((await push('/write', '#'.repeat(65 * 1024))).status, 413)
    // One that takes all the room there is and is slow about it.
    let slow
    const hold = () => {
        slow?.destroy()
        slow = httpRequest(`${one.console}/write`, { method: 'POST', headers: { 'content-length': 64 * 1024 } })
        slow.on('error', () => {})
        slow.on('response', hold) // It came while one of ours had some of the room.
        slow.write('#')
    }
    hold()
    const busy = await until('there is no room', async () => {
        const response = await push('/write', 'pushed value=1\n')
        return response.status === 503 && response
    })
    assert.equal(busy.headers.get('retry-after'), '1')
    assert.equal((await push('/v1/metrics', otlp, { 'content-type': 'application/json' })).status, 429)
    slow.destroy()
    await until('there is room again', async () => (await push('/write', 'pushed value=1\n')).status === 204)
    await one.stop()
})
