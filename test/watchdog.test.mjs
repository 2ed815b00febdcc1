// An engine that hangs while its /health is 200 and nobody streams: its own counters give it away.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { getJson, startSim, startStoker, stopAll, until } from './lib/stoker.mjs'

let engines, stoker

before(async () => {
    engines = [await startSim({ profile: 'h100-8b' }), await startSim({ profile: 'h100-8b' })]
    stoker = await startStoker({
        config: `
pools:
  - name: chat
    models: [chat]
    replicas: [{url: ${engines[0].url}, model: sim}, {url: ${engines[1].url}, model: sim}]
    health: {interval: 200ms, stall_after: 2s, silent_after: 4s}
    balance: {policy: round_robin}
collect: {scrape_interval: 1s, host: false}
`,
    })
})
after(stopAll)

const replica = async () => (await getJson(`${stoker.console}/api/v1/replicas`)).replicas[0]

function ask() {
    const body = JSON.stringify({ model: 'chat', max_tokens: 20, messages: [{ role: 'user', content: 'go' }] })
    return fetch(`${stoker.gateway}/v1/chat/completions`, { method: 'POST', body }).then(async (response) => ({ status: response.status, body: await response.json() }))
}

test('whole answers that never come, and counters that stand still, are a hung engine', { timeout: 90_000 }, async () => {
    assert.equal((await ask()).status, 200)
    await until('it is healthy', async () => (await replica()).health.ok)
    await engines[0].fault({ kind: 'hang' })
    const answers = Array.from({ length: 6 }, ask)
    await until('it is found hung', async () => (await replica()).state === 'hung', 45_000)
    const hung = await replica()
    assert.ok(hung.health.ok, 'its /health was not 200')
    assert.match(hung.reason, /nothing comes out/)
    assert.match(stoker.log(), /counters of tokens have stood still/)
    // What it had was taken from it and answered by the other one.
    for (const answer of await Promise.all(answers)) assert.equal(answer.status, 200, JSON.stringify(answer))
    await engines[0].clearFaults()
    await until('it is back after it has answered', async () => (await replica()).state === 'serving', 30_000)
})
