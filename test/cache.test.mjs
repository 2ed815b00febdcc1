// Answers that are kept and shared, through the binary: what clients see, and what the engine is spared.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { streamChat } from './lib/client.mjs'
import { getJson, run, startSim, startStoker, stopAll, until } from './lib/stoker.mjs'

let stoker
let sim
let embedder
before(async () => {
    sim = await startSim()
    embedder = await startSim()
    stoker = await startStoker({
        config: `
pools:
  - {name: chat, models: [kept, short, shared, off, alike], replicas: [{url: ${sim.url}, model: sim}]}
  - {name: embeddings, models: [embedder, alone], replicas: [{url: ${embedder.url}, model: sim}]}
auth:
  tenants: [{name: acme}, {name: globex}]
  keys:
    - {id: a, tenant: acme, sha256: ${hash('sk-stoker-a')}}
    - {id: b, tenant: globex, sha256: ${hash('sk-stoker-b')}}
cache:
  max_size: 16MiB
  rules:
    - {models: [kept], coalesce: false}
    - {models: [short], coalesce: false, ttl: 1s}
    - {models: [shared], exact: false}
    - {models: [alike], semantic_model: alone, semantic_threshold: 0.99}
batching:
  - {models: [embedder], max_inputs: 50, max_wait: 1s}
  - {models: [off], embeddings: false, completions: true, max_inputs: 2, max_wait: 1s}
degradation:
  emergency: {cache_only: true, refuse: none}
`,
    })
})
after(stopAll)

function hash(text) {
    return createHash('sha256').update(text).digest('hex')
}

const ask = async (body, headers = {}, path = '/v1/chat/completions') => {
    const answer = await fetch(stoker.gateway + path, {
        method: 'POST',
        headers,
        body: JSON.stringify({ temperature: 0, max_tokens: 8, messages: [{ role: 'user', content: 'hello' }], ...body }),
    })
    const text = await answer.text()
    assert.equal(answer.status, 200, text)
    return { text, cache: answer.headers.get('x-stoker-cache'), headers: answer.headers }
}
const reached = async (engine = sim) => (await getJson(`${engine.url}/sim/requests`)).requests
const metric = async (name) => {
    const text = await (await fetch(`${stoker.console}/metrics`)).text()
    return Number(text.match(new RegExp(`^${name.replace(/[{}"]/g, '\\$&')} (.*)$`, 'm'))?.[1] ?? 0)
}

test('an identical request is answered from the cache, byte for byte', async () => {
    for (const stream of [false, true]) {
        const first = await ask({ model: 'kept', stream })
        const again = await ask({ stream, model: 'kept', user: 'somebody else' })
        assert.equal(first.cache, 'miss')
        assert.equal(again.cache, 'hit')
        assert.equal(again.text, first.text)
    }
    assert.equal(await metric('stoker_cache_requests_total{model="kept",result="hit"}'), 2)
    assert.ok((await metric('stoker_cache_saved_tokens_total{model="kept",type="completion"}')) > 0)
    const records = await until('the hits are on record', async () => {
        const { requests } = await getJson(`${stoker.console}/api/v1/requests?last=1h&model=kept`)
        const hits = requests.filter((each) => each.cache === 'hit')
        return hits.length === 2 && hits
    })
    for (const record of records) assert.equal(record.prompt_tokens + record.completion_tokens, 0)
})

test('tenants share nothing, and what is off stays off', async () => {
    const body = { model: 'kept', messages: [{ role: 'user', content: 'for acme' }] }
    assert.equal((await ask(body, { authorization: 'Bearer sk-stoker-a' })).cache, 'miss')
    assert.equal((await ask(body, { authorization: 'Bearer sk-stoker-a' })).cache, 'hit')
    assert.equal((await ask(body, { authorization: 'Bearer sk-stoker-b' })).cache, 'miss')
    for (let i = 0; i < 2; i++) assert.equal((await ask({ model: 'off' })).cache, null)
    assert.equal((await ask({ model: 'kept', temperature: 0.7 })).cache, 'bypass; reason=not_deterministic')
    assert.equal((await ask({ model: 'kept' }, { 'cache-control': 'no-store' })).cache, 'bypass; reason=no-store')
})

test('an answer ends with its time', async () => {
    assert.equal((await ask({ model: 'short' })).cache, 'miss')
    await until('it is made anew', async () => (await ask({ model: 'short' })).cache === 'miss')
})

test('answers are shown, and purged', async () => {
    await ask({ model: 'kept' })
    const shown = await getJson(`${stoker.console}/api/v1/cache?model=kept`)
    assert.ok(shown.answers.length > 0 && shown.bytes > 0, JSON.stringify(shown))
    assert.ok(shown.answers[0].hits >= shown.answers.at(-1).hits)
    const table = await run('cache', 'show', '--server', stoker.console)
    assert.match(table.stdout, /kept +\/v1\/chat\/completions/, table.stderr)
    const one = await run('cache', 'purge', '--key', shown.answers[0].key, '--server', stoker.console)
    assert.equal(one.stdout, '1 answers purged\n')
    await run('cache', 'purge', '--server', stoker.console)
    assert.equal((await getJson(`${stoker.console}/api/v1/cache`)).entries, 0)
    assert.equal((await ask({ model: 'kept' })).cache, 'miss')
})

