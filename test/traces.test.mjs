// Traces: OpenTelemetry's real SDK and Zipkin's format in; search, Jaeger's API, the command line and SQL out; what was
// acknowledged survives SIGKILL; under a budget the weights still add up.
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace as traceApi } from '@opentelemetry/api'
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { ZipkinExporter } from '@opentelemetry/exporter-zipkin'
import { Resource } from '@opentelemetry/resources'
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { binary, getJson, startSim, startStoker, stopAll, until } from './lib/stoker.mjs'

let stoker, sim
before(async () => {
    sim = await startSim()
    stoker = await startStoker({ config: `pools: [{name: chat, models: [sim], replicas: [{url: ${sim.url}}]}]\n` })
})
after(stopAll)

const traces = async (params) => (await getJson(`${stoker.console}/api/v1/traces?${new URLSearchParams(params)}`)).traces
const spansOf = async (id) => (await getJson(`${stoker.console}/api/v1/traces/${id}`)).spans ?? []
const sql = async (query, on = stoker) => {
    const answer = await getJson(`${on.console}/api/v1/sql`, { method: 'POST', body: JSON.stringify({ query, store: 'telemetry' }) })
    assert.ok(answer.rows, JSON.stringify(answer))
    return answer.rows
}
const command = (...args) => execFileSync(binary, ['traces', '--server', stoker.console, ...args], { encoding: 'utf8' })
const newId = () => randomBytes(16).toString('hex')

function application(exporter, service) {
    const provider = new BasicTracerProvider({
        resource: new Resource({ 'service.name': service, 'deployment.environment.name': 'test' }),
        spanProcessors: [new BatchSpanProcessor(exporter)],
    })
    return { provider, tracer: provider.getTracer('lib', '1.0') }
}

for (const [encoding, Exporter, compression] of [['protobuf', ProtobufExporter, 'none'], ['json', JsonExporter, 'gzip']]) {
    test(`OpenTelemetry's SDK by ${encoding}: what it sends is found and shown`, async () => {
        const service = `shop-${encoding}`
        const { provider, tracer } = application(new Exporter({ url: `${stoker.console}/v1/traces`, compression }), service)
        const root = tracer.startSpan('GET /chat', { kind: SpanKind.SERVER, attributes: { 'http.route': '/chat', 'user "x"': 7 } }, ROOT_CONTEXT)
        const within = traceApi.setSpan(ROOT_CONTEXT, root)
        // OpenInference's words for a generation.
        const llm = tracer.startSpan('ChatCompletion', {
            kind: SpanKind.CLIENT,
            attributes: { 'openinference.span.kind': 'LLM', 'llm.model_name': 'gpt-x', 'llm.token_count.prompt': 12, 'llm.token_count.completion': 34 },
        }, within)
        llm.addEvent('first token', { index: 0 })
        llm.setStatus({ code: SpanStatusCode.ERROR, message: 'ran out' })
        llm.end()
        root.end()
        await provider.forceFlush()
        await provider.shutdown()

        const id = root.spanContext().traceId
        const spans = await until('the trace is stored', async () => {
            const found = await spansOf(id)
            return found.length === 2 && found
        })
        const generation = spans.find((span) => span.name === 'ChatCompletion')
        assert.equal(generation.parent_span_id, root.spanContext().spanId)
        assert.equal(generation.service, service)
        assert.equal(generation.kind, 'client')
        assert.equal(generation.error, true)
        assert.equal(generation.status_message, 'ran out')
        assert.deepEqual([generation.operation, generation.model, generation.input_tokens, generation.output_tokens], ['chat', 'gpt-x', 12, 34])
        assert.equal(generation.attributes['llm.model_name'], 'gpt-x')
        assert.equal(generation.attributes['gen_ai.request.model'], 'gpt-x')
        assert.deepEqual(generation.events.map((event) => event.name), ['first token'])
        assert.equal(generation.resource['deployment.environment.name'], 'test')

        for (const filter of [{ tag: 'http.route=/chat' }, { tag: 'user "x"=7' }, { model: 'gpt-x' }, { errors: 'true' }, { q: 'chatcomp' }, { name: 'GET /chat' }, { tag: 'deployment.environment.name=test' }]) {
            assert.deepEqual((await traces({ service, ...filter })).map((each) => each.trace_id), [id], JSON.stringify(filter))
        }
        const [summary] = await traces({ service })
        assert.deepEqual([summary.trace_id, summary.name, summary.spans, summary.errors, summary.model, summary.weight], [id, 'GET /chat', 2, 1, 'gpt-x', 1])
        assert.deepEqual(await traces({ service, name: 'no such' }), [])
    })
}

