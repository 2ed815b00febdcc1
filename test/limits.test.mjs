// Limits by tenant, key and in all: exact under concurrency, honest headers, corrected by usage, and kept over a restart.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import OpenAI from 'openai'
import { streamChat } from './lib/client.mjs'
import { getJson, run, startSim, startStoker, stopAll, until } from './lib/stoker.mjs'

const keys = { acme: 'acme-key-of-the-test', beta: 'beta-key-of-the-test', slow: 'slow-key-of-the-test' }
const sha256 = (text) => createHash('sha256').update(text).digest('hex')
let sim, stoker

const config = () => `
auth:
  required: true
  tenants: [{name: acme}, {name: beta}, {name: slow}]
  keys:
${Object.entries(keys).map(([name, key]) => `    - {id: ${name}-1, tenant: ${name}, sha256: ${sha256(key)}}`).join('\n')}
limits:
  burst: 2s
  tenants:
    - {name: acme, tokens_per_day: 500}
    - {name: beta, concurrent_requests: 7}
    - {name: slow, requests_per_minute: 60}
pools:
  - name: chat
    models: [sim]
    replicas: [{url: ${sim.url}}]
`

before(async () => {
    sim = await startSim({ profile: 'l4-7b' })
    stoker = await startStoker({ config: config() })
})
after(stopAll)

const ask = (tenant, body = {}) =>
    fetch(`${stoker.gateway}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${keys[tenant]}` },
        body: JSON.stringify({ model: 'sim', max_tokens: 10, messages: [{ role: 'user', content: 'hello' }], ...body }),
    })

test('concurrent requests: exactly as many as allowed, and the room comes back', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask('beta', { max_tokens: 20 })))
    const served = answers.filter((answer) => answer.status === 200)
    assert.equal(served.length, 7)
    for (const answer of answers.filter((each) => each.status !== 200)) {
        assert.equal(answer.status, 429)
        const { error } = await answer.json()
        assert.equal(error.code, 'concurrency_limit_exceeded')
        assert.equal(error.param, 'tenant.concurrent_requests')
        assert.ok(Number(answer.headers.get('retry-after')) >= 1)
    }
    await Promise.all(served.map((answer) => answer.text()))
    assert.equal((await ask('beta')).status, 200)
})

test('whoever waits as long as told is served', async () => {
    let refused
    for (let i = 0; i < 10 && !refused; i++) {
        const answer = await ask('slow', { max_tokens: 1 })
        if (answer.status === 429) refused = answer
        else assert.equal(answer.headers.get('x-ratelimit-limit-requests'), '60')
        await answer.text()
    }
    assert.ok(refused, 'nothing was refused')
    await new Promise((done) => setTimeout(done, Number(refused.headers.get('retry-after-ms')) + 20))
    assert.equal((await ask('slow', { max_tokens: 1 })).status, 200)
})

test('tokens of a day are what was used, whatever was reserved, and outlive a restart', async () => {
    const used = async () => {
        const { limits } = await getJson(`${stoker.console}/api/v1/limits?scope=tenant&name=acme`)
        return limits.find((each) => each.limit === 'tokens_per_day').used
    }
    const first = await (await ask('acme', { max_tokens: 20 })).json()
    assert.equal(await used(), first.usage.total_tokens)
    const client = new OpenAI({ baseURL: `${stoker.gateway}/v1`, apiKey: keys.acme, maxRetries: 0, fetch })
    await assert.rejects(client.chat.completions.create({ model: 'sim', max_tokens: 490, messages: [{ role: 'user', content: 'more' }] }), OpenAI.RateLimitError)
    const before = await used()
    // A client that leaves pays for what it got and no more.
    const controller = new AbortController()
    const stream = await client.chat.completions.create({ model: 'sim', max_tokens: 300, stream: true, messages: [{ role: 'user', content: 'go' }] }, { signal: controller.signal })
    let events = 0
    for await (const _ of stream) if (++events === 4) break
    controller.abort()
    await until('the rest is given back', async () => (await used()) - before < 60)
    const saved = await used()
    await new Promise((done) => setTimeout(done, 1_500))
    await stoker.kill()
    stoker = await startStoker({ dir: stoker.dir, config: config() })
    assert.equal(await used(), saved)
    const shown = await run('limits', '--server', stoker.console)
    assert.match(shown.stdout, /acme/)
})

test('a bad key is refused, and a stream with a good one has the headers too', async () => {
    const refused = await fetch(`${stoker.gateway}/v1/models`, { headers: { authorization: 'Bearer nonsense' } })
    assert.equal(refused.status, 401)
    const seen = await streamChat(stoker.gateway, { model: 'sim', max_tokens: 3, messages: [{ role: 'user', content: 'x' }] }, { headers: { authorization: `Bearer ${keys.slow}` } })
    assert.ok(seen.status === 200 || seen.status === 429)
    assert.ok('x-ratelimit-remaining-requests' in seen.headers)
})
