// A real Prometheus scrapes Stoker's /federate and has its series, labels as they were.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { freePort, getJson, startSim, startStoker, stopAll, temporaryDirectory, until } from './lib/stoker.mjs'

const skip = spawnSync('prometheus', ['--version']).error ? 'prometheus is not installed' : false

let stoker, prometheus, theirs
before(async () => {
    if (skip) return
    const sim = await startSim({ model: 'm' })
    stoker = await startStoker({ config: `pools:\n  - {name: chat, models: [m], replicas: [{url: "${sim.url}"}]}\ncollect: {scrape_interval: 1s}\n` })
    const port = await freePort()
    const home = temporaryDirectory()
    writeFileSync(join(home, 'prometheus.yml'), `
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: federate
    honor_labels: true
    metrics_path: /federate
    params: {'match[]': ['{job="engine"}', 'node_load1', 'no_such_series']}
    static_configs: [{targets: ["${new URL(stoker.console).host}"]}]
`)
    const log = openSync(join(home, 'log'), 'a')
    prometheus = spawn('prometheus', [`--config.file=${join(home, 'prometheus.yml')}`, `--storage.tsdb.path=${join(home, 'data')}`, `--web.listen-address=127.0.0.1:${port}`], { stdio: ['ignore', log, log] })
    theirs = `http://127.0.0.1:${port}`
})
after(async () => {
    prometheus?.kill('SIGKILL')
    await stopAll()
})

const ask = async (base, query, time) => (await getJson(`${base}/api/v1/query?query=${encodeURIComponent(query)}${time ? `&time=${time}` : ''}`)).data.result

test('the series are there with their labels, values and times', { skip, timeout: 60_000 }, async () => {
    const query = 'llm_engine_requests_running{job="engine"}'
    const found = await until('Prometheus has the series', async () => {
        const result = await ask(theirs, `${query}[1m]`)
        return result.length > 0 && result
    }, 40_000, 250)
    const ours = await ask(stoker.console, `${query}[1m]`)
    assert.deepEqual(found.map((series) => series.metric), ours.map((series) => series.metric))
    // Every sample that was taken over is one that Stoker has, to the millisecond.
    const known = new Map(ours[0].values)
    for (const [time, value] of found[0].values.slice(1)) assert.equal(known.get(time), value, `at ${time}`)
    assert.equal((await ask(theirs, 'node_load1'))[0].metric.job, 'node')
    assert.equal((await ask(theirs, 'no_such_series')).length, 0)
    // The scrape itself was good.
    assert.deepEqual((await ask(theirs, 'up{job="federate"}')).map((series) => series.value[1]), ['1'])
})

test('selectors, and what is wrong with them', { skip }, async () => {
    const text = await fetch(`${stoker.console}/federate?match[]=up`)
    assert.match(text.headers.get('content-type'), /^text\/plain; version=0\.0\.4; charset=utf-8/)
    assert.match(await text.text(), /^# TYPE up untyped\nup\{.*instance="127\.0\.0\.1:\d+".*\} 1 \d{13}\n/)
    assert.equal((await fetch(`${stoker.console}/federate?match[]=x(`)).status, 400)
    assert.equal(await (await fetch(`${stoker.console}/federate`)).text(), '')
    const checked = spawnSync('promtool', ['check', 'metrics'], { input: await (await fetch(`${stoker.console}/federate?match[]=up&match[]=node_load1`)).text(), encoding: 'utf8' })
    assert.doesNotMatch(checked.stderr, /error while linting|parse/i)
})
