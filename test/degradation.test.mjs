// Degradation: conditions over real metrics raise and clear the level, people pin it, and clients see what was cut.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { streamChat } from './lib/client.mjs'
import { getJson, run, startSim, startStoker, stopAll, until } from './lib/stoker.mjs'

let stoker, sim

const config = () => `
pools:
  - name: chat
    models: [sim]
    replicas: [{url: ${sim.url}}]
collect: {scrape_interval: 250ms, host: false}
degradation:
  enabled: true
  interval: 250ms
  raise_after: 500ms
  clear_after: 1s
  conditions:
    - {name: active, query: 'sum by (pool) (llm_active_requests{model="sim"})', light: 3}
  light: {drop: [logprobs], max_tokens: 5}
  emergency: {refuse: all}
`

before(async () => {
    sim = await startSim({ profile: 'l4-7b' })
    stoker = await startStoker({ config: config() })
})
after(stopAll)

const status = () => getJson(`${stoker.console}/api/v1/degradation`)
const level = async (pool = 'chat') => (await status()).scopes.find((scope) => scope.pool === pool)?.name ?? 'normal'
const ask = (body = {}) =>
    fetch(`${stoker.gateway}/v1/chat/completions`, {
        method: 'POST',
        body: JSON.stringify({ model: 'sim', max_tokens: 20, messages: [{ role: 'user', content: 'hello' }], ...body }),
    })
const command = async (...args) => {
    const done = await run('degradation', '--server', stoker.console, ...args)
    assert.equal(done.code, 0, done.stderr)
    return done.stdout
}

test('load raises the level of its pool, answers get shorter and say so, and the level clears by itself', async () => {
    const before = await ask()
    assert.equal(before.headers.get('x-stoker-degradation'), null)
    assert.equal((await before.json()).usage.completion_tokens, 20)

    const streams = Array.from({ length: 4 }, () =>
        streamChat(stoker.gateway, { model: 'sim', max_tokens: 400, messages: [{ role: 'user', content: 'long' }] }),
    )
    await until('the level is light', async () => (await level()) === 'light', 15_000)
    const { scopes, conditions } = await status()
    assert.match(scopes.find((scope) => scope.pool === 'chat').why, /^active is \d/)
    assert.equal(conditions[0].name, 'light')
    const cut = await ask({ logprobs: true })
    assert.equal(cut.headers.get('x-stoker-degradation'), '1')
    assert.equal((await cut.json()).usage.completion_tokens, 5)
    assert.deepEqual((await getJson(`${stoker.console}/api/v1/overview`)).degraded.map((entry) => entry.name), ['light'])

    await Promise.all(streams)
    await until('the level is normal again', async () => (await level()) === 'normal', 15_000)
    assert.equal((await (await ask()).json()).usage.completion_tokens, 20)
    const metrics = await (await fetch(`${stoker.console}/metrics`)).text()
    assert.match(metrics, /stoker_degraded_requests_total\{level="light",action="max_tokens"\} 1/)
})

test('a pinned level refuses with a Retry-After, survives a restart, and is taken back', async () => {
    assert.match(await command('--pin', 'emergency', '--pool', 'chat', '--reason', 'drill'), /chat +emergency .*pinned by command line: drill/)
    const refused = await ask()
    assert.equal(refused.status, 503)
    assert.ok(Number(refused.headers.get('retry-after')) > 0)
    assert.equal((await refused.json()).error.code, 'service_degraded')

    await stoker.kill()
    stoker = await startStoker({ config: config(), dir: stoker.dir })
    assert.equal(await level(), 'emergency')
    assert.equal((await ask()).status, 503)

    await command('--release', '--pool', 'chat')
    assert.equal((await ask()).status, 200)
    const twice = await run('degradation', '--server', stoker.console, '--release', '--pool', 'chat')
    assert.equal(twice.code, 1)
    assert.match(twice.stderr, /pool chat is not pinned/)
})

test('a pin ends by itself, and a bad one is refused', async () => {
    await command('--pin', '4', '--for', '1s')
    assert.equal((await ask()).status, 503)
    await until('requests are served again', async () => (await ask()).status === 200, 5_000)
    const bad = await run('degradation', '--server', stoker.console, '--pin', 'sometimes')
    assert.equal(bad.code, 1)
    assert.match(bad.stderr, /level must be normal, light, medium, heavy, emergency, or 0 to 4/)
})
