// Logs in and found again: files that rotate under a writer, the OpenTelemetry SDK, Loki's push and a logger that pushes so,
// containers, journald;
// failures recognised; and what was accepted is there after SIGKILL.
import { ROOT_CONTEXT, trace as traceApi } from '@opentelemetry/api'
import { SeverityNumber } from '@opentelemetry/api-logs'
import { OTLPLogExporter as JsonExporter } from '@opentelemetry/exporter-logs-otlp-http'
import { OTLPLogExporter as ProtobufExporter } from '@opentelemetry/exporter-logs-otlp-proto'
import { Resource } from '@opentelemetry/resources'
import { LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs'
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { appendFileSync, copyFileSync, existsSync, mkdirSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import winston from 'winston'
import LokiTransport from 'winston-loki'
import { getJson, run, startStoker, stopAll, temporaryDirectory, until } from './lib/stoker.mjs'

const dir = temporaryDirectory()
const logs = join(dir, 'logs')
mkdirSync(join(logs, 'pods/prod_chat-0_uid/vllm'), { recursive: true })
writeFileSync(
    join(dir, 'mine.yaml'),
    "version: 1\nsignatures:\n  - {name: coffee_out, severity: warning, summary: No coffee., action: Refill., match: ['coffee machine (?P<id>\\d+) is empty']}\n",
)
const config = `
logs:
  files:
    - {paths: ['${logs}/app*.log'], from: beginning, service: app}
    - {paths: ['${logs}/pods/*/*/*.log'], from: beginning}
  signature_files: [mine.yaml]
`
let stoker
before(async () => {
    stoker = await startStoker({ dir, config })
})
after(stopAll)

const search = async (params, at = stoker) => {
    const answer = await getJson(`${at.console}/api/v1/logs?${new URLSearchParams({ limit: '5000', ...params })}`)
    assert.ok(answer.logs, JSON.stringify(answer))
    return answer
}
const found = (what, params, count = 1) =>
    until(what, async () => {
        const { logs: lines } = await search(params)
        return lines.length >= count && lines
    }, 20_000)

test('no line is lost or doubled while a file rotates under its writer', async () => {
    const file = join(logs, 'app.log')
    let written = 0
    const write = (count) => {
        let text = ''
        for (let i = 0; i < count; i++) text += `rotating line ${written++} end\n`
        appendFileSync(file, text)
    }
    write(1)
    await found('the first line', { service: 'app', q: 'rotating line' })
    for (let round = 0; round < 12; round++) {
        write(40)
        if (round % 3 === 0) {
            renameSync(file, `${file}.${round}`)
            appendFileSync(`${file}.${round}`, `rotating line ${written++} end\n`) // The writer has not let go yet.
        }
        if (round % 3 === 1 && round > 5) {
            // Whatever is not read before it is cut is lost to any reader.
            await until('what stands there was read', async () => (await metric('stoker_logs_stored_total\\{source="file"\\}')) === written, 20_000)
            copyFileSync(file, `${file}.copy`)
            truncateSync(file, 0)
        }
        await new Promise((done) => setTimeout(done, 60)) // The writer's own pace.
    }
    await until('all lines are stored', async () => (await metric('stoker_logs_stored_total\\{source="file"\\}')) >= written, 20_000).catch(() => {})
    const missing = async () => {
        const { logs: lines } = await search({ service: 'app', q: 'rotating line' })
        const numbers = lines.map((line) => Number(/line (\d+) end/.exec(line.body)[1]))
        assert.equal(new Set(numbers).size, numbers.length, 'a line came twice')
        return [...Array(written).keys()].filter((number) => !numbers.includes(number))
    }
    await until('all lines are searchable', async () => (await missing()).length === 0).catch(() => {})
    assert.deepEqual(await missing(), [])
})

async function metric(name) {
    const text = await (await fetch(`${stoker.console}/metrics`)).text()
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? NaN)
}

test('lines of JSON, logfmt and tracebacks are understood', async () => {
    const file = join(logs, 'app-kinds.log')
    appendFileSync(file, '{"level":"warn","ts":"2026-01-01T00:00:00Z","msg":"from json","trace_id":"0af7651916cd43dd8448eb211c80319c","user":7}\n')
    appendFileSync(file, 'level=error msg="from logfmt" code=5\n')
    appendFileSync(file, 'ERROR it broke\nTraceback (most recent call last):\n  File "x.py", line 1\nRuntimeError: from python\nINFO after it\n')
    const [json] = await found('the JSON line', { trace_id: '0af7651916cd43dd8448eb211c80319c' })
    assert.equal(json.body, 'from json')
    assert.equal(json.severity, 'warn')
    assert.equal(json.time, '2026-01-01T00:00:00.000Z')
    assert.equal(json.attributes.user, '7')
    const [logfmt] = await found('the logfmt line', { q: 'from logfmt', severity: 'error' })
    assert.equal(logfmt.attributes.code, '5')
    const [trace] = await found('the traceback', { q: 'from python' })
    assert.equal(trace.body.split('\n').length, 4)
    assert.equal(trace.severity, 'error')
    assert.equal((await found('the line after it', { q: 'INFO after it' }))[0].body, 'INFO after it')
})

test("a container's records become its lines", async () => {
    const file = join(logs, 'pods/prod_chat-0_uid/vllm/0.log')
    appendFileSync(file, '2026-01-02T00:00:00.5Z stderr P ERROR the container says \n2026-01-02T00:00:01Z stdout F other\n2026-01-02T00:00:02Z stderr F so much\n')
    const [line] = await found('the container line', { q: 'the container says so much', from: '2026-01-01T00:00:00Z' })
    assert.equal(line.service, 'vllm')
    assert.equal(line.resource['k8s.pod.name'], 'chat-0')
    assert.equal(line.attributes['log.iostream'], 'stderr')
})

for (const [encoding, Exporter, compression] of [
    ['json', JsonExporter, 'none'],
    ['protobuf', ProtobufExporter, 'gzip'],
]) {
    test(`the OpenTelemetry SDK by ${encoding}`, async () => {
        const span = { traceId: randomBytes(16).toString('hex'), spanId: randomBytes(8).toString('hex'), traceFlags: 1 }
        const provider = new LoggerProvider({ resource: new Resource({ 'service.name': `sdk-${encoding}` }) })
        provider.addLogRecordProcessor(new SimpleLogRecordProcessor(new Exporter({ url: `${stoker.console}/v1/logs`, compression })))
        provider.getLogger('lib', '1.0').emit({
            severityNumber: SeverityNumber.ERROR,
            severityText: 'ERROR',
            body: `it broke by ${encoding}`,
            attributes: { 'gen_ai.request.model': 'm', retries: 3 },
            context: traceApi.setSpanContext(ROOT_CONTEXT, span),
        })
        await provider.forceFlush()
        await provider.shutdown()
        const [line] = await found('the line', { service: `sdk-${encoding}` })
        assert.equal(line.body, `it broke by ${encoding}`)
        assert.equal(line.severity, 'error')
        assert.equal(line.source, 'otlp')
        assert.equal(line.attributes['gen_ai.request.model'], 'm')
        assert.equal(line.attributes.retries, '3')
        assert.equal(line.resource['service.name'], `sdk-${encoding}`)
        assert.equal(line.span_id, span.spanId)
        assert.deepEqual((await search({ trace_id: span.traceId })).logs.map((each) => each.body), [line.body])
    })
}

const push = (at, lines, labels = { app: 'lokied' }) =>
    fetch(`${at.console}/loki/api/v1/push`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ streams: [{ stream: labels, values: lines.map((line) => [`${Date.now()}000000`, line]) }] }),
    })

