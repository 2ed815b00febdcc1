// What Stoker collects itself reaches its receivers whole: samples, native histograms, exemplars, metadata, start times
// and the ends of series; into the real Prometheus by 1.0, into another Stoker by both versions. Then the way back: the
// protobuf exposition of Prometheus' /federate, scraped.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'
import { noPrometheus as skip, startPrometheus } from './lib/prometheus.mjs'
import { getJson, startStoker, stopAll, until } from './lib/stoker.mjs'

let prometheus, older, newer, stoker, page
let gone = false, began = 0

// An OpenMetrics page that knows when its counter began, and shows `test_level` until it doesn't.
function startPage() {
    const server = createServer((request, response) => {
        const now = Date.now() / 1000
        response.setHeader('content-type', 'application/openmetrics-text; version=1.0.0; charset=utf-8')
        response.end(`# TYPE test_jobs counter\n# HELP test_jobs Jobs that are done.\n` +
            `test_jobs_total 7 # {trace_id="4bf92f35"} 1 ${now.toFixed(3)}\ntest_jobs_created ${began / 1000}\n` +
            (gone ? '' : `# TYPE test_level gauge\ntest_level 0.5\n`) + `# EOF\n`)
    })
    return new Promise((done) => server.listen(0, '127.0.0.1', () => done(server)))
}

const query = async (base, text) => (await getJson(`${base}/api/v1/query?query=${encodeURIComponent(text)}`)).data.result
const value = async (base, text) => (await query(base, text))[0]?.value[1]

before(async () => {
    if (skip) return
    began = Date.now() - 60_000
    page = await startPage()
    prometheus = await startPrometheus({ args: ['--enable-feature=exemplar-storage,native-histograms'] })
    const quiet = 'collect: {host: false, discovery: {enabled: false}}\n'
    older = await startStoker({ config: quiet })
    newer = await startStoker({ config: quiet })
    stoker = await startStoker({
        config: `collect:
  {host: false, discovery: {enabled: false}, scrape_interval: 1s, scrape_timeout: 1s, targets: [{url: "http://127.0.0.1:${page.address().port}"}]}
remote_write:
  - {name: prometheus, url: "${prometheus.url}/api/v1/write"}
  - {name: older, url: "${older.console}/api/v1/write", protocol: "1.0"}
  - {name: newer, url: "${newer.console}/api/v1/write", protocol: "2.0"}
`,
    })
    const point = { timeUnixNano: `${Date.now()}000000`, count: '3', sum: 5, scale: 2, zeroCount: '1', positive: { offset: 0, bucketCounts: ['1', '1'] } }
    const body = { resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'test_native', exponentialHistogram: { aggregationTemporality: 2, dataPoints: [point] } }] }] }] }
    const sent = await fetch(`${stoker.console}/v1/metrics`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
    assert.equal(await sent.text(), '{}')
})
after(async () => {
    prometheus?.stop()
    page?.close()
    page?.closeAllConnections?.()
    await stopAll()
})

test('samples and native histograms arrive', { skip, timeout: 60_000 }, async () => {
    for (const base of [prometheus.url, older.console, newer.console]) {
        await until(`${base} has the counter`, async () => (await value(base, 'test_jobs_total')) === '7', 30_000, 200)
        await until(`${base} has the histogram`, async () => (await value(base, 'histogram_count(test_native)')) === '3', 30_000, 200)
        assert.equal(await value(base, 'histogram_sum(test_native)'), '5')
    }
})

test('exemplars arrive', { skip, timeout: 60_000 }, async () => {
    for (const base of [prometheus.url, older.console, newer.console]) {
        const url = `${base}/api/v1/query_exemplars?query=test_jobs_total&start=${began / 1000}&end=${Date.now() / 1000 + 60}`
        const [series] = await until(`${base} has the exemplar`, async () => {
            const { data } = await getJson(url)
            return data.length > 0 && data
        }, 30_000, 200)
        assert.equal(series.exemplars[0].labels.trace_id, '4bf92f35')
    }
    assert.match(await (await fetch(`${stoker.console}/metrics`)).text(), /stoker_remote_write_lost_exemplars_total\{remote="newer"\} 0\n/)
})

test('metadata arrives by both versions', { skip, timeout: 60_000 }, async () => {
    for (const [base, family] of [[older.console, 'test_jobs'], [newer.console, 'test_jobs_total']]) {
        const known = await until(`${base} knows the family`, async () => (await getJson(`${base}/api/v1/metadata?metric=${family}`)).data[family], 30_000, 200)
        assert.deepEqual(known, [{ type: 'counter', help: 'Jobs that are done.', unit: '' }])
    }
})

test('start times arrive by 2.0, and count', { skip, timeout: 60_000 }, async () => {
    const first = async (base) => (await query(base, 'test_jobs_total[5m]'))[0].values[0]
    assert.deepEqual(await first(stoker.console), [began / 1000, '0'])
    assert.deepEqual(await first(newer.console), [began / 1000, '0'])
    assert.equal((await first(older.console))[1], '7', '1.0 has no place for them')
    assert.ok(Number(await value(newer.console, 'increase(test_jobs_total[5m])')) >= 7)
})

test('the end of a series arrives', { skip, timeout: 60_000 }, async () => {
    for (const base of [prometheus.url, older.console, newer.console]) await until(`${base} has it`, async () => (await value(base, 'test_level')) === '0.5', 30_000, 200)
    gone = true
    for (const base of [prometheus.url, older.console, newer.console]) {
        await until(`${base} knows that it has ended`, async () => (await query(base, 'test_level')).length === 0, 30_000, 200)
        assert.equal((await query(base, 'test_level[5m]')).length, 1)
    }
})

test('the protobuf of a real endpoint is scraped, with its native histograms', { skip, timeout: 60_000 }, async () => {
    const match = encodeURIComponent('{__name__=~"test_native|test_jobs_total"}')
    const scraper = await startStoker({
        config: `collect:
  host: false
  discovery: {enabled: false}
  scrape_interval: 1s
  scrape_timeout: 1s
  scrape_native_histograms: true
  targets:
    - {url: "${prometheus.url}", path: "/federate?match[]=${match}", honor_labels: true}
`,
    })
    await until('the histogram is there', async () => (await value(scraper.console, 'histogram_count(test_native)')) === '3', 30_000, 200)
    assert.equal(await value(scraper.console, 'count({__name__="test_native_bucket"})'), undefined)
    // Its labels are those that it had, its time the one of its sample.
    const [mine] = await query(stoker.console, 'test_jobs_total')
    const theirs = await until('the counter', async () => (await query(scraper.console, 'test_jobs_total'))[0], 30_000, 200)
    assert.deepEqual(theirs.metric, mine.metric)
    // And Stoker's own /federate the same way.
    const answer = await fetch(`${scraper.console}/federate?match[]=test_native`, {
        headers: { accept: 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,text/plain;q=0.5' },
    })
    assert.match(answer.headers.get('content-type'), /^application\/vnd\.google\.protobuf/)
    const again = await startPrometheus({
        args: ['--enable-feature=native-histograms'],
        config: `global: {scrape_interval: 1s}\nscrape_configs:\n  - {job_name: f, honor_labels: true, metrics_path: /federate, params: {'match[]': [test_native]}, static_configs: [{targets: ["${new URL(stoker.console).host}"]}]}\n`,
    })
    try {
        await until('Prometheus federates it from Stoker', async () => (await value(again.url, 'histogram_count(test_native)')) === '3', 30_000, 200)
    } finally {
        again.stop()
    }
})
