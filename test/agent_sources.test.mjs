// What the node agent reads beside the machine (GPUs, log files), how finely, what it does about it, and OTLP.
import assert from 'node:assert/strict'
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { samples, startAgent, stopAgents } from './lib/agent.mjs'
import { binary, getJson, run, startStoker, stopAll, temporaryDirectory, until } from './lib/stoker.mjs'

const library = join(dirname(binary), 'libfake_nvml.so')
const xid = 'NVRM: Xid (PCI:0000:3b:00): 79, GPU has fallen off the bus.\n'
let stoker

before(async () => (stoker = await startStoker()))
after(async () => {
    stopAgents()
    await stopAll()
})

const destination = () => `destinations: [{name: main, url: "${stoker.console}/api/v1/write"}]\n`
const value = async (query) => {
    const answer = await getJson(`${stoker.console}/api/v1/query?query=${encodeURIComponent(query)}`)
    return answer.data.result.length === 0 ? null : Number(answer.data.result[0].value[1])
}

test('GPUs and failures in log files, and a rule that acts on them', { timeout: 60_000 }, async () => {
    assert.ok(existsSync(library), `${library} is not built: ninja fake_nvml`)
    const dir = temporaryDirectory()
    const [state, log, acted] = [join(dir, 'gpus'), join(dir, 'engine.log'), join(dir, 'acted')]
    writeFileSync(state, 'gpus=1\npower=345.5\n')
    writeFileSync(log, 'INFO begins\n')
    const agent = startAgent(
        `labels: {turn: gpu}\n${destination()}gpu: {library: ${library}}
logs: {files: [{paths: [engine.log], service: vllm}]}
rules:
- name: gpu-lost
  expr: time() - stoker_log_signature_last_seen_timestamp_seconds{signature="gpu_xid"} < 60
  run: [/bin/sh, -c, 'echo "$STOKER_RULE $STOKER_STATUS $STOKER_LABELS" >> ${acted}']
`,
        { dir, env: { STOKER_FAKE_NVML: state } },
    )
    await until('the GPU is there', async () => (await value('gpu_power_watts{turn="gpu",instance="node-7"}')) === 345.5, 20_000)
    await until('the log is followed', async () => (await samples(stoker.console, 'stoker_source_last_success_timestamp_seconds{source="logs",turn="gpu"}')).length > 0, 20_000)
    assert.equal(await value('stoker_log_signature_total{turn="gpu"}'), null)
    appendFileSync(log, `${xid}INFO goes on\n`)
    await until('the failure is counted', async () => (await value('stoker_log_signature_total{turn="gpu",instance="node-7",signature="gpu_xid",service="vllm"}')) === 1, 20_000)
    await until('the rule acts', () => existsSync(acted), 20_000)
    assert.match(readFileSync(acted, 'utf8'), /^gpu-lost firing .*gpu_xid/)
    assert.deepEqual(await agent.end(), { code: 0, signal: null })
})

test('lines of log go to a receiver of OTLP, and wait in the file while it is away', { timeout: 60_000 }, async (t) => {
    let away = true
    const bodies = []
    const receiver = createServer((request, response) => {
        const parts = []
        request.on('data', (part) => parts.push(part))
        request.on('end', () => {
            assert.equal(request.url, '/v1/logs')
            if (away) return response.writeHead(503).end()
            const message = JSON.parse(gunzipSync(Buffer.concat(parts)).toString())
            for (const resource of message.resourceLogs) {
                for (const scope of resource.scopeLogs) bodies.push(...scope.logRecords.map((one) => ({ text: one.body.stringValue, resource: resource.resource.attributes })))
            }
            response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
        })
    })
    await new Promise((done) => receiver.listen(0, '127.0.0.1', done))
    t.after(() => receiver.close())
    const dir = temporaryDirectory()
    const log = join(dir, 'engine.log')
    writeFileSync(log, 'INFO one\n')
    const config = `labels: {turn: lines}\n${destination()}logs: {files: [{paths: [engine.log], from: beginning}], send: {url: "http://127.0.0.1:${receiver.address().port}/v1/logs"}}\n`
    let agent = startAgent(config, { dir })
    await until('it is refused', async () => (await value('stoker_agent_log_lines_total{turn="lines",result="put off"}')) > 0, 20_000)
    await agent.end('SIGKILL')
    appendFileSync(log, `INFO two\n${xid}INFO three\n`)
    away = false
    agent = startAgent(config, { dir })
    await until('all have come', () => bodies.length >= 4, 20_000)
    assert.deepEqual(bodies.map((one) => one.text), ['INFO one', 'INFO two', xid.trim(), 'INFO three'])
    assert.deepEqual(bodies[0].resource.map((one) => one.value.stringValue), ['node-7', 'engine'])
    // Whoever takes the lines counts the failures in them.
    assert.equal(await value('stoker_log_signature_total{turn="lines"}'), null)
    await agent.end()
})

