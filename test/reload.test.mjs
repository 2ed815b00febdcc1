// The configuration changes while requests flow: none of them notices.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { streamChat } from './lib/client.mjs'
import { startSim, startStoker, stopAll, until } from './lib/stoker.mjs'

let engines, stoker

const keys = { stays: 'reload-key-that-stays', goes: 'reload-key-that-goes' }
const sha256 = (text) => createHash('sha256').update(text).digest('hex')
const policies = ['score', 'round_robin', 'least_requests', 'least_tokens', 'peak_ewma', 'session', 'bounded_hash', 'prefix']

// Everything that a reload takes over differs from one turn to the next; the second replica comes and goes.
const config = ({ turn = 0, replicas = engines, without = [], model = 'chat' } = {}) => `
auth:
  required: true
  tenants: [{name: acme, priority: ${turn % 2 ? 'high' : 'normal'}}]
  keys:
${Object.entries(keys).filter(([name]) => !without.includes(name)).map(([name, key]) => `    - {id: ${name}, tenant: acme, sha256: ${sha256(key)}, metadata: {turn: "${turn}"}}`).join('\n')}
limits:
  tenants: [{name: acme, requests_per_minute: ${100_000 + turn}, concurrent_requests: ${1000 + turn}}]
routing:
  aliases: [{name: story, to: ${model}}${turn % 2 ? `, {name: other, to: ${model}}` : ''}]
pools:
  - name: ${model}
    models: [${model}]
    replicas: [${replicas.filter((_, at) => turn % 3 !== 2 || at === 0).map((engine) => `{url: ${engine.url}, model: sim}`).join(', ')}]
    balance: {policy: ${policies[turn % policies.length]}}
    deadlines: {first_byte: ${10 + turn % 2}s, between: ${8 + turn % 2}s}
    ${turn % 2 ? `admission: {concurrency: ${500 + turn}}` : ''}
cache:
  rules: [{models: [${model}], ttl: ${60 + turn}s}]
${turn % 2 ? `tracing: {endpoint: 'http://127.0.0.1:9/v1/traces', sample: 0.${turn}}` : ''}
log: {level: ${turn % 2 ? 'debug' : 'info'}}
collect: {host: false}
`

before(async () => {
    engines = [await startSim({ profile: 'l4-7b' }), await startSim({ profile: 'l4-7b' })]
    stoker = await startStoker({ config: config() })
})
after(stopAll)

async function reload(text) {
    writeFileSync(stoker.configFile, text)
    const answer = await fetch(`${stoker.console}/api/v1/config/reload`, { method: 'POST' })
    return { status: answer.status, body: await answer.json() }
}

const body = (tokens, more = {}) => ({ model: 'chat', max_tokens: tokens, messages: [{ role: 'user', content: `go ${Math.random()}` }], ...more })
const authorization = (key) => ({ authorization: `Bearer ${keys[key]}` })

async function streamsUnderWay(count, tokens, key = 'stays') {
    let begun = 0
    const streams = Array.from({ length: count }, () => streamChat(stoker.gateway, body(tokens, { temperature: 1 }), { headers: authorization(key), onFirstByte: () => begun++ }))
    await until('all streams flow', () => begun === count)
    return Promise.all(streams)
}

function assertWhole(streams, tokens) {
    const wanted = Array.from({ length: tokens }, (_, at) => `w${at}`).join(' ')
    for (const stream of streams) {
        assert.ok(stream.done && !stream.error && !stream.cut, JSON.stringify(stream))
        assert.equal(stream.text.trim(), wanted)
    }
}

test('twenty changes of everything under load drop nothing', { timeout: 120_000 }, async () => {
    const long = streamsUnderWay(16, 200)
    let stopped = false
    const failed = []
    let answered = 0
    const short = Array.from({ length: 8 }, async () => {
        while (!stopped) {
            const response = await fetch(`${stoker.gateway}/v1/chat/completions`, { method: 'POST', headers: authorization('stays'), body: JSON.stringify(body(2)) })
            const text = await response.text()
            if (response.status === 200) answered++
            else failed.push(`${response.status} ${text}`)
        }
    })
    for (let turn = 1; turn <= 20; turn++) {
        const before = answered
        const { status, body } = await reload(config({ turn }))
        assert.equal(status, 200, JSON.stringify(body))
        assert.deepEqual(body.restart_needed, [])
        assert.ok(body.changed.includes('pools'), JSON.stringify(body))
        await until('requests are answered after the change', () => answered > before + 8 || failed.length > 0)
    }
    stopped = true
    await Promise.all(short)
    assert.deepEqual(failed, [])
    assertWhole(await long, 200)
})

test('a key that goes ends with its next request, not in the middle of one', { timeout: 60_000 }, async () => {
    const under_way = streamsUnderWay(4, 120, 'goes')
    await new Promise((done) => setTimeout(done, 500))
    assert.equal((await reload(config({ without: ['goes'] }))).status, 200)
    const refused = await streamChat(stoker.gateway, body(1), { headers: authorization('goes') })
    assert.equal(refused.status, 401)
    assertWhole(await under_way, 120)
})

test('streams of a pool that is gone end where they are', { timeout: 60_000 }, async () => {
    const under_way = streamsUnderWay(4, 120)
    await new Promise((done) => setTimeout(done, 500))
    assert.equal((await reload(config({ model: 'successor' }))).status, 200)
    const refused = await streamChat(stoker.gateway, body(1), { headers: authorization('stays') })
    assert.equal(refused.status, 404)
    assertWhole(await under_way, 120)
    assert.equal((await reload(config())).status, 200)
})

test('a bad configuration changes nothing, and says every mistake', { timeout: 60_000 }, async () => {
    const under_way = streamsUnderWay(4, 60)
    const bad = await reload(config({ turn: 1 }).replace('first_byte:', 'first_bite:').replace('ttl: 61s', 'ttl: soon'))
    assert.equal(bad.status, 400)
    assert.match(JSON.stringify(bad.body), /first_bite.*first_byte/)
    assert.match(JSON.stringify(bad.body), /soon/)
    const good = await streamChat(stoker.gateway, body(3), { headers: authorization('stays') })
    assertWhole([good], 3)
    assertWhole(await under_way, 60)
})