test("Loki's push, and its query for what came", async () => {
    const response = await push(stoker, ['level=warn msg="pushed one"', 'pushed two'], { app: 'lokied', env: 'prod' })
    assert.equal(response.status, 204, await response.text())
    const lines = await found('the lines', { service: 'lokied' }, 2)
    assert.deepEqual(lines.map((line) => line.body).sort(), ['pushed one', 'pushed two'])
    const ask = (query) => getJson(`${stoker.console}/loki/api/v1/query_range?${new URLSearchParams({ query, limit: 10 })}`)
    const answer = await ask('{app="lokied", env="prod"} |= "two"')
    assert.equal(answer.data.resultType, 'streams')
    assert.equal(answer.data.result[0].values[0][1], 'pushed two')
    assert.equal((await ask('{app="lokied", env="test"}')).data.result.length, 0)
    const refused = await fetch(`${stoker.console}/loki/api/v1/query_range?query=${encodeURIComponent('rate({app="x"}[5m])')}`)
    assert.equal(refused.status, 400)
    assert.match(await refused.text(), /character 1/)
    assert.equal((await fetch(`${stoker.console}/loki/api/v1/push`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })).status, 400)
})

for (const json of [true, false]) {
    test(`winston's transport for Loki by ${json ? 'JSON' : 'protobuf and snappy'}`, async () => {
        const refused = []
        const app = `winston-${json ? 'json' : 'protobuf'}`
        const transport = new LokiTransport({
            host: stoker.console,
            labels: { app, job: 'web' },
            json,
            batching: false,
            gracefulShutdown: false,
            format: winston.format.json(),
            onConnectionError: (error) => refused.push(error),
        })
        const logger = winston.createLogger({ transports: [transport] })
        logger.warn('the queue is long', { queued: 9, trace_id: '0af7651916cd43dd8448eb211c80319f' })
        const [line] = await found('the line', { service: app }).catch((error) => assert.fail(`${error.message}; refused: ${refused.join()}`))
        assert.equal(line.body, 'the queue is long')
        assert.equal(line.severity, 'warn')
        assert.equal(line.source, 'loki')
        assert.equal(line.attributes.queued, '9')
        assert.equal(line.trace_id, '0af7651916cd43dd8448eb211c80319f')
        logger.close()
    })
}

