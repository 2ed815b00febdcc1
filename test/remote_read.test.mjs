// Debian's Prometheus, with nothing of its own, answers queries from Stoker by remote read.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { freePort, getJson, startStoker, stopAll, temporaryDirectory, until } from './lib/stoker.mjs'

const skip = spawnSync('prometheus', ['--version']).error ? 'prometheus is not installed' : false

let stoker, prometheus, theirs
before(async () => {
    if (skip) return
    stoker = await startStoker({ config: 'collect: {scrape_interval: 1s}\n' })
    const port = await freePort()
    const home = temporaryDirectory()
    writeFileSync(join(home, 'prometheus.yml'), `remote_read: [{url: "${stoker.console}/api/v1/read", read_recent: true}]\n`)
    const log = openSync(join(home, 'log'), 'a')
    prometheus = spawn('prometheus', [`--config.file=${join(home, 'prometheus.yml')}`, `--storage.tsdb.path=${join(home, 'data')}`, `--web.listen-address=127.0.0.1:${port}`], { stdio: ['ignore', log, log] })
    theirs = `http://127.0.0.1:${port}`
    await until('Prometheus is ready', async () => (await fetch(`${theirs}/-/ready`)).ok, 30_000, 100)
})
after(async () => {
    prometheus?.kill('SIGKILL')
    await stopAll()
})

async function ask(base, query, time) {
    const answer = await getJson(`${base}/api/v1/query?query=${encodeURIComponent(query)}&time=${time}`)
    assert.equal(answer.status, 'success', JSON.stringify(answer))
    const sorted = (result) => result.sort((a, b) => JSON.stringify(a.metric).localeCompare(JSON.stringify(b.metric)))
    return Array.isArray(answer.data.result) && answer.data.resultType !== 'scalar' ? sorted(answer.data.result) : answer.data.result
}

// Sums are added up in another order: equal to twelve digits is equal.
const rounded = (result) => JSON.parse(JSON.stringify(result), (key, value) =>
    typeof value === 'string' && /^-?[\d.]+(e[-+]\d+)?$/.test(value) ? Number(value).toPrecision(12) : value)

test('the same answers, sample by sample', { skip, timeout: 60_000 }, async () => {
    await until('Stoker has some samples', async () => {
        const found = await ask(stoker.console, 'node_load1[1m]', Date.now() / 1000)
        return found.length === 1 && found[0].values.length >= 4
    }, 30_000, 250)
    const now = Math.floor(Date.now() / 1000)
    for (const query of ['node_load1[1m]', 'node_load1', '{__name__=~"node_cpu_seconds_total",mode!="idle"}[1m]', 'no_such_series',
        'sum by (mode) (rate(node_cpu_seconds_total[1m]))', 'count({job="node"})', 'node_cpu_seconds_total offset 2s']) {
        const ours = await ask(stoker.console, query, now)
        const read = await ask(theirs, query, now)
        assert.deepEqual(rounded(read), rounded(ours), query)
    }
    assert.ok((await ask(theirs, 'count({job="node"})', now))[0].value[1] > 20)
})

test('labels and values are Stoker\'s', { skip, timeout: 60_000 }, async () => {
    const range = `start=${Math.floor(Date.now() / 1000) - 10}&end=${Math.floor(Date.now() / 1000)}&step=1`
    const ours = await getJson(`${stoker.console}/api/v1/query_range?query=node_load1&${range}`)
    const read = await getJson(`${theirs}/api/v1/query_range?query=node_load1&${range}`)
    assert.deepEqual(read.data.result, ours.data.result)
})
