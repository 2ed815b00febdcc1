// The queue before a pool: fair shares between tenants, shedding by priority, honest Retry-After, fallback, and a limit
// that finds itself. A simulated engine of limited batch stands behind it.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { streamChat } from './lib/client.mjs'
import { getJson, run, startSim, startStoker, stopAll, until } from './lib/stoker.mjs'

const tenants = { noisy: 'normal', quiet: 'normal', batch: 'low', vip: 'high' }
const keyOf = (tenant) => `key-of-${tenant}-for-the-test`
const sha256 = (text) => createHash('sha256').update(text).digest('hex')

const auth = `
auth:
  required: true
  tenants: [${Object.entries(tenants).map(([name, priority]) => `{name: ${name}, priority: ${priority}}`).join(', ')}]
  keys:
${Object.keys(tenants).map((name) => `    - {id: ${name}-1, tenant: ${name}, sha256: ${sha256(keyOf(name))}}`).join('\n')}
collect: {scrape_interval: 1s, host: false}
`
const pool = (sim, admission) => `${auth}
pools:
  - name: chat
    models: [sim]
    replicas: [{url: ${sim.url}}]
    admission: ${admission}
`

after(stopAll)

const ask = (stoker, tenant, tokens, model = 'sim') =>
    streamChat(stoker.gateway, { model, max_tokens: tokens, stream_options: { include_usage: true }, messages: [{ role: 'user', content: 'count' }] },
        { headers: { authorization: `Bearer ${keyOf(tenant)}` } })

const quantile = (values, q) => values.sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? 0

// `clients` of each tenant ask one request after the other for `ms`; what each tenant got, and how long first tokens took.
async function load(stoker, crowd, ms) {
    const end = Date.now() + ms
    const seen = {}
    const client = async (tenant, tokens, mine) => {
        while (Date.now() < end) {
            const began = Date.now()
            const answer = await ask(stoker, tenant, tokens)
            assert.equal(answer.status, 200, JSON.stringify(answer.error))
            if (Date.now() > end) break // Only what was under way for all of the time counts.
            mine.tokens += answer.usage.completion_tokens
            mine.waits.push(answer.firstByteAt - began)
        }
    }
    const all = []
    for (const [tenant, clients, tokens] of crowd) {
        seen[tenant] = { tokens: 0, waits: [] }
        for (let i = 0; i < clients; i++) all.push(client(tenant, tokens, seen[tenant]))
    }
    await Promise.all(all)
    const total = Object.values(seen).reduce((sum, each) => sum + each.tokens, 0)
    for (const each of Object.values(seen)) {
        each.share = each.tokens / total
        each.p50 = quantile(each.waits, 0.5)
        each.p95 = quantile(each.waits, 0.95)
    }
    return { ...seen, total }
}

const reconfigure = async (stoker, config) => {
    writeFileSync(stoker.configFile, config)
    const answer = await getJson(`${stoker.console}/api/v1/config/reload`, { method: 'POST' })
    assert.equal(answer.status, 'ok', JSON.stringify(answer))
}

const queueOf = async (stoker, name = 'chat') => (await getJson(`${stoker.console}/api/v1/queues`)).pools.find((each) => each.pool === name)
const waitingIn = (queue) => Object.values(queue.waiting).reduce((sum, each) => sum + each, 0)

test('a noisy tenant with 50 clients and a quiet one with 2, with and without', async (t) => {
    const sim = await startSim({ profile: 'tiny' }) // A batch of 8.
    const stoker = await startStoker({ config: pool(sim, '{concurrency: off}') })
    const crowd = [['noisy', 50, 32], ['quiet', 2, 32]]
    const without = await load(stoker, crowd, 4_000)
    await reconfigure(stoker, pool(sim, '{concurrency: 8}'))
    const with_ = await load(stoker, crowd, 4_000)
    const show = (name, seen) =>
        t.diagnostic(`${name}: quiet ${(100 * seen.quiet.share).toFixed(1)} % of ${seen.total} tokens, first token p50 ${seen.quiet.p50} ms, p95 ${seen.quiet.p95} ms; noisy p50 ${seen.noisy.p50} ms, p95 ${seen.noisy.p95} ms`)
    show('without', without)
    show('with   ', with_)
    // Two of 52 in one line, against two of eight places: what two clients can use is less than half.
    assert.ok(without.quiet.share < 0.08, `${without.quiet.share}`)
    assert.ok(with_.quiet.share > 2.5 * without.quiet.share, `${with_.quiet.share} > 2.5 * ${without.quiet.share}`)
    assert.ok(with_.quiet.p50 < without.quiet.p50 / 2, `${with_.quiet.p50} < ${without.quiet.p50} / 2`)
    assert.ok(with_.total > 0.7 * without.total, `throughput: ${with_.total} of ${without.total}`)
})

