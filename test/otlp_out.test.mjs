// Metrics out by OTLP: another Stoker gets what was ingested, whole, also what came while it was away.
import assert from 'node:assert/strict'
import { createServer, request } from 'node:http'
import { after, before, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { getJson, startStoker, stopAll, until } from './lib/stoker.mjs'

let page, receiver, stoker, raw, way
let jobs = 7
const requests = []
const receiverConfig = 'collect: {host: false, discovery: {enabled: false}}\n'

const config = () => `
collect:
  {host: false, discovery: {enabled: false}, scrape_interval: 1s, scrape_timeout: 1s, targets: [{url: "http://127.0.0.1:${page.address().port}"}]}
export:
  otlp:
    - {name: stoker, endpoint: "http://127.0.0.1:${way.address().port}/v1/metrics", resource: {deployment.environment: test}}
    - {name: raw, endpoint: "http://127.0.0.1:${raw.address().port}/v1/metrics", bearer_token: let-me-in}
`
const query = async (base, text) => (await getJson(`${base}/api/v1/query?query=${encodeURIComponent(text)}`)).data.result
const value = async (base, text) => (await query(base, text))[0]?.value[1]
const listen = (server) => new Promise((done) => server.listen(0, '127.0.0.1', () => done(server)))

before(async () => {
    page = await listen(createServer((_, response) => {
        response.setHeader('content-type', 'text/plain; version=0.0.4')
        response.end(`# HELP test_jobs_total Jobs that are done.\n# TYPE test_jobs_total counter\ntest_jobs_total{kind="a"} ${jobs}\n` +
            '# TYPE test_level gauge\ntest_level 0.5\n' +
            '# TYPE test_seconds histogram\ntest_seconds_bucket{le="0.5"} 2\ntest_seconds_bucket{le="1"} 5\ntest_seconds_bucket{le="+Inf"} 6\ntest_seconds_sum 4.5\ntest_seconds_count 6\n')
    }))
    raw = await listen(createServer((asked, response) => {
        const parts = []
        asked.on('data', (part) => parts.push(part))
        asked.on('end', () => {
            requests.push({ headers: asked.headers, body: gunzipSync(Buffer.concat(parts)) })
            response.end(Buffer.from([0x0a, 0x02, 0x08, 0x01])) // One point rejected.
        })
    }))
    receiver = await startStoker({ config: receiverConfig })
    // Where the receiver always is, though it comes back on another port.
    way = await listen(createServer((from, back) => {
        const to = request(receiver.console + from.url, { method: from.method, headers: from.headers }, (answer) => {
            back.writeHead(answer.statusCode, answer.headers)
            answer.pipe(back)
        })
        to.on('error', () => back.writeHead(502).end())
        from.pipe(to)
    }))
    stoker = await startStoker({ config: config() })
})
after(async () => {
    for (const server of [page, raw, way]) {
        server.close()
        server.closeAllConnections()
    }
    await stopAll()
})

test('counters, gauges and histograms arrive with their types', { timeout: 60_000 }, async () => {
    await until('the counter is there', async () => (await value(receiver.console, 'test_jobs_total{kind="a"}')) === '7', 30_000, 200)
    assert.equal(await value(receiver.console, 'test_level'), '0.5')
    assert.deepEqual((await query(receiver.console, 'test_seconds_bucket')).map((one) => [one.metric.le, one.value[1]]).sort(), [['+Inf', '6'], ['0.5', '2'], ['1', '5']])
    assert.equal(await value(receiver.console, 'test_seconds_sum'), '4.5')
    const [mine] = await query(stoker.console, 'test_jobs_total')
    const [theirs] = await query(receiver.console, 'test_jobs_total')
    assert.deepEqual([theirs.metric.job, theirs.metric.instance], [mine.metric.job, mine.metric.instance])
    assert.equal((await query(receiver.console, 'target_info{deployment_environment="test"}')).length > 0, true)
    assert.equal((await getJson(`${receiver.console}/api/v1/metadata?metric=test_jobs_total`)).data.test_jobs_total[0].type, 'counter')
})

test('requests are gzip with the token, and what is rejected is counted', { timeout: 60_000 }, async () => {
    await until('it was asked', () => requests.length > 0)
    assert.equal(requests[0].headers.authorization, 'Bearer let-me-in')
    assert.equal(requests[0].headers['content-type'], 'application/x-protobuf')
    assert.ok(requests.some((one) => one.body.includes('test_level')))
    const text = await until('it is counted', async () => {
        const metrics = await (await fetch(`${stoker.console}/metrics`)).text()
        return /stoker_otlp_export_samples_total\{export="raw",result="rejected"\} [1-9]/.test(metrics) && metrics
    })
    assert.match(text, /stoker_otlp_export_samples_total\{export="stoker",result="rejected"\} 0\n/)
})

test('what comes while the receiver is away comes later, over a kill of Stoker', { timeout: 90_000 }, async () => {
    await receiver.kill()
    jobs = 8
    await until('it is measured', async () => (await value(stoker.console, 'test_jobs_total')) === '8', 20_000, 100)
    const [[when]] = (await query(stoker.console, 'test_jobs_total[1m]'))[0].values.filter(([, sample]) => sample === '8')
    await stoker.kill()
    receiver = await startStoker({ config: receiverConfig, dir: receiver.dir })
    stoker = await startStoker({ config: config(), dir: stoker.dir })
    await until('the sample of then is there', async () => (await query(receiver.console, 'test_jobs_total[5m]'))[0]?.values.some(([time, sample]) => time === when && sample === '8'), 40_000, 300)
})
