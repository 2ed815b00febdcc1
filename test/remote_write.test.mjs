// Debian's vmagent and Prometheus write into Stoker; Stoker writes into Debian's Prometheus, which goes away meanwhile.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { openSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { freePort, getJson, startStoker, stopAll, temporaryDirectory, until } from './lib/stoker.mjs'

const missing = ['prometheus', 'vmagent'].filter((program) => spawnSync(program, ['--version']).error)
const skip = missing.length > 0 ? `not installed: ${missing.join(', ')}` : false

const programs = new Set()
function launch(program, args) {
    const file = join(temporaryDirectory(), `${program}.log`)
    const log = openSync(file, 'a')
    const child = spawn(program, args, { stdio: ['ignore', log, log] })
    programs.add(child)
    child.ended = new Promise((done) => child.once('exit', done))
    child.log = () => readFileSync(file, 'utf8')
    child.end = async () => {
        child.kill('SIGKILL')
        await child.ended
        programs.delete(child)
    }
    return child
}

async function startPrometheus({ port, home = temporaryDirectory(), config = '', args = [] }) {
    writeFileSync(join(home, 'prometheus.yml'), config)
    const child = launch('prometheus', [`--config.file=${join(home, 'prometheus.yml')}`, `--storage.tsdb.path=${join(home, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`, ...args])
    child.url = `http://127.0.0.1:${port}`
    await until('Prometheus is ready', async () => (await fetch(`${child.url}/-/ready`)).ok, 30_000, 100)
    return child
}

// A page whose counter goes up with each scrape.
let page, scrapes = 0
function startPage() {
    const server = createServer((request, response) => {
        scrapes += 1
        response.end(`# TYPE test_scrapes_total counter\ntest_scrapes_total ${scrapes}\n# TYPE test_level gauge\n` +
            `test_level{kind="half"} 0.5\ntest_level{kind="müde \\"x\\""} NaN\n# TYPE test_seconds histogram\n` +
            `test_seconds_bucket{le="0.1"} ${scrapes}\ntest_seconds_bucket{le="+Inf"} ${2 * scrapes}\ntest_seconds_sum 3\ntest_seconds_count ${2 * scrapes}\n`)
    })
    return new Promise((done) => server.listen(0, '127.0.0.1', () => done(server)))
}

// All samples of the last five minutes: {"series": [[time, value], ...]}.
async function samples(base, selector, drop = []) {
    const answer = await getJson(`${base}/api/v1/query?query=${encodeURIComponent(`${selector}[5m]`)}`)
    assert.equal(answer.status, 'success', JSON.stringify(answer))
    const out = {}
    for (const { metric, values } of answer.data.result) {
        for (const label of drop) delete metric[label]
        out[JSON.stringify(Object.entries(metric).sort())] = values
    }
    return out
}

const scrapeConfig = (job) => `
scrape_configs:
  - job_name: ${job}
    scrape_interval: 1s
    scrape_timeout: 1s
    static_configs: [{targets: ["127.0.0.1:${page.address().port}"]}]
`

before(async () => {
    if (!skip) page = await startPage()
})
after(async () => {
    for (const child of programs) child.kill('SIGKILL')
    page?.close()
    page?.closeAllConnections?.()
    await stopAll()
})

test('vmagent writes into Stoker', { skip, timeout: 60_000 }, async () => {
    const stoker = await startStoker({ config: 'collect: {host: false}\n' })
    const home = temporaryDirectory()
    writeFileSync(join(home, 'scrape.yml'), scrapeConfig('vm'))
    const agent = launch('vmagent', [`-promscrape.config=${join(home, 'scrape.yml')}`, `-remoteWrite.url=${stoker.console}/api/v1/write`,
        `-remoteWrite.tmpDataPath=${join(home, 'queue')}`, '-remoteWrite.flushInterval=500ms', `-httpListenAddr=127.0.0.1:${await freePort()}`])
    const values = await until('Stoker has what vmagent scraped', async () => {
        const found = Object.values(await samples(stoker.console, 'test_scrapes_total{job="vm"}'))
        return found.length === 1 && found[0].length >= 4 && found[0].map(([, value]) => Number(value))
    }, 40_000, 250)
    for (let i = 1; i < values.length; ++i) assert.equal(values[i], values[i - 1] + 1, 'every scrape, in order')
    const level = await getJson(`${stoker.console}/api/v1/query?query=${encodeURIComponent('test_level{job="vm"}')}`)
    assert.deepEqual(level.data.result.map(({ metric, value }) => [metric.kind, value[1]]).sort(), [['half', '0.5'], ['müde "x"', 'NaN']].sort())
    const pace = await getJson(`${stoker.console}/api/v1/query?query=${encodeURIComponent('histogram_quantile(0.4, test_seconds_bucket{job="vm"})')}`)
    assert.equal(Number(pace.data.result[0].value[1]).toFixed(3), '0.080')
    assert.doesNotMatch(agent.log(), /unexpected status code/)
    await agent.end()
})