test("OpenTelemetry's exporter for Zipkin", async () => {
    const { provider, tracer } = application(new ZipkinExporter({ url: `${stoker.console}/api/v2/spans` }), 'zipped')
    const root = tracer.startSpan('POST /embed', { kind: SpanKind.SERVER, attributes: { 'http.route': '/embed' } }, ROOT_CONTEXT)
    root.setStatus({ code: SpanStatusCode.ERROR, message: 'too long' })
    root.end()
    await provider.forceFlush()
    await provider.shutdown()
    const { traceId, spanId } = root.spanContext()
    const [span] = await until('the span is stored', async () => {
        const found = await spansOf(traceId)
        return found.length === 1 && found
    })
    assert.deepEqual([span.span_id, span.name, span.service, span.kind, span.format, span.error], [spanId, 'POST /embed', 'zipped', 'server', 'zipkin', true])
    assert.equal(span.attributes['http.route'], '/embed')
    assert.deepEqual((await traces({ service: 'zipped', errors: 'true' })).map((each) => each.trace_id), [traceId])
})

test('Zipkin by hand; what is wrong with a span is said', async () => {
    const id = newId()
    const send = (body, headers = {}) => fetch(`${stoker.console}/api/v2/spans`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })
    const now = Date.now() * 1000
    const spans = [
        { traceId: id.slice(16), id: '1', name: 'get', kind: 'CLIENT', timestamp: now, duration: 5000, localEndpoint: { serviceName: 'front' }, tags: { error: 'refused' } },
        { traceId: id.slice(16), id: '2', parentId: '1', name: 'serve', kind: 'SERVER', timestamp: now + 1000, duration: 3000, localEndpoint: { serviceName: 'back' }, annotations: [{ timestamp: now + 1500, value: 'half way' }] },
    ]
    assert.equal((await send(gzipSync(JSON.stringify(spans)), { 'content-encoding': 'gzip' })).status, 202)
    const stored = await until('the trace is stored', async () => {
        const found = await spansOf(id.slice(16))
        return found.length === 2 && found
    })
    assert.equal(stored[0].trace_id, '0'.repeat(16) + id.slice(16))
    assert.deepEqual(stored.map(({ name, service, kind, format }) => [name, service, kind, format]), [['get', 'front', 'client', 'zipkin'], ['serve', 'back', 'server', 'zipkin']])
    assert.equal(stored[0].status_message, 'refused')

    assert.equal((await send('{}')).status, 400)
    assert.equal((await send('[{"traceId":"1"}]')).status, 400)
    const partial = await getJson(`${stoker.console}/v1/traces`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [{ name: 'no ids' }, { traceId: newId(), spanId: '00f067aa0ba902b7', name: 'good', startTimeUnixNano: `${now}000`, endTimeUnixNano: `${now}000` }] }] }] }),
    })
    assert.equal(partial.partialSuccess.rejectedSpans, '1')
    assert.match(partial.partialSuccess.errorMessage, /no trace id/)
    await until('the good one is kept', async () => (await traces({ name: 'good' })).length === 1)
})

