// Prometheus' own tool against Stoker: its query API, its exposition, and the rules it ships.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { root, startSim, startStoker, stopAll, until } from './lib/stoker.mjs'

const promtool = (args, input) => spawnSync('promtool', args, { input, encoding: 'utf8', timeout: 20_000 })
const skip = promtool(['--version']).error ? 'promtool is not installed' : false

let stoker
before(async () => {
    if (skip) return
    const sim = await startSim({ model: 'm' })
    stoker = await startStoker({ config: `pools:\n  - {name: chat, models: [m], replicas: [{url: "${sim.url}"}]}\ncollect: {scrape_interval: 1s}\n` })
})
after(stopAll)

test('queries of every kind', { skip }, async () => {
    await until('the engine was scraped', () => / => 1 @/.test(promtool(['query', 'instant', stoker.console, 'up']).stdout), 15_000, 250)
    const range = promtool(['query', 'range', '--step=1s', stoker.console, 'sum(rate(node_cpu_seconds_total[30s]))'])
    assert.equal(range.status, 0, range.stderr)
    const series = promtool(['query', 'series', '--match=llm_engine_requests_running', stoker.console])
    assert.match(series.stdout, /__name__="llm_engine_requests_running"/, series.stderr)
    const labels = promtool(['query', 'labels', stoker.console, 'replica'])
    assert.match(labels.stdout, /chat\/127\.0\.0\.1:/, labels.stderr)
    const wrong = promtool(['query', 'instant', stoker.console, 'sum('])
    assert.notEqual(wrong.status, 0)
    assert.match(wrong.stderr + wrong.stdout, /parse error/)
})

test('answers as JSON, ranges in time, selectors for labels', { skip }, async () => {
    const instant = JSON.parse(promtool(['query', 'instant', '-o', 'json', stoker.console, 'count(up)']).stdout)
    assert.equal(instant[0].value[1], '1')
    const end = Math.floor(Date.now() / 1000)
    const range = JSON.parse(promtool(['query', 'range', '-o', 'json', `--start=${end - 4}`, `--end=${end}`, '--step=2s', stoker.console, 'vector(7)']).stdout)
    assert.deepEqual(range[0].values.map(([, value]) => value), ['7', '7', '7'])
    // The first samples may be younger than the second in which this began, and the host's come when they come.
    const series = () => promtool(['query', 'series', '--match=up', '--match=node_load1', `--start=${end - 60}`, `--end=${end + 60}`, stoker.console])
    await until('both are listed, in order', () => /__name__="node_load1"[^]*__name__="up"/.test(series().stdout), 15_000, 250)
    const labels = promtool(['query', 'labels', '--match=up', stoker.console, 'job'])
    assert.equal(labels.stdout.trim(), 'engine', labels.stderr)
})

test('the exposition of Stoker itself has no lint', { skip }, async () => {
    const text = await (await fetch(`${stoker.console}/metrics`)).text()
    const checked = promtool(['check', 'metrics'], text)
    assert.equal(checked.status, 0, checked.stdout + checked.stderr)
})

test('the shipped rules are good Prometheus rules', { skip }, () => {
    for (const file of ['llm', 'gpu', 'collection']) {
        const checked = promtool(['check', 'rules', join(root, `config/rules/${file}.yaml`)])
        assert.equal(checked.status, 0, checked.stdout + checked.stderr)
    }
})
