// The real OpenTelemetry SDK against Stoker: every instrument, both encodings, both temporalities, checked by PromQL.
import { AggregationTemporalityPreference, OTLPMetricExporter as JsonExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import { OTLPMetricExporter as ProtobufExporter } from '@opentelemetry/exporter-metrics-otlp-proto'
import { Resource } from '@opentelemetry/resources'
import { ExponentialHistogramAggregation, MeterProvider, PeriodicExportingMetricReader, View } from '@opentelemetry/sdk-metrics'
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { getJson, startStoker, stopAll, until } from './lib/stoker.mjs'

let stoker
before(async () => {
    stoker = await startStoker()
})
after(stopAll)

// The only value that the query gives now, as text; undefined if there is none.
async function value(query) {
    const answer = await getJson(`${stoker.console}/api/v1/query?query=${encodeURIComponent(query)}`)
    assert.equal(answer.status, 'success', JSON.stringify(answer))
    assert.ok(answer.data.result.length <= 1, `${query}: ${JSON.stringify(answer.data.result)}`)
    return answer.data.result[0]?.value[1]
}

function application(exporter, service) {
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
    const provider = new MeterProvider({
        resource: new Resource({
            'service.namespace': 'shop',
            'service.name': service,
            'service.instance.id': 'one',
            'deployment.environment': 'test',
        }),
        readers: [reader],
        views: [new View({ instrumentName: 'payload.size', aggregation: new ExponentialHistogramAggregation(160, true) })],
    })
    return { provider, meter: provider.getMeter('lib', '1.0') }
}

const encodings = [
    ['protobuf', ProtobufExporter, '/v1/metrics', 'none'],
    ['json', JsonExporter, '/v1/metrics', 'none'],
    ['protobuf-gzip', ProtobufExporter, '/api/v1/otlp/v1/metrics', 'gzip'],
]
for (const [encoding, Exporter, path, compression] of encodings) {
    for (const temporality of ['CUMULATIVE', 'DELTA']) {
        test(`every instrument by ${encoding}, ${temporality.toLowerCase()}`, async () => {
            const service = `${encoding}-${temporality.toLowerCase()}`
            const exporter = new Exporter({ url: stoker.console + path, compression, temporalityPreference: AggregationTemporalityPreference[temporality] })
            const { provider, meter } = application(exporter, service)
            const jobs = meter.createCounter('jobs.done', { unit: '1', description: 'Jobs that are done.' })
            const queue = meter.createUpDownCounter('queue.size', { unit: '{items}' })
            const seconds = meter.createHistogram('gen_ai.client.operation.duration', { unit: 's', advice: { explicitBucketBoundaries: [0.1, 1, 10] } })
            const payload = meter.createHistogram('payload.size', { unit: 'By' })
            meter.createObservableGauge('gpu.temperature', { unit: 'Cel' }).addCallback((result) => result.observe(61.5, { gpu: '0' }))

            jobs.add(3, { queue: 'a' })
            queue.add(5)
            seconds.record(0.05)
            seconds.record(5)
            for (const size of [1, 2, 4]) payload.record(size)
            await provider.forceFlush()
            jobs.add(4, { queue: 'a' })
            queue.add(-2)
            seconds.record(0.5)
            payload.record(1000)
            await provider.forceFlush()
            await provider.shutdown()

            const of = `job="shop/${service}",instance="one"`
            await until('all of it is stored', async () => (await value(`jobs_done_total{${of}}`)) === '7')
            assert.equal(await value(`jobs_done_total{${of},queue="a"}`), '7')
            assert.equal(await value(`queue_size{${of}}`), '3')
            assert.equal(await value(`gpu_temperature_celsius{${of},gpu="0"}`), '61.5')
            const name = 'gen_ai_client_operation_duration_seconds'
            assert.deepEqual(
                await Promise.all(['0.1', '1', '10', '+Inf'].map((le) => value(`${name}_bucket{${of},le="${le}"}`))),
                ['1', '2', '3', '3'],
            )
            assert.equal(await value(`${name}_count{${of}}`), '3')
            assert.ok(Math.abs((await value(`${name}_sum{${of}}`)) - 5.55) < 1e-9)
            assert.equal(await value(`histogram_count(payload_size_bytes{${of}})`), '4')
            assert.equal(await value(`histogram_sum(payload_size_bytes{${of}})`), '1007')
            const low = Number(await value(`histogram_quantile(0.4, payload_size_bytes{${of}})`))
            assert.ok(low > 1.8 && low <= 2, `the second of four: ${low}`)
            assert.equal(await value(`jobs_done_total{${of}} * on (job, instance) group_left (deployment_environment) target_info{deployment_environment="test"}`), '7')
        })
    }
}

test('metadata is kept', async () => {
    const answer = await getJson(`${stoker.console}/api/v1/metadata?metric=jobs_done_total`)
    assert.deepEqual(answer.data.jobs_done_total, [{ type: 'counter', unit: '', help: 'Jobs that are done.' }])
})

test('a bad point is reported and the good one stored', async () => {
    const now = `${Date.now()}000000`
    const body = {
        resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'mixed', gauge: { dataPoints: [{ timeUnixNano: now, asDouble: 4 }, { timeUnixNano: now, attributes: [] }] } }] }] }],
    }
    const send = (text) => fetch(`${stoker.console}/v1/metrics`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: text })
    const answer = await send(JSON.stringify(body))
    assert.equal(answer.status, 200)
    assert.deepEqual(await answer.json(), { partialSuccess: { rejectedDataPoints: '1', errorMessage: 'mixed: a point has no value' } })
    assert.equal(await value('mixed'), '4')
    const garbage = await send('{')
    assert.equal(garbage.status, 400)
    assert.equal((await garbage.json()).code, 3)
})