test('Prometheus writes into Stoker, Stoker into another one, and nothing is lost on the way', { skip, timeout: 180_000 }, async () => {
    const farPort = await freePort()
    const farHome = temporaryDirectory()
    const far = () => startPrometheus({ port: farPort, home: farHome, args: ['--web.enable-remote-write-receiver'] })
    let receiver = await far()
    const stoker = await startStoker({
        config: `collect: {host: false}\nremote_write:\n  - {name: far, url: "${receiver.url}/api/v1/write", labels: {via: stoker}}\n`,
    })
    const sender = await startPrometheus({
        port: await freePort(),
        config: `${scrapeConfig('chain')}
remote_write:
  - {url: "${stoker.console}/api/v1/write", queue_config: {batch_send_deadline: 500ms}, metadata_config: {send_interval: 1s}}
`,
    })
    const selector = 'test_scrapes_total{job="chain"}'
    const count = async (base) => Object.values(await samples(base, selector))[0]?.length ?? 0
    await until('samples arrive at the far end', async () => (await count(receiver.url)) >= 2, 60_000, 250)

    // The far end dies without a word, twice, for a while.
    for (let outage = 0; outage < 2; ++outage) {
        await receiver.end()
        const had = await count(stoker.console)
        await until('Stoker goes on taking samples', async () => (await count(stoker.console)) >= had + 5, 30_000, 250)
        receiver = await far()
        await until('the far end has caught up', async () => (await count(receiver.url)) >= had + 5, 60_000, 250)
    }

    await sender.end()
    await until('all three agree', async () => {
        const ours = await samples(stoker.console, selector)
        const theirs = await samples(receiver.url, selector, ['via'])
        assert.deepEqual(theirs, ours)
        return Object.keys(ours).length === 1
    }, 30_000, 250)
    const [series] = Object.values(await samples(receiver.url, `test_scrapes_total{job="chain",via="stoker"}`))
    const values = series.map(([, value]) => Number(value))
    for (let i = 1; i < values.length; ++i) assert.equal(values[i], values[i - 1] + 1, 'every scrape, in order')

    const metadata = await getJson(`${stoker.console}/api/v1/metadata?metric=test_scrapes_total`)
    assert.equal(metadata.data.test_scrapes_total?.[0].type, 'counter')
    const page = await (await fetch(`${stoker.console}/metrics`)).text()
    assert.match(page, /stoker_remote_write_lost_batches_total\{remote="far"\} 0\n/)
    assert.ok(await stoker.stop() < 5_000)
    await receiver.end()
})

test('what Stoker refuses, and how', { skip }, async () => {
    const stoker = await startStoker({ config: 'collect: {host: false}\n' })
    const write = (body, headers) => fetch(`${stoker.console}/api/v1/write`, { method: 'POST', body, headers })
    assert.equal((await write('x', { 'content-type': 'application/json' })).status, 415)
    assert.equal((await write('x', { 'content-type': 'application/x-protobuf', 'content-encoding': 'br' })).status, 415)
    assert.equal((await write('not snappy', { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' })).status, 400)
    // An empty message, in snappy: nothing to do, and said so.
    const empty = await write(new Uint8Array([0]), { 'content-type': 'application/x-protobuf;proto=io.prometheus.write.v2.Request', 'content-encoding': 'snappy' })
    assert.equal(empty.status, 204)
    assert.equal(empty.headers.get('x-prometheus-remote-write-samples-written'), '0')
})
