// One view over several Stokers: queries are evaluated over the series of all, and say who is missing.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { startStoker, stopAll, temporaryDirectory, until } from './lib/stoker.mjs'

let east, west, north, hung

const quiet = 'collect: {host: false, discovery: {enabled: false}}\n'
const weigh = (stoker, items) => fetch(`${stoker.console}/api/v1/metrics/batch`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(items) })

async function ask(query, path = 'query', params = {}) {
    const response = await fetch(`${east.console}/federation/api/v1/${path}`, { method: 'POST', body: new URLSearchParams({ query, ...params }) })
    return { code: response.status, ...(await response.json()) }
}
const values = (answer) => Object.fromEntries(answer.data.result.map((one) => [one.metric.stoker ?? '', one.value[1]]))

before(async () => {
    hung = createServer(() => {})
    await new Promise((done) => hung.listen(0, '127.0.0.1', done))
    const rules = join(temporaryDirectory(), 'rules.yaml')
    writeFileSync(rules, 'groups: [{name: g, interval: 1s, rules: [{alert: Always, expr: "vector(1)", labels: {severity: info}}]}]\n')
    west = await startStoker({ config: `${quiet}rules: {files: ["${rules}"]}\n` })
    north = await startStoker({ config: `collect: {host: false, discovery: {enabled: false}, scrape_interval: 1s, scrape_timeout: 1s, scrape_configs: [{job_name: stokers, static_configs: [{targets: ["${new URL(west.console).host}"]}]}]}\n` })
    east = await startStoker({
        config: `${quiet}federation:
  name: east
  timeout: 1s
  peers:
    - {name: west, url: "${west.console}"}
    - {name: north, url: "${north.console}"}
    - {name: hung, url: "http://127.0.0.1:${hung.address().port}"}
`,
    })
    let weight = 1
    for (const stoker of [east, west, north]) {
        assert.equal((await weigh(stoker, [{ host: 'a', box_weight: weight }, { host: 'b', box_weight: 10 * weight }])).status, 200)
        weight *= 2
    }
})
after(async () => {
    hung.close()
    hung.closeAllConnections()
    await stopAll()
})

test('series of all are evaluated together, each under its name', { timeout: 30_000 }, async () => {
    const answer = await ask('sum by (stoker) (box_weight{stoker!="hung"})')
    assert.deepEqual(values(answer), { east: '11', west: '22', north: '44' })
    assert.equal(answer.warnings, undefined)
    assert.deepEqual(values(await ask('sum(box_weight{stoker!="hung"})')), { '': '77' })
    assert.deepEqual(values(await ask('box_weight{stoker=~"w.*",host="b"}')), { west: '20' })
})

test('targets and alerts of all are lists by query', { timeout: 30_000 }, async () => {
    await until('the alert fires', async () => (await ask('ALERTS{alertstate="firing",stoker!="hung"}')).data.result.map((one) => `${one.metric.stoker} ${one.metric.alertname}`).join() === 'west Always', 20_000, 200)
    await until('targets are told with whose they are', async () => (await ask('up{stoker!="hung"}')).data.result.map((one) => `${one.metric.stoker} ${one.metric.job} ${one.value[1]}`).join() === 'north stokers 1', 20_000, 200)
})

test('a range is evaluated over all', { timeout: 30_000 }, async () => {
    const now = Date.now() / 1000
    const answer = await ask('sum(max_over_time(box_weight{stoker!="hung"}[2m]))', 'query_range', { start: now - 30, end: now, step: '10' })
    assert.equal(answer.data.result[0].values.at(-1)[1], '77')
})

test('who does not answer in time is left out, and said', { timeout: 30_000 }, async () => {
    const began = Date.now()
    const answer = await ask('sum(box_weight)')
    assert.ok(Date.now() - began < 10_000)
    assert.deepEqual(values(answer), { '': '77' })
    assert.equal(answer.warnings.length, 1)
    assert.match(answer.warnings[0], /partial result: nothing of hung is in it/)
    await north.kill()
    const less = await ask('sum(box_weight{stoker!="hung"})')
    assert.deepEqual(values(less), { '': '33' })
    assert.match(less.warnings[0], /nothing of north is in it/)
})

test('mistakes are answered as Prometheus does, and own data is not held up', { timeout: 30_000 }, async () => {
    const wrong = await ask('sum(')
    assert.deepEqual([wrong.code, wrong.errorType], [400, 'bad_data'])
    const own = await (await fetch(`${east.console}/api/v1/query?query=sum(box_weight)`)).json()
    assert.equal(own.data.result[0].value[1], '11')
    await until('Stoker stops', async () => (await east.stop()) < 5_000)
})
