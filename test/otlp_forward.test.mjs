// Spans and lines of log out by OTLP: another Stoker gets what was received, also what came while it was away and over a
// kill; and OpenTelemetry's own decoder reads the requests.
import assert from 'node:assert/strict'
import { appendFileSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { getJson, startStoker, stopAll, temporaryDirectory, until } from './lib/stoker.mjs'

const { opentelemetry } = createRequire(import.meta.url)('@opentelemetry/otlp-transformer/build/src/generated/root.js')
const decoders = {
    '/v1/traces': opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest,
    '/v1/logs': opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest,
}

let receiver, sender, way, raw, log
const requests = [] // As OpenTelemetry's decoder reads them.
let open = true // Whether the way to the receiver is.
let answer = 200 // Of the raw one.
const listen = (server) => new Promise((done) => server.listen(0, '127.0.0.1', () => done(server)))
const body = async (from) => {
    const parts = []
    for await (const part of from) parts.push(part)
    return Buffer.concat(parts)
}

const config = () => `
collect: {host: false, discovery: {enabled: false}}
external_labels: {cluster: eu}
logs: {files: [{paths: ["${log}"], service: vllm, from: beginning}]}
export:
  otlp:
    - name: stoker
      traces_endpoint: http://127.0.0.1:${way.address().port}/v1/traces
      logs_endpoint: http://127.0.0.1:${way.address().port}/v1/logs
      resource: {deployment.environment: test}
    - name: raw
      bearer_token: let-me-in
      traces_endpoint: http://127.0.0.1:${raw.address().port}/v1/traces
      logs_endpoint: http://127.0.0.1:${raw.address().port}/v1/logs
`
const hex = (number, digits) => number.toString(16).padStart(digits, '0')
const nanos = () => `${Date.now()}000000`
const push = async (path, json) => {
    const got = await fetch(`${sender.console}${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(json) })
    assert.equal(got.status, 200, await got.text())
}
const attribute = (key, value) => ({ key, value })
let made = 0
const pushSpans = (count) =>
    push('/v1/traces', {
        resourceSpans: [{
            resource: { attributes: [attribute('service.name', { stringValue: 'shop' })] },
            scopeSpans: [{
                scope: { name: 'lib' },
                spans: Array.from({ length: count }, () => ({
                    traceId: hex(++made, 32), spanId: hex(made, 16), parentSpanId: hex(7, 16), name: `step ${made}`, kind: 3, startTimeUnixNano: nanos(), endTimeUnixNano: nanos(),
                    attributes: [attribute('text', { stringValue: 'a"b' }), attribute('count', { intValue: '5' }), attribute('share', { doubleValue: 0.5 }), attribute('yes', { boolValue: true }), attribute('list', { arrayValue: { values: [{ stringValue: 'x' }, { intValue: '2' }] } })],
                    events: [{ timeUnixNano: '1700000000000000005', name: 'first token', attributes: [attribute('n', { intValue: '1' })] }],
                    links: [{ traceId: hex(99, 32), spanId: hex(98, 16) }],
                    status: { code: 2, message: 'it failed' },
                })),
            }],
        }],
    })
const pushLine = (text) => push('/v1/logs', { resourceLogs: [{ resource: { attributes: [attribute('service.name', { stringValue: 'shop' })] }, scopeLogs: [{ logRecords: [{ timeUnixNano: nanos(), severityNumber: 17, severityText: 'ERROR', body: { stringValue: text }, attributes: [attribute('line', { stringValue: '7' })], traceId: hex(1, 32), spanId: hex(1, 16) }] }] }] })
const sql = async (query) => (await getJson(`${receiver.console}/api/v1/sql`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ store: 'telemetry', query }) })).rows
const counts = async () => [Number((await sql("SELECT count(DISTINCT trace_id) FROM spans WHERE service = 'shop'"))[0][0]), Number((await sql('SELECT count(DISTINCT body) FROM logs'))[0][0])]
const metric = async (line) => Number((await (await fetch(`${sender.console}/metrics`)).text()).split('\n').find((one) => one.startsWith(line))?.split(' ').at(-1))

before(async () => {
    log = join(temporaryDirectory(), 'vllm.log')
    writeFileSync(log, '')
    receiver = await startStoker({ config: 'collect: {host: false, discovery: {enabled: false}}\nstorage: {telemetry: {sampling: {per_second: 1000}}}\n' })
    way = await listen(createServer((from, back) => {
        if (!open) return from.resume().on('end', () => back.writeHead(503).end())
        const to = request(receiver.console + from.url, { method: from.method, headers: from.headers }, (got) => {
            back.writeHead(got.statusCode, got.headers)
            got.pipe(back)
        })
        to.on('error', () => back.writeHead(502).end())
        from.pipe(to)
    }))
    raw = await listen(createServer(async (from, back) => {
        const sent = await body(from)
        if (answer === 200) {
            const type = decoders[from.url]
            requests.push({ path: from.url, headers: from.headers, ...type.toObject(type.decode(gunzipSync(sent)), { longs: String, bytes: (bytes) => Buffer.from(bytes).toString('hex') }) })
        }
        back.writeHead(answer).end()
    }))
    sender = await startStoker({ config: config() })
})
after(async () => {
    for (const server of [way, raw]) {
        server.close()
        server.closeAllConnections()
    }
    await stopAll()
})

test('what is sent is what OpenTelemetry means', { timeout: 60_000 }, async () => {
    await pushSpans(2)
    await pushLine('out of memory')
    appendFileSync(log, 'ERROR torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB\n')
    const { resourceSpans, headers } = await until('the spans came', () => requests.find((one) => one.resourceSpans), 20_000)
    assert.equal(headers.authorization, 'Bearer let-me-in')
    assert.equal(headers['content-type'], 'application/x-protobuf')
    const [{ resource, scopeSpans }] = resourceSpans
    assert.deepEqual(resource.attributes, [attribute('service.name', { stringValue: 'shop' }), attribute('cluster', { stringValue: 'eu' })])
    assert.equal(scopeSpans[0].scope.name, 'lib')
    const [span] = scopeSpans[0].spans
    const id = (value) => (typeof value === 'string' ? value : Buffer.from(value).toString('hex'))
    assert.equal(scopeSpans[0].spans.length, 2)
    assert.deepEqual([id(span.traceId), id(span.spanId), id(span.parentSpanId), span.name, span.kind], [hex(1, 32), hex(1, 16), hex(7, 16), 'step 1', 3])
    const sent = Object.fromEntries(span.attributes.map(({ key, value }) => [key, value]))
    assert.deepEqual(sent, { text: { stringValue: 'a"b' }, count: { intValue: '5' }, share: { doubleValue: 0.5 }, yes: { boolValue: true }, list: { arrayValue: { values: [{ stringValue: 'x' }, { intValue: '2' }] } } })
    assert.deepEqual(span.events, [{ timeUnixNano: '1700000000000000005', name: 'first token', attributes: [attribute('n', { intValue: '1' })] }])
    assert.deepEqual([id(span.links[0].traceId), id(span.links[0].spanId)], [hex(99, 32), hex(98, 16)])
    assert.deepEqual(span.status, { message: 'it failed', code: 2 })

    const lines = () => requests.flatMap((one) => one.resourceLogs ?? []).flatMap(({ resource, scopeLogs }) => scopeLogs.flatMap((scope) => scope.logRecords.map((line) => ({ ...line, resource }))))
    await until('both lines came', () => lines().length >= 2, 20_000)
    const pushed = lines().find((line) => line.body.stringValue === 'out of memory')
    assert.deepEqual([pushed.severityNumber, pushed.severityText, id(pushed.traceId), id(pushed.spanId)], [17, 'ERROR', hex(1, 32), hex(1, 16)])
    assert.deepEqual(pushed.attributes, [attribute('line', { stringValue: '7' })])
    const read = lines().find((line) => line.body.stringValue.includes('OutOfMemoryError'))
    assert.deepEqual(read.resource.attributes.find(({ key }) => key === 'service.name').value, { stringValue: 'vllm' })
    const about = Object.fromEntries(read.attributes.map(({ key, value }) => [key, value.stringValue]))
    assert.equal(about['stoker.log.source'], 'file')
    assert.equal(about['stoker.log.stream'], log)
    assert.equal(about['stoker.log.signature'], 'cuda_out_of_memory')
})

test('another Stoker has them, also those of an outage and a kill', { timeout: 90_000 }, async () => {
    await until('the first are there', async () => (await counts()).join() === '2,2', 20_000, 200)
    const [[attributes, resource]] = await sql("SELECT attributes, resource FROM spans WHERE name = 'step 1'")
    assert.equal(JSON.parse(attributes).count, 5)
    assert.deepEqual(JSON.parse(resource), { 'service.name': 'shop', 'deployment.environment': 'test', cluster: 'eu' })
    open = false
    for (let i = 0; i < 5; i++) {
        await pushSpans(20)
        await pushLine(`line ${i}`)
    }
    await until('it waits', async () => (await metric('stoker_otlp_export_failures_total{export="stoker",what="spans"}')) >= 1, 20_000, 100)
    await until('lines wait', async () => (await metric('stoker_otlp_export_waiting_batches{export="stoker",what="logs"}')) > 0, 20_000, 100)
    await sender.kill()
    sender = await startStoker({ config: config(), dir: sender.dir })
    await pushSpans(1)
    open = true
    await until('all are there', async () => (await counts()).join() === '103,7', 40_000, 300)
    await until('none waits', async () => (await metric('stoker_otlp_export_waiting_batches{export="stoker",what="spans"}')) === 0, 20_000, 100)
    assert.equal(await metric('stoker_otlp_export_spans_total{export="stoker",result="lost"}'), 0)
    const all = Number((await sql("SELECT count(*) FROM spans WHERE service = 'shop'"))[0][0])
    assert.ok(all <= 103 + 101, `${all}: at most one batch comes twice`)
})

test('what a receiver refuses for good is counted and blocks nothing', { timeout: 60_000 }, async () => {
    answer = 400
    await pushSpans(3)
    await until('it is counted', async () => (await metric('stoker_otlp_export_spans_total{export="raw",result="rejected"}')) === 3, 20_000, 100)
    answer = 200
    const before = requests.length
    await pushSpans(1)
    await until('the next came', () => requests.slice(before).some((one) => one.resourceSpans), 20_000)
    assert.ok((await sender.stop()) < 5_000)
})
