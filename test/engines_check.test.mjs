// Engines read by their adapters: `stoker engines check` on every dialect, on sick pages and on the real llama.cpp server,
// and the same inspection on live scrapes.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { freePort, getJson, root, run, startSim, startStoker, stopAll, temporaryDirectory, until } from './lib/stoker.mjs'

const dialects = ['vllm', 'sglang', 'tgi', 'tensorrt-llm', 'triton', 'lmdeploy', 'llama.cpp', 'ollama', 'ray-serve-llm']
const withoutTokens = ['triton', 'ollama']  // Which do not count them.
const sims = {}

const ask = (url) =>
    fetch(`${url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify({ model: 'sim', max_tokens: 8, messages: [{ role: 'user', content: 'go' }] }) })

const check = async (url, ...args) => {
    const { code, stdout, stderr } = await run('engines', 'check', url, '--json', '--interval', '50ms', ...args)
    return { code, stderr, ...(stdout ? JSON.parse(stdout) : {}) }
}
const found = (report) => report.findings.map((each) => each.finding)
// Without notes on what is known of a version.
const wrong = (report) => report.findings.filter((each) => each.severity !== 'note').map((each) => each.finding)
const value = (report, name) => report.recognised.find((each) => each.name === name)?.value

before(async () => {
    await Promise.all(dialects.map(async (dialect) => (sims[dialect] = await startSim({ dialect }))))
})
after(stopAll)

for (const dialect of dialects) {
    test(`${dialect} is recognised, and its numbers are true`, { timeout: 60_000 }, async () => {
        await ask(sims[dialect].url)
        const report = await check(sims[dialect].url, '--looks', '2', '--ask')
        assert.equal(report.code, 0, JSON.stringify(report.findings))
        assert.equal(report.kind, dialect)
        assert.deepEqual(report.models, ['sim'])
        assert.ok(report.good)
        if (dialect === 'ollama') {
            assert.equal(value(report, 'llm_engine_models_loaded'), '1')
            assert.equal(report.quantization, 'Q4_K_M')
        } else {
            assert.equal(value(report, 'llm_engine_requests_running'), '0')
        }
        if (!withoutTokens.includes(dialect)) {
            // Two requests of 8 and 16 tokens; ranks that repeat each other are not added up.
            assert.equal(value(report, 'llm_engine_generation_tokens_total'), '24')
        }
        for (const missing of report.missing) assert.ok(missing.why, JSON.stringify(missing))
    })
}

const sicknesses = [
    ['json', 'json_page'],
    ['missing', 'no_metrics'],
    ['percent', 'share_out_of_range'],
    ['falling', 'counter_fell'],
    ['duplicate', 'duplicate_ranks'],
    ['zero', 'constant_zero'],
]
for (const [how, finding] of sicknesses) {
    test(`a page that is ${how} is found out: ${finding}`, { timeout: 60_000 }, async () => {
        const sim = sims.vllm
        await ask(sim.url)
        // Work that goes on during the looks, for what shows only then.
        const busy = new AbortController()
        const running = fetch(`${sim.url}/v1/chat/completions`, {
            method: 'POST',
            signal: busy.signal,
            body: JSON.stringify({ model: 'sim', max_tokens: 1800, ignore_eos: true, stream: true, messages: [{ role: 'user', content: 'go' }] }),
        }).catch(() => null)
        await until('it works', async () => /num_requests_running\{[^}]*\} 1/.test(await (await fetch(`${sim.url}/metrics`)).text()))
        await sim.fault({ kind: 'bad_metrics', how })
        const report = await check(sim.url, '--looks', '6')
        busy.abort()
        await running
        await sim.clearFaults()
        assert.equal(report.code, 1)
        assert.ok(found(report).includes(finding), JSON.stringify(report.findings))
        for (const each of report.findings) assert.ok(each.text && each.fix, JSON.stringify(each))
    })
}

test('a frozen page is found out by a request of our own', { timeout: 60_000 }, async () => {
    await sims.sglang.fault({ kind: 'bad_metrics', how: 'frozen' })
    const report = await check(sims.sglang.url, '--looks', '1', '--ask')
    await sims.sglang.clearFaults()
    assert.equal(report.code, 1)
    assert.deepEqual([...new Set(wrong(report))], ['count_disagrees'])
})

test('what is no engine, and what is nobody', { timeout: 30_000 }, async () => {
    const nobody = await run('engines', 'check', `http://127.0.0.1:${await freePort()}`)
    assert.equal(nobody.code, 1)
    assert.match(nobody.stderr, /nobody answers at/)
    const text = await run('engines', 'check', sims.tgi.url, '--looks', '1')
    assert.equal(text.code, 0)
    assert.match(text.stdout, /Text Generation Inference 3\.3\.4, serves sim/)
    assert.match(text.stdout, /llm_engine_time_to_first_token_seconds: TGI does not measure it\./)
    assert.match(text.stdout, /Nothing looks wrong\./)
})