test('tenants that always wait get equal tokens, whatever the size of their requests', async (t) => {
    const sim = await startSim({ profile: 'tiny' })
    const stoker = await startStoker({ config: pool(sim, '{concurrency: 4}') })
    const seen = await load(stoker, [['noisy', 50, 60], ['quiet', 12, 12]], 5_000)
    t.diagnostic(`noisy ${seen.noisy.tokens} tokens in ${seen.noisy.waits.length} requests, quiet ${seen.quiet.tokens} in ${seen.quiet.waits.length}`)
    // Prompts count too, and short requests have more of them; in completion tokens alone the difference is small.
    const ratio = seen.quiet.tokens / seen.noisy.tokens
    assert.ok(ratio > 0.6 && ratio < 1.4, `${ratio}`)
})

test('a full queue sheds the lowest class first, and the highest is served first', async () => {
    const sim = await startSim({ profile: 'l4-7b' })
    const stoker = await startStoker({ config: pool(sim, '{concurrency: 1, queue: 2}') })
    const running = ask(stoker, 'noisy', 40)
    await until('one is under way', async () => (await queueOf(stoker)).running === 1)
    const waits = async (count) => await until(`${count} wait`, async () => waitingIn(await queueOf(stoker)) === count)
    const order = []
    const begin = (tenant, name) => ask(stoker, tenant, 2).then((answer) => (order.push(name), answer))
    const low = begin('batch', 'low')
    await waits(1)
    const newest = begin('batch', 'newest')
    await waits(2)
    const normal = begin('noisy', 'normal')
    const shed = await newest
    assert.equal(shed.status, 503)
    assert.equal(shed.error.code, 'request_shed')
    assert.ok(Number(shed.headers['retry-after']) >= 1)
    const refused = await ask(stoker, 'batch', 2)
    assert.equal(refused.error.code, 'queue_full')
    const high = begin('vip', 'high')
    assert.equal((await low).error.code, 'request_shed')
    const listed = await run('queues', '--server', stoker.console)
    assert.match(listed.stdout, /chat\s+fixed\s+1\s+1\s+1\s+1\s+0\s+2/)
    assert.match(listed.stdout, /vip/)
    for (const answer of await Promise.all([running, normal, high])) assert.equal(answer.status, 200)
    assert.deepEqual(order, ['newest', 'low', 'high', 'normal'])
    const metrics = await (await fetch(`${stoker.console}/metrics`)).text()
    assert.match(metrics, /stoker_gateway_queue_refused_total\{pool="chat",priority="low",reason="shed"\} 2/)
    assert.match(metrics, /stoker_gateway_queue_refused_total\{pool="chat",priority="low",reason="queue_full"\} 1/)
    // Waiting has its stage in what a request costs here.
    assert.match(metrics, /stoker_gateway_overhead_seconds_count\{stage="queue"\} [1-9]/)
})

test('Retry-After is about when the queue has drained', async (t) => {
    const sim = await startSim({ profile: 'l4-7b' }) // 50 ms a token.
    const stoker = await startStoker({ config: pool(sim, '{concurrency: 1, queue: 4}') })
    for (let i = 0; i < 3; i++) assert.equal((await ask(stoker, 'noisy', 20)).status, 200)
    const under_way = Array.from({ length: 5 }, () => ask(stoker, 'noisy', 20))
    await until('four wait', async () => waitingIn(await queueOf(stoker)) === 4)
    const began = Date.now()
    const refused = await ask(stoker, 'noisy', 20)
    assert.equal(refused.status, 503)
    assert.equal(refused.error.code, 'queue_full')
    const answers = await Promise.all(under_way)
    const really = (Date.now() - began) / 1000
    const told = Number(refused.headers['retry-after'])
    t.diagnostic(`told ${told} s, really ${really.toFixed(2)} s`)
    assert.ok(told >= 0.6 * really && told <= 1.6 * really + 1, `told ${told} s, really ${really} s`)
    // Those that waited say how long; the longest wait was most of it.
    const waits = answers.map((each) => Number(each.headers['x-stoker-queue-ms'] ?? 0)).sort((a, b) => a - b)
    assert.ok(waits[4] > 500 * really && waits[0] < 500, `${waits}`)
    const { requests } = await until('the records are there', async () => {
        const found = await getJson(`${stoker.console}/api/v1/requests?limit=20`)
        return found.requests.length === 9 ? found : false
    })
    assert.equal(requests.filter((each) => each.queue_ns > 1e8).length, 4)
    assert.equal(requests.filter((each) => each.error === 'queue_full').length, 1)
})