test('a failure in a line becomes a signature, a metric, and an alert', async () => {
    appendFileSync(join(logs, 'app-gpu.log'), 'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.\nthe coffee machine 7 is empty\n')
    const [oom] = await found('the line with its signature', { signature: 'cuda_out_of_memory' })
    assert.equal(oom.service, 'app')
    const [mine] = await found("the operator's own signature", { signature: 'coffee_out' })
    assert.equal(mine.attributes['signature.id'], '7')
    const text = await (await fetch(`${stoker.console}/metrics`)).text()
    assert.match(text, /stoker_log_signature_total\{signature="cuda_out_of_memory",severity="critical",service="app"\} 1/)
    const { events } = await getJson(`${stoker.console}/api/v1/events?type=log.signature`)
    const told = events.find((event) => event.data.signature === 'cuda_out_of_memory')
    assert.deepEqual([told.severity, told.subject, told.data.occurrences], ['critical', 'app', 1])
    assert.match(told.data.line, /^torch\.OutOfMemoryError/)
    await until('the alert fires', async () => {
        const { data } = await getJson(`${stoker.console}/api/v1/alerts`)
        return data.alerts.some((alert) => alert.labels.alertname === 'LogSignatureCritical' && alert.labels.signature === 'cuda_out_of_memory')
    }, 40_000)
})