test('a hundred identical requests at once are one for the engine', { timeout: 60_000 }, async () => {
    for (const stream of [true, false]) {
        const before = await reached()
        const content = `all at once, stream ${stream}`
        // The first answer is held back until all have come.
        await sim.fault({ kind: 'slow_first_token', delay: '4s', count: 1 })
        const body = { model: 'shared', temperature: 0, max_tokens: 40, messages: [{ role: 'user', content }] }
        const answers = stream
            ? await Promise.all(Array.from({ length: 100 }, () => streamChat(stoker.gateway, body)))
            : await Promise.all(Array.from({ length: 100 }, () => ask(body)))
        assert.equal(new Set(answers.map((each) => each.text)).size, 1)
        if (stream) for (const each of answers) assert.ok(each.done && !each.cut && each.text.length > 0, JSON.stringify(each))
        assert.equal((await reached()) - before, 1)
    }
})

const embed = async (model, input) => {
    const answer = await fetch(`${stoker.gateway}/v1/embeddings`, { method: 'POST', body: JSON.stringify({ model, input }) })
    const text = await answer.text()
    assert.equal(answer.status, 200, text)
    return JSON.parse(text)
}

test('embeddings go to the engine together, and each is what it would be alone', { timeout: 60_000 }, async () => {
    const before = await reached(embedder)
    const inputs = Array.from({ length: 48 }, (_, i) => (i % 3 ? `text ${i}` : [`text ${i}`, `and ${i}`]))
    const together = await Promise.all(inputs.map((input) => embed('embedder', input)))
    const sent = (await reached(embedder)) - before
    assert.ok(sent <= 4, `${sent} requests for 64 texts, of which 50 fit`)
    let tokens = 0
    for (const [i, answer] of together.entries()) {
        const alone = await embed('alone', inputs[i])
        assert.deepEqual(answer.data, alone.data)
        tokens += answer.usage.prompt_tokens
    }
    const counted = await metric('stoker_batched_requests_total{model="embedder"}')
    assert.ok(counted >= 40, `${counted} went together`)
    const records = await until('all are on record', async () => {
        const { requests } = await getJson(`${stoker.console}/api/v1/requests?last=1h&model=embedder&limit=100`)
        return requests.length === inputs.length && requests
    })
    assert.equal(records.reduce((sum, each) => sum + each.prompt_tokens, 0), tokens)
})

test('a batch that an engine refuses is tried one by one', async () => {
    const before = await reached()
    // The simulated engine takes no lists of prompts.
    const answers = await Promise.all(
        ['one', 'two'].map((prompt) => fetch(`${stoker.gateway}/v1/completions`, { method: 'POST', body: JSON.stringify({ model: 'off', prompt, max_tokens: 2 }) })),
    )
    for (const answer of answers) assert.equal(answer.status, 200, await answer.text())
    assert.equal((await reached()) - before, 3)
    assert.equal(await metric('stoker_batches_total{model="off",result="failed"}'), 1)
})

test('a question that means the same is answered from the cache', async () => {
    // The same words, said in another form: the simulated embedding hears the words only.
    const words = 'how old is the moon'
    const first = await ask({ model: 'alike', messages: [{ role: 'user', content: words }] })
    assert.equal(first.cache, 'miss')
    const again = await ask({ model: 'alike', messages: [{ role: 'user', content: [{ type: 'text', text: words }] }] })
    assert.equal(again.cache, 'semantic; similarity=1.00')
    assert.equal(again.text, first.text)
})

test('an emergency leaves what the cache has', async () => {
    const known = { model: 'kept', messages: [{ role: 'user', content: 'known' }] }
    await ask(known)
    await run('degradation', '--pin', 'emergency', '--pool', 'chat', '--server', stoker.console)
    assert.equal((await ask(known)).cache, 'hit')
    const refused = await fetch(`${stoker.gateway}/v1/chat/completions`, {
        method: 'POST',
        body: JSON.stringify({ model: 'kept', temperature: 0, messages: [{ role: 'user', content: 'never asked' }] }),
    })
    assert.equal(refused.status, 503)
    assert.equal((await refused.json()).error.code, 'service_degraded')
    await run('degradation', '--release', '--pool', 'chat', '--server', stoker.console)
})

test('a leader whose client does not read slows nobody down', async () => {
    const flood = await startSim({ model: 'flood', profile: 'instant' })
    const other = await startStoker({
        config: `
pools: [{name: p, models: [flood], replicas: [{url: "${flood.url}"}]}]
cache: {max_size: 1GiB, max_answer: 64MiB, rules: [{models: [flood], exact: false}]}
`,
    })
    const tokens = 150_000 // More than sockets hold.
    const body = { model: 'flood', stream: true, temperature: 0, max_tokens: tokens, ignore_eos: true, messages: [{ role: 'user', content: 'hello' }] }
    const text = JSON.stringify(body)
    const { hostname, port } = new URL(other.gateway)
    const leader = connect({ host: hostname, port: Number(port) })
    leader.pause()
    leader.write(`POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-request-id: leader\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text}`)
    const asked = async () => (await getJson(`${flood.url}/sim/requests`)).requests
    await until('the leader is under way', async () => (await asked()) === 1)
    const seen = await streamChat(other.gateway, body, { headers: { 'x-request-id': 'follower' } })
    assert.equal(seen.status, 200)
    assert.equal(seen.headers['x-stoker-cache'], 'coalesced')
    assert.ok(seen.done, JSON.stringify(seen.error))
    assert.equal(seen.text.split(' ').filter(Boolean).length, tokens)
    assert.equal(await asked(), 1)
    // The leader gets all of it too, once it reads.
    let got = ''
    leader.on('data', (piece) => (got = (got + piece).slice(-200)))
    leader.resume()
    await until('the leader has its end', () => got.includes('[DONE]'), 20_000)
    leader.destroy()
})