test('a request of the gateway is a trace beside its caller\'s, in Jaeger\'s API and on the command line', async () => {
    const { provider, tracer } = application(new JsonExporter({ url: `${stoker.console}/v1/traces` }), 'caller')
    const root = tracer.startSpan('ask', {}, ROOT_CONTEXT)
    const { traceId, spanId } = root.spanContext()
    const answer = await fetch(`${stoker.gateway}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', traceparent: `00-${traceId}-${spanId}-01` },
        body: JSON.stringify({ model: 'sim', max_tokens: 5, messages: [{ role: 'user', content: 'hello' }] }),
    })
    assert.equal(answer.status, 200)
    await answer.text()
    root.end()
    await provider.forceFlush()
    await provider.shutdown()
    await until('both are stored', async () => {
        const services = new Set((await spansOf(traceId)).map((span) => span.service))
        return services.has('caller') && services.has('stoker')
    })

    const jaeger = async (path) => {
        const found = await getJson(`${stoker.console}/api/${path}`)
        assert.equal(found.errors, null, JSON.stringify(found))
        return found.data
    }
    assert.ok((await jaeger('services')).includes('stoker'))
    assert.ok((await jaeger('services/stoker/operations')).includes('chat sim'))
    assert.ok((await jaeger('operations?service=stoker&spanKind=server')).some(({ name, spanKind }) => name === 'chat sim' && spanKind === 'server'))
    const [found] = await jaeger(`traces/${traceId}`)
    assert.equal(found.traceID, traceId)
    const served = found.spans.find((span) => span.operationName === 'chat sim')
    assert.deepEqual(served.references, [{ refType: 'CHILD_OF', traceID: traceId, spanID: spanId }])
    assert.equal(found.processes[served.processID].serviceName, 'stoker')
    const tag = (key) => served.tags.find((each) => each.key === key)
    assert.deepEqual(tag('gen_ai.usage.output_tokens'), { key: 'gen_ai.usage.output_tokens', type: 'int64', value: 5 })
    assert.equal(tag('span.kind').value, 'server')
    assert.ok(served.startTime > Date.now() * 1000 - 60e6 && served.duration > 0)
    // As Grafana asks.
    const end = Date.now() * 1000 + 5e6
    const search = await jaeger(`traces?service=stoker&operation=chat%20sim&start=${end - 3600e6}&end=${end}&limit=20&lookback=custom&tags=${encodeURIComponent('{"gen_ai.request.model":"sim"}')}`)
    assert.ok(search.some((each) => each.traceID === traceId && each.spans.length === found.spans.length))
    assert.deepEqual(await jaeger('traces?service=stoker&minDuration=100s'), [])
    assert.ok((await jaeger(`dependencies?endTs=${Date.now() + 1000}&lookback=3600000`)).some(({ parent, child, callCount }) => parent === 'caller' && child === 'stoker' && callCount === 1))
    const missing = await fetch(`${stoker.console}/api/traces/${newId()}`)
    assert.equal(missing.status, 404)
    assert.equal((await missing.json()).errors[0].code, 404)
    assert.equal((await fetch(`${stoker.console}/api/traces?limit=5`)).status, 400)

    assert.match(command('--service', 'caller'), new RegExp(`${traceId} +caller +ask`))
    assert.match(command(traceId), /^ask .*\n {2}chat sim +stoker/m)
    assert.equal(JSON.parse(command('--service', 'caller', '--json')).traces[0].trace_id, traceId)
    assert.throws(() => command(newId()), /there is no trace/)
})

test('what was acknowledged survives SIGKILL, once', async () => {
    const ids = []
    for (let batch = 0; batch < 20; batch++) {
        const batchIds = Array.from({ length: 10 }, newId)
        const spans = batchIds.map((traceId) => ({ traceId, spanId: traceId.slice(16), name: 'kept', startTimeUnixNano: `${Date.now()}000000`, endTimeUnixNano: `${Date.now()}000000`, status: { code: 2 } }))
        const response = await fetch(`${stoker.console}/v1/traces`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }) })
        assert.equal(response.status, 200)
        ids.push(...batchIds)
    }
    const { dir, configFile } = stoker
    await stoker.kill('SIGKILL')
    stoker = await startStoker({ dir, args: ['--config', configFile] })
    await until('all are there', async () => (await sql("SELECT count(DISTINCT trace_id) FROM spans WHERE name = 'kept'"))[0][0] === ids.length)
    assert.deepEqual(await sql("SELECT count(*) FROM spans WHERE name = 'kept'"), [[ids.length]])
    // The gateway's own traces of before are there once, too.
    assert.deepEqual(await sql("SELECT count(*) FROM spans WHERE name = 'chat sim'"), [[1]])
})

test('sampling keeps what failed and what was slow, a share of the rest, and says what it stands for', async () => {
    const sampled = await startStoker({ config: 'storage: {telemetry: {sampling: {rate: 0.25, per_second: 0, slow: 2s, wait: 500ms}}}\n' })
    const count = 1000
    const now = Date.now()
    const spans = Array.from({ length: count }, (_, i) => ({
        traceId: newId(), spanId: '00f067aa0ba902b7', name: i % 100 === 0 ? 'failed' : i % 100 === 1 ? 'slow' : 'ordinary',
        startTimeUnixNano: `${now}000000`, endTimeUnixNano: `${now + (i % 100 === 1 ? 2500 : 5)}000000`, status: i % 100 === 0 ? { code: 2 } : {},
    }))
    const response = await fetch(`${sampled.console}/v1/traces`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }) })
    assert.equal(response.status, 200)
    await until('it is decided', async () => (await sql('SELECT count(*) FROM spans', sampled))[0][0] > 0)
    const rows = Object.fromEntries((await sql('SELECT name, count(*), CAST(sum(weight) AS DOUBLE) FROM spans GROUP BY name', sampled)).map(([name, ...rest]) => [name, rest]))
    assert.deepEqual(rows.failed, [10, 10])
    assert.deepEqual(rows.slow, [10, 10])
    const [kept, weight] = rows.ordinary
    assert.ok(kept > 150 && kept < 350, `${kept} of 980`)
    assert.equal(weight, kept * 4)
    const metrics = await (await fetch(`${sampled.console}/metrics`)).text()
    assert.match(metrics, new RegExp(`stoker_trace_spans_total\\{result="dropped"\\} ${count - 20 - kept}\n`))
    await sampled.stop()
})
