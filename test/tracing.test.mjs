// Each request is a trace: sent by OTLP to a receiver that decodes it with OpenTelemetry's own code, and shown by the
// API; and a line of the access log.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, renameSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { streamChat } from './lib/client.mjs'
import { freePort, getJson, startSim, startStoker, stopAll, temporaryDirectory, until } from './lib/stoker.mjs'

const require = createRequire(import.meta.url)
const { opentelemetry } = require('@opentelemetry/otlp-transformer/build/src/generated/root.js')
const Request = opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest

let stoker, sim, dead
const dir = temporaryDirectory()
const receiver = { status: 200, spans: [], resources: [], refused: 0 }

const server = createServer((request, response) => {
    const parts = []
    request.on('data', (part) => parts.push(part))
    request.on('end', () => {
        response.writeHead(receiver.status)
        response.end()
        if (receiver.status !== 200) return receiver.refused++
        assert.equal(request.headers['content-type'], 'application/x-protobuf')
        assert.equal(request.headers['x-team'], 'ops')
        const message = Request.decode(gunzipSync(Buffer.concat(parts)))
        for (const { resource, scopeSpans } of message.resourceSpans) {
            receiver.resources.push(Object.fromEntries(resource.attributes.map(({ key, value }) => [key, value.stringValue])))
            for (const scope of scopeSpans) receiver.spans.push(...scope.spans)
        }
    })
})

const hex = (bytes) => Buffer.from(bytes).toString('hex')
const trace = (id) => receiver.spans.filter((span) => hex(span.traceId) === id)
const attribute = (span, key) => span.attributes.find((each) => each.key === key)?.value
const newTrace = () => Array.from({ length: 32 }, () => '123456789abcdef'[Math.floor(Math.random() * 15)]).join('')

before(async () => {
    await new Promise((done) => server.listen(0, '127.0.0.1', done))
    sim = await startSim()
    dead = await freePort()
    stoker = await startStoker({
        dir,
        config: `
pools:
  - name: chat
    models: [sim]
    replicas: [{url: http://127.0.0.1:${dead}}, {url: ${sim.url}}]
tracing:
  endpoint: http://127.0.0.1:${server.address().port}/v1/traces
  headers: {x-team: ops}
  resource: {deployment.environment.name: test}
access_log: {path: access.jsonl}
`,
    })
})
after(async () => {
    await stopAll()
    server.close()
})

const ask = (traceId, body = {}) =>
    streamChat(stoker.gateway, { model: 'sim', max_tokens: 5, messages: [{ role: 'user', content: 'hello' }], ...body }, { headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-01` } })

test('a request is a trace that continues its caller\'s', async () => {
    const id = newTrace()
    await ask(id)
    await until('the trace arrives', () => trace(id).length > 0, 10_000)
    const spans = trace(id)
    const root = spans.find((span) => span.name === 'chat sim')
    assert.equal(hex(root.parentSpanId), '00f067aa0ba902b7')
    assert.equal(attribute(root, 'gen_ai.operation.name').stringValue, 'chat')
    assert.equal(Number(attribute(root, 'gen_ai.usage.output_tokens').intValue), 5)
    const names = spans.map((span) => span.name)
    for (const name of ['receive', 'route', 'limit', 'first token', 'tokens', 'write', `attempt chat/127.0.0.1:${sim.port}`]) assert.ok(names.includes(name), `${name} is not among ${names}`)
    for (const span of spans.filter((each) => each !== root)) {
        assert.equal(hex(span.parentSpanId), hex(root.spanId))
        assert.ok(Number(span.startTimeUnixNano) >= Number(root.startTimeUnixNano) && Number(span.endTimeUnixNano) <= Number(root.endTimeUnixNano) + 1e6, span.name)
    }
    assert.deepEqual(receiver.resources[0]['deployment.environment.name'], 'test')

    const [record] = (await getJson(`${stoker.console}/api/v1/requests?last=5m`)).requests.filter((each) => each.trace_id === id)
    const shown = await getJson(`${stoker.console}/api/v1/requests/${record.id}/trace`)
    assert.deepEqual(shown.resourceSpans[0].scopeSpans[0].spans.map((span) => span.name).sort(), names.sort())
})

test('while the receiver is away traces wait, and none is lost', async () => {
    receiver.status = 503
    const id = newTrace()
    await ask(id)
    await until('the receiver was asked', () => receiver.refused > 0)
    await stoker.kill()
    receiver.status = 200
    stoker = await startStoker({ dir, config: readFileSync(stoker.configFile, 'utf8') })
    await until('the trace arrives after all', () => trace(id).length > 0, 15_000)
})

test('the access log has one line a request, and goes on when its file is moved away', async () => {
    const file = join(dir, 'access.jsonl')
    const lines = () => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').filter(Boolean).map((line) => JSON.parse(line)) : [])
    const first = newTrace()
    await ask(first)
    const line = await until('the line is there', () => lines().find((each) => each.trace_id === first))
    assert.equal(line.v, 1)
    assert.equal(line.status, 200)
    assert.equal(line.completion_tokens, 5)
    assert.ok(line.receive_ns > 0)

    renameSync(file, `${file}.1`)
    const second = newTrace()
    await ask(second)
    await until('the line is in a new file', () => lines().some((each) => each.trace_id === second))
    assert.equal(lines().some((each) => each.trace_id === first), false)
})