test('lines can be followed as they come, by filter', async () => {
    const controller = new AbortController()
    const response = await fetch(`${stoker.console}/api/v1/logs/tail?severity=error&q=followed`, { signal: controller.signal })
    assert.equal(response.headers.get('content-type'), 'text/event-stream')
    let text = ''
    const reading = (async () => {
        for await (const chunk of response.body) text += Buffer.from(chunk).toString()
    })().catch(() => {})
    await push(stoker, ['level=info msg="followed not"', 'level=error msg="followed yes"'])
    await until('the event', () => text.includes('followed yes'))
    assert.ok(!text.includes('followed not'))
    assert.match(text, /event: log\ndata: \{"time_ns"/)
    controller.abort()
    await reading
    assert.equal((await fetch(`${stoker.console}/api/v1/logs/tail?severity=loud`)).status, 400)
})

test('pages follow each other without a gap', async () => {
    await push(stoker, Array.from({ length: 25 }, (_, i) => `paged ${i}`), { app: 'paged' })
    await found('all of them', { service: 'paged' }, 25)
    const seen = []
    let place = ''
    do {
        const page = await search({ service: 'paged', limit: '10', ...(place ? { place } : {}) })
        seen.push(...page.logs.map((line) => line.body))
        place = page.next
    } while (place)
    assert.equal(seen.length, 25)
    assert.equal(new Set(seen).size, 25)
})

test('the command line shows them', async () => {
    const { code, stdout, stderr } = await run('logs', 'CUDA out of', '--json', '--server', stoker.console)
    assert.equal(code, 0, stderr)
    assert.equal(JSON.parse(stdout.trim()).signature, 'cuda_out_of_memory')
    assert.match((await run('logs', '--help')).stdout, /stoker logs --follow --json/)
    assert.match((await run('logs', '--signature', 'any', '--server', stoker.console)).stdout, /app !cuda_out_of_memory torch/)
})

const journalRemote = '/lib/systemd/systemd-journal-remote'
const journals = existsSync(journalRemote) && existsSync('/usr/bin/journalctl')
test("systemd's journal is followed, and gone on with after a restart", { skip: !journals && `no ${journalRemote}: apt-get install systemd-journal-remote` }, async () => {
    const other = temporaryDirectory()
    mkdirSync(join(other, 'journal'))
    const writer = spawn(journalRemote, [`--output=${other}/journal/x.journal`, '-'], { stdio: ['pipe', 'ignore', 'ignore'] })
    const begin = Date.now()
    const put = (message, priority) => {
        const fields = {
            __REALTIME_TIMESTAMP: `${Date.now()}000`,
            __MONOTONIC_TIMESTAMP: `${(Date.now() - begin) * 1000 + 1}`,
            _BOOT_ID: '0123456789abcdef0123456789abcdef',
            MESSAGE: message,
            PRIORITY: priority,
            _SYSTEMD_UNIT: 'ollama.service',
        }
        writer.stdin.write(Object.entries(fields).map(([key, value]) => `${key}=${value}\n`).join('') + '\n')
    }
    const journald = 'logs: {journald: {enabled: true, directory: journal}}'
    try {
        put('before', 6)
        await until('there is a journal', () => existsSync(join(other, 'journal/x.journal')))
        let one = await startStoker({ dir: other, config: journald })
        const has = (text) => until(text, async () => (await search({ service: 'ollama', q: text }, one)).logs[0], 20_000)
        // Where "now" is in the journal is found out by journalctl a moment after the start.
        const first = await until('an entry comes', async () => {
            put('level=error msg="journal one"', 6)
            return (await search({ service: 'ollama', q: 'journal one' }, one)).logs[0]
        }, 20_000, 300)
        assert.equal(first.severity, 'error')
        assert.equal(first.source, 'journald')
        assert.equal(first.stream, 'ollama.service')
        await one.stop()
        put('while away', 3)
        one = await startStoker({ dir: other, config: journald })
        assert.equal((await has('while away')).severity, 'error')
        await one.stop()
    } finally {
        writer.kill('SIGKILL')
    }
})

test('SIGKILL loses no accepted line, and files go on where they were', async () => {
    const file = join(logs, 'app-kill.log')
    let accepted = 0
    let writing = true
    const pushing = (async () => {
        for (let i = 0; writing; i++) {
            try {
                if ((await push(stoker, [`kill push ${i}`], { app: 'killed' })).status === 204) accepted = i + 1
            } catch {
                return
            }
        }
    })()
    for (let i = 0; i < 200; i++) appendFileSync(file, `kill file ${i}\n`)
    await until('some were accepted', () => accepted > 20)
    await stoker.kill()
    writing = false
    await pushing
    for (let i = 200; i < 250; i++) appendFileSync(file, `kill file ${i}\n`)
    stoker = await startStoker({ dir, config })
    const pushed = await found('every accepted push', { service: 'killed' }, accepted)
    for (let i = 0; i < accepted; i++) assert.ok(pushed.some((line) => line.body === `kill push ${i}`), `push ${i} of ${accepted}`)
    await until('every line of the file', async () => {
        const { logs: lines } = await search({ q: 'kill file' })
        return new Set(lines.map((line) => line.body)).size === 250
    }, 20_000)
})

test('what is wrong with a signature is said with its place', async () => {
    const other = temporaryDirectory()
    writeFileSync(join(other, 'bad.yaml'), "version: 1\nsignatures:\n  - {name: x, match: ['(']}\n")
    await assert.rejects(startStoker({ dir: other, config: 'logs: {signature_files: [bad.yaml]}' }), (error) => {
        assert.match(error.message, /bad\.yaml:3:\d+: signatures\[0\]\.match\[0\]: is no RE2 pattern/)
        return true
    })
})