test('adapters of one\'s own: taken, or refused with file, line and key', { timeout: 30_000 }, async () => {
    const dir = temporaryDirectory()
    const file = join(dir, 'own.yaml')
    writeFileSync(file, 'format: 1\nname: own\nextends: vllm\nports: [9123]\n')
    const good = await run('engines', 'list', '--adapter', file, '--json')
    assert.equal(good.code, 0, good.stderr)
    assert.deepEqual(JSON.parse(good.stdout).engines.find((each) => each.kind === 'own').ports, [9123])
    writeFileSync(file, 'format: 1\nname: own\nmetrics:\n  - {name: llm_engine_nothing, from: [a]}\n')
    const config = join(dir, 'c.yaml')
    writeFileSync(config, 'collect: {engines: {adapters: [own.yaml]}}\n')
    const bad = await run('config', 'check', config)
    assert.equal(bad.code, 1)
    assert.match(bad.stderr, /own\.yaml:4:\d+: metrics\[0\]\.name: there is no canonical metric/)
})

test('live scrapes are inspected: API and metrics', { timeout: 60_000 }, async () => {
    const replicas = ['sglang', 'lmdeploy', 'tensorrt-llm'].map((dialect) => `{url: ${sims[dialect].url}, model: sim}`).join(', ')
    const stoker = await startStoker({ config: `pools: [{name: chat, models: [chat], replicas: [${replicas}]}]\ncollect: {host: false, scrape_interval: 200ms}\n` })
    const engine = async (kind) => (await getJson(`${stoker.console}/api/v1/engines`)).engines.find((each) => each.kind === kind)
    for (const kind of ['sglang', 'lmdeploy', 'tensorrt-llm']) await until(`${kind} is scraped`, async () => (await engine(kind))?.scrape?.ok)
    assert.deepEqual(wrong(await engine('lmdeploy')), [])
    await sims.lmdeploy.fault({ kind: 'bad_metrics', how: 'percent' })
    await ask(sims.lmdeploy.url)
    await sims['tensorrt-llm'].fault({ kind: 'bad_metrics', how: 'json' })
    const json = await until('JSON is found', async () => (await engine('tensorrt-llm')).findings.find((each) => each.finding === 'json_page'))
    assert.match(json.fix, /\/prometheus\/metrics/)
    const metric = async () =>
        (await getJson(`${stoker.console}/api/v1/query?query=${encodeURIComponent('stoker_engine_finding{finding="json_page"}')}`)).data.result
    const series = await until('the finding is a metric', async () => (await metric())[0])
    assert.equal(series.metric.engine, 'tensorrt-llm')
    assert.equal(series.metric.severity, 'error')
    await sims['tensorrt-llm'].clearFaults()
    await until('it is over', async () => wrong(await engine('tensorrt-llm')).length === 0 && (await metric()).length === 0)
    await sims.lmdeploy.clearFaults()
    await stoker.stop()
})

const command = process.env.STOKER_REAL_ENGINE ?? join(root, '../shared/engine/real-engine')
function missing() {
    if (!existsSync(command)) return `no real engine: ${command} does not exist`
    const [server, model] = execFileSync(command, ['path'], { encoding: 'utf8' }).trim().split(' ')
    return existsSync(server) && existsSync(model) ? false : `no real engine: \`${command} build\` has not been run`
}

test('the real llama.cpp server', { skip: missing(), timeout: 120_000 }, async () => {
    const port = await freePort()
    const server = spawn(command, ['run', `${port}`], { stdio: 'ignore' })
    try {
        const url = `http://127.0.0.1:${port}`
        await until('it is up', async () => (await fetch(`${url}/health`)).ok, 60_000, 250)
        const report = await check(url, '--looks', '2', '--ask')
        assert.equal(report.kind, 'llama.cpp')
        assert.equal(report.code, 0, JSON.stringify(report.findings))
        assert.ok(report.context_length > 0)
        assert.equal(value(report, 'llm_engine_generation_tokens_total'), '16')
        // The same request once more comes from the cache, and is counted all the same.
        const again = await check(url, '--looks', '1', '--ask')
        assert.equal(again.code, 0, JSON.stringify(again.findings))
        assert.ok(Number(value(again, 'llm_engine_prefix_cache_hit_tokens_total')) > 0)
    } finally {
        server.kill('SIGKILL')
    }
})