test('Stoker takes lines of log from an agent with a token, and counts the failures in them', { timeout: 60_000 }, async () => {
    const strict = await startStoker({ config: 'ingest: {require_token: true}\n' })
    const dir = temporaryDirectory()
    writeFileSync(join(dir, 'engine.log'), `INFO begins\n${xid}INFO goes on\n`)
    const agent = startAgent(
        `destinations: [{name: main, url: "${strict.console}/api/v1/write", token_file: token}]
logs: {files: [{paths: [engine.log], service: vllm, from: beginning}], send: {url: "${strict.console}/v1/logs", token_file: token}}
`,
        { dir },
    )
    const search = () => getJson(`${strict.console}/api/v1/logs?service=vllm`)
    writeFileSync(join(dir, 'token'), (await run('agents', 'token', 'create', '--name', 'rack-12', '--server', strict.console)).stdout)
    await until('the lines are there', async () => (await search()).logs.length === 3, 20_000)
    const found = (await search()).logs.find((line) => line.signature !== '')
    assert.equal(found.signature, 'gpu_xid')
    assert.equal(found.body, xid.trim())
    assert.equal(found.resource['host.name'], 'node-7')
    await agent.end()
})

test('rounds are left out when all is quiet, until something happens', { timeout: 90_000 }, async () => {
    const dir = temporaryDirectory()
    const log = join(dir, 'engine.log')
    writeFileSync(log, '')
    const agent = startAgent(
        `${destination()}labels: {turn: quiet}
logs: {files: [{paths: [engine.log]}]}
adaptive:
  enabled: true
  quiet_interval: 3s
  linger: 1s
  when: ['time() - stoker_log_signature_last_seen_timestamp_seconds < 15']
`,
        { dir },
    )
    const series = 'node_load1{turn="quiet"}'
    const gaps = async () => {
        const times = (await samples(stoker.console, series)).map(([time]) => time)
        return times.slice(1).map((time, i) => time - times[i])
    }
    await until('all is quiet', async () => (await gaps()).slice(-2).filter((gap) => gap > 2.9).length === 2, 30_000)
    assert.ok((await value('stoker_agent_left_out_samples_total{turn="quiet"}')) > 0)
    appendFileSync(log, `${xid}INFO goes on\n`)
    await until('every round is kept', async () => (await gaps()).slice(-5).every((gap) => gap < 1.5), 30_000)
    await agent.end()
})

test('samples by OTLP', { timeout: 60_000 }, async () => {
    const agent = startAgent(`labels: {turn: otlp}\ndestinations: [{name: main, url: "${stoker.console}/v1/metrics", protocol: otlp}]\n`)
    await until('samples arrive', async () => (await samples(stoker.console, 'node_load1{turn="otlp",instance="node-7",job="node"}')).length > 3, 20_000)
    await until('counters are counters', async () => (await value('count(node_cpu_seconds_total{turn="otlp"})')) > 3, 20_000)
    const metadata = await getJson(`${stoker.console}/api/v1/metadata?metric=node_load1`)
    assert.equal(metadata.data.node_load1[0].type, 'gauge')
    assert.equal(agent.status().senders[0].refused_samples, 0)
    await agent.end()
})