test('who would wait in vain is refused at once; 429 where its own tenant asks for too much', async (t) => {
    const sim = await startSim({ profile: 'l4-7b' })
    const stoker = await startStoker({ config: pool(sim, '{concurrency: 1, timeout: 3s}') })
    for (let i = 0; i < 8; i++) assert.equal((await ask(stoker, 'noisy', 4)).status, 200)
    // 60 at once, of which in three seconds about ten can be served.
    const answers = await Promise.all(Array.from({ length: 60 }, () => ask(stoker, 'noisy', 4)))
    const refused = answers.filter((each) => each.error?.code === 'queue_too_long')
    const late = answers.filter((each) => each.error?.code === 'queue_timeout')
    const served = answers.filter((each) => each.status === 200)
    t.diagnostic(`${served.length} served, ${refused.length} refused at once, ${late.length} waited in vain`)
    assert.equal(served.length + refused.length + late.length, 60)
    assert.ok(refused.length >= 25 && refused.length > late.length && served.length >= 2)
    for (const each of refused) {
        assert.equal(each.status, 503) // Nobody else is there whose share it could be.
        assert.ok(Number(each.headers['retry-after']) >= 2, each.headers['retry-after'])
        assert.equal(each.headers['x-stoker-queue-ms'], undefined)
    }
    const { refused: counted } = await queueOf(stoker)
    assert.equal(counted.too_long, refused.length)
    // With somebody else in the pool it is the noisy one that hears 429, and the other is served.
    const quiet = ask(stoker, 'quiet', 150)
    await until('the quiet one is under way', async () => (await queueOf(stoker)).running === 1)
    const crowd = await Promise.all(Array.from({ length: 40 }, () => ask(stoker, 'noisy', 4)))
    const told = crowd.filter((each) => each.error?.code === 'share_exceeded')
    assert.ok(told.length >= 20, `${crowd.map((each) => each.error?.code ?? each.status)}`)
    for (const each of told) {
        assert.equal(each.status, 429)
        assert.ok(Number(each.headers['retry-after']) >= 1)
    }
    assert.equal((await quiet).status, 200)
    const metrics = await (await fetch(`${stoker.console}/metrics`)).text()
    assert.match(metrics, /stoker_gateway_queue_refused_total\{pool="chat",priority="normal",reason="too_long"\} [1-9]/)
})

test('a low class gets its small share under a flood of a higher one', async (t) => {
    const sim = await startSim({ profile: 'tiny' })
    const stoker = await startStoker({ config: pool(sim, '{concurrency: 4, lower_share: 0.2}') })
    const crowd = [['vip', 24, 16], ['batch', 8, 16]]
    const with_ = await load(stoker, crowd, 4_000)
    await reconfigure(stoker, pool(sim, '{concurrency: 4, lower_share: 0}'))
    const without = await load(stoker, crowd, 4_000)
    t.diagnostic(`low class: ${(100 * with_.batch.share).toFixed(1)} % of the tokens with a lower_share of 0.2, ${(100 * without.batch.share).toFixed(1)} % without`)
    // 0.2 of what the higher one gets: a sixth of all.
    assert.ok(with_.batch.share > 0.1 && with_.batch.share < 0.25, `${with_.batch.share}`)
    assert.ok(without.batch.share < 0.05, `${without.batch.share}`)
})

test('an overloaded pool falls back to the next model, and a client that leaves is out at once', async () => {
    const sim = await startSim({ profile: 'l4-7b' })
    const spare = await startSim({ profile: 'tiny', model: 'spare' })
    const stoker = await startStoker({
        config: `${pool(sim, '{concurrency: 1, queue: 1, timeout: 20s}')}
  - name: spare
    models: [spare]
    replicas: [{url: ${spare.url}}]
models:
  - name: sim
    fallback: [{to: spare, on: [overloaded]}]
`,
    })
    const running = ask(stoker, 'noisy', 100)
    await until('one is under way', async () => (await queueOf(stoker)).running === 1)
    const controller = new AbortController()
    const leaver = fetch(`${stoker.gateway}/v1/chat/completions`, {
        method: 'POST',
        signal: controller.signal,
        headers: { authorization: `Bearer ${keyOf('noisy')}` },
        body: JSON.stringify({ model: 'sim', messages: [{ role: 'user', content: 'x' }] }),
    }).catch(() => null)
    await until('it waits', async () => waitingIn(await queueOf(stoker)) === 1)
    const answer = await ask(stoker, 'noisy', 3)
    assert.equal(answer.status, 200)
    assert.equal(answer.headers['x-stoker-model'], 'spare')
    controller.abort()
    await leaver
    await until('it is out', async () => waitingIn(await queueOf(stoker)) === 0, 2_000)
    assert.equal((await running).status, 200)
})

test('auto finds what the engine runs, and stopping strands nobody', async (t) => {
    const sim = await startSim({ profile: 'tiny' }) // A batch of 8.
    const stoker = await startStoker({ config: pool(sim, '{concurrency: auto, min: 2}') })
    let going = true
    const statuses = new Set()
    const clients = Array.from({ length: 60 }, async () => {
        while (going) statuses.add((await ask(stoker, 'noisy', 32)).status)
    })
    let last
    // From 2 it doubles past the batch, until the engine says that some wait, or first tokens come late.
    const signs = new Set()
    await until('the limit was found to be too high, and is near the batch while others wait', async () => {
        last = await queueOf(stoker)
        signs.add(last.by)
        return (signs.has('engine_queue') || signs.has('first_token')) && last.limit >= 5 && last.limit <= 16 && waitingIn(last) > 20
    }, 90_000, 100)
    t.diagnostic(`limit ${last.limit}, by ${[...signs].join(', ')}, ${waitingIn(last)} wait, ${last.drain_per_second.toFixed(1)} places a second`)
    assert.deepEqual([...statuses], [200])
    going = false
    await stoker.stop()
    await Promise.all(clients)
})
