// A second attempt beside a slow one, streamed and whole: the client has its answer in time and pays for one, the slow engine
// is let go of at once and not blamed, and the budget bounds it.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { streamChat } from './lib/client.mjs'
import { getJson, startSim, startStoker, stopAll, until } from './lib/stoker.mjs'

const tokens = 20
let slow, good, stoker, whole

before(async () => {
    slow = await startSim({ profile: 'h100-8b' })
    good = await startSim({ profile: 'h100-8b' })
    const pool = (name, hedge) => `
  - name: ${name}
    models: [${name}]
    replicas: [{url: ${slow.url}, model: sim}, {url: ${good.url}, model: sim}]
    balance: {policy: round_robin}
    deadlines: {first_byte: 5s, whole: 5s, total: 20s}
    ${hedge}`
    stoker = await startStoker({
        config: `pools:${pool('plain', '')}${pool('hedged', 'hedge: {after: 500ms, budget_share: 1, budget_per_second: 10}')}${pool('stingy', 'hedge: {after: 200ms, budget_share: 0, budget_per_second: 0.1}')}
collect: {scrape_interval: 1s, host: false}
`,
    })
    whole = (await getJson(`${good.url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(body('sim')) })).choices[0].message.content
})
after(stopAll)

const body = (model) => ({ model, max_tokens: tokens, temperature: 0, messages: [{ role: 'user', content: 'tell me a story' }] })

async function ask(model, stream) {
    const begin = Date.now()
    if (stream) {
        const seen = await streamChat(stoker.gateway, { ...body(model), stream_options: { include_usage: true } })
        return { ...seen, took: Date.now() - begin, ok: seen.status === 200 && seen.done && !seen.error && !seen.cut }
    }
    const response = await fetch(`${stoker.gateway}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(body(model)) })
    const answer = await response.json()
    return { ok: response.status === 200, took: Date.now() - begin, headers: Object.fromEntries(response.headers), text: answer.choices?.[0].message.content, usage: answer.usage }
}

const records = async (model) => (await getJson(`${stoker.console}/api/v1/requests?last=5m&model=${model}&limit=50`)).requests
const replicas = async () => (await getJson(`${stoker.console}/api/v1/replicas`)).replicas
const metric = async (line) => {
    const text = await (await fetch(`${stoker.console}/metrics`)).text()
    return Number(text.split('\n').find((each) => each.startsWith(line))?.split(' ').pop() ?? 0)
}

for (const stream of [true, false]) {
    test(`a slow engine is answered for by another, ${stream ? 'streamed' : 'whole'}`, { timeout: 60_000 }, async () => {
        await slow.fault({ kind: 'slow_first_token', delay: '20s' })
        const won = await metric('stoker_gateway_hedges_total{pool="hedged",result="won"}')
        const seen = [await ask('hedged', stream), await ask('hedged', stream)] // One of them at least meets the slow one first.
        for (const each of seen) {
            assert.ok(each.ok, JSON.stringify(each))
            assert.equal(each.text, whole)
            assert.equal(each.usage.completion_tokens, tokens)
            assert.ok(each.took < 5_000, `took ${each.took} ms`)
            assert.equal(each.headers['x-stoker-replica'], `hedged/${new URL(good.url).host}`)
        }
        assert.ok([1, 2].includes((await metric('stoker_gateway_hedges_total{pool="hedged",result="won"}')) - won))
        const hedged = await until('its record is there', async () => (await records('hedged')).find((each) => each.stream === stream && each.attempts.length > 1))
        assert.equal(hedged.outcome, 'ok')
        assert.equal(hedged.completion_tokens, tokens)
        assert.equal(hedged.usage_source, 'engine')
        assert.deepEqual(hedged.attempts.map((each) => [each.kind ?? '', each.error, each.tokens]), [['', 'hedge_lost', 0], ['hedge', '', tokens]])
        // Nothing is left of it at the slow engine, and nothing held against it.
        const [slowly] = (await replicas()).filter((each) => each.id === `hedged/${new URL(slow.url).host}`)
        assert.equal(slowly.state, 'serving')
        assert.equal(slowly.failures_total, 0)
        assert.equal(slowly.outstanding, 0)
        await until('the slow engine runs nothing', async () => (await running(slow)) === 0, 2_000, 20)
        await slow.clearFaults()
    })
}

// Requests that an engine works on, or that wait there, by its own metrics.
async function running(engine) {
    const text = await (await fetch(`${engine.url}/metrics`)).text()
    const value = (name) => Number(text.split('\n').find((line) => line.startsWith(name))?.split(' ').pop() ?? 0)
    return value('vllm:num_requests_running') + value('vllm:num_requests_waiting')
}

test('where nothing is said of it nothing is hedged', { timeout: 60_000 }, async () => {
    await slow.fault({ kind: 'slow_first_token', delay: '1200ms' })
    const seen = [await ask('plain', true), await ask('plain', true)]
    assert.ok(seen.every((each) => each.ok))
    assert.ok(seen.some((each) => each.took >= 1_100), 'one of them waited')
    assert.ok((await records('plain')).every((each) => each.attempts.length === 1))
    await slow.clearFaults()
})

test('the budget bounds it', { timeout: 60_000 }, async () => {
    await slow.fault({ kind: 'slow_first_token', delay: '1500ms' })
    const seen = await Promise.all(Array.from({ length: 8 }, () => ask('stingy', true)))
    assert.ok(seen.every((each) => each.ok))
    const sent = await until('all are on record', async () => {
        const all = await records('stingy')
        return all.length >= 8 && all
    })
    const hedges = sent.filter((each) => each.attempts.some((attempt) => attempt.kind === 'hedge')).length
    assert.equal(hedges, 1, 'one in ten seconds')
    await slow.clearFaults()
})
