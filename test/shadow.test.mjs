// Shadow traffic, pools as destinations, and who changed what: through the binary.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { streamChat } from './lib/client.mjs'
import { getJson, run, startSim, startStoker, stopAll, until } from './lib/stoker.mjs'

let stoker
const sims = {}
const config = () => `
pools:
  - {name: main, models: [chat], replicas: [{url: ${sims.main.url}, model: sim}]}
  - {name: spot, models: [batch, chat], replicas: [{url: ${sims.spot.url}, model: sim}]}
  - {name: trial, models: [next], replicas: [{url: ${sims.trial.url}, model: sim}]}
  - {name: stuck, models: [stuck], replicas: [{url: ${sims.stuck.url}, model: sim}], deadlines: {first_byte: 5m, whole: 5m}}
limits:
  each_model: {requests_per_minute: 10000}
routing:
  aliases: [{name: assistant, to: chat}]
  rules:
    - {name: cheap, headers: {x-class: batch}, to: "pool:spot"}
  splits:
    - {name: both, targets: [{to: chat, weight: 1}, {to: "pool:spot", weight: 1}]}
  shadows:
    - {name: try-next, models: [chat, assistant], headers: {x-copy: "yes"}, to: next, requests_per_minute: 1000, concurrent: 50}
    - {name: try-stuck, models: [chat], headers: {x-copy: stuck}, to: "pool:stuck", concurrent: 3}
`

before(async () => {
    for (const name of ['main', 'spot', 'trial', 'stuck']) sims[name] = await startSim()
    stoker = await startStoker({ config: config() })
})
after(stopAll)

const ask = async (model, headers = {}, body = {}) => {
    const answer = await fetch(`${stoker.gateway}/v1/chat/completions`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ model, max_tokens: 4, messages: [{ role: 'user', content: 'hello' }], ...body }),
    })
    assert.equal(answer.status, 200, await answer.clone().text())
    await answer.text()
    return answer
}
const poolOf = (answer) => answer.headers.get('x-stoker-replica').split('/')[0]
const route = async (...args) => {
    const done = await run('route', ...args, '--server', stoker.console)
    assert.equal(done.code, 0, done.stderr)
    return done.stdout
}
const shadow = async (name) => (await getJson(`${stoker.console}/api/v1/route/shadow`)).shadows.find((each) => each.name === name)
const requests = (query) => getJson(`${stoker.console}/api/v1/requests?last=10m&${query}`)

test('a rule and a split lead to a pool, and the record says which did', async () => {
    assert.equal(poolOf(await ask('chat')), 'main')
    const cheap = await ask('assistant', { 'x-class': 'batch' })
    assert.equal(poolOf(cheap), 'spot')
    assert.equal(cheap.headers.get('x-stoker-model'), 'chat')
    assert.equal(cheap.headers.get('x-stoker-rule'), 'cheap')
    const pools = new Map()
    for (let i = 0; i < 40; i++) {
        const answer = await ask('both')
        pools.set(answer.headers.get('x-stoker-split'), poolOf(answer))
    }
    assert.deepEqual([...pools].sort(), [['both=chat', 'main'], ['both=pool:spot', 'spot']])
    const ruled = await requests('rule=cheap')
    assert.equal(ruled.total, 1)
    assert.equal(ruled.requests[0].requested_model, 'assistant')
    const split = await requests('split=both&arm=pool:spot')
    assert.ok(split.total > 0 && split.requests.every((each) => each.pool === 'spot' && each.arm === 'pool:spot'))
    const listed = await run('requests', '--rule', 'cheap', '--server', stoker.console)
    assert.match(listed.stdout, /rule cheap/)
    assert.match(await route('explain', '--model', 'assistant', '--header', 'x-class: batch'), /chat in pool spot[^]*led by rule cheap/)
    const models = (await getJson(`${stoker.gateway}/v1/models`)).data.map((each) => each.id)
    assert.equal(models.filter((each) => each === 'chat').length, 1)
    const sneaky = await fetch(`${stoker.gateway}/v1/chat/completions`, { method: 'POST', body: JSON.stringify({ model: 'pool:spot', messages: [] }) })
    assert.equal(sneaky.status, 404)
})

test('copies are answered for nobody, compared, and on record as what they are', async () => {
    const before_ = (await requests('model=next')).total
    for (let i = 0; i < 10; i++) {
        const answer = await ask('chat', { 'x-copy': 'yes' })
        assert.equal(poolOf(answer), 'main')
        assert.equal(answer.headers.get('x-stoker-attempts'), '1')
    }
    const stream = await streamChat(stoker.gateway, { model: 'assistant', max_tokens: 4, messages: [{ role: 'user', content: 'hi' }] }, { headers: { 'x-copy': 'yes' } })
    assert.ok(stream.done && !stream.error)
    const told = await until('all are compared', async () => {
        const one = await shadow('try-next')
        return one.compared === 11 && one
    })
    assert.equal(told.results.answered, 11)
    assert.equal(told.differences.status, 0)
    assert.ok(told.copy.duration_p50_seconds > 0 && told.client.duration_p50_seconds > 0)
    assert.ok(told.limits.some((line) => line.limit === 'tokens_per_day' && line.used > 0), JSON.stringify(told.limits))
    assert.equal((await requests('model=next')).total, before_, 'a list of requests has no copies')
    const copies = await until('they are on record', async () => {
        const page = await requests('shadow=try-next')
        return page.total === 11 && page.requests
    })
    const own = await getJson(`${stoker.console}/api/v1/requests/${copies[0].shadow_of}`)
    assert.equal(own.pool, 'main')
    assert.equal(own.attempts.length, 1)
    assert.equal(copies[0].outcome, 'shadow')
    assert.equal(copies[0].trace_id, own.trace_id)
    const sql = await getJson(`${stoker.console}/api/v1/sql`, {
        method: 'POST',
        body: JSON.stringify({ query: "SELECT count(*) FROM requests s JOIN requests r ON r.id = s.shadow_of WHERE s.shadow = 'try-next' AND s.status = r.status" }),
    })
    assert.equal(sql.rows[0][0], 11)
    const metrics = await (await fetch(`${stoker.console}/metrics`)).text()
    assert.match(metrics, /stoker_gateway_shadow_requests_total\{shadow="try-next",result="answered"\} 11/)
    assert.doesNotMatch(metrics, /llm_requests_total\{[^}]*model="next"[^}]*\} [1-9]/)
})

test('a failing shadow is seen, and only there', async () => {
    await sims.trial.fault({ kind: 'error_rate', status: 500 })
    for (let i = 0; i < 5; i++) await ask('chat', { 'x-copy': 'yes' })
    const told = await until('the differences are counted', async () => {
        const one = await shadow('try-next')
        return one.differences.status === 5 && one
    })
    assert.equal(told.last[0].copy.status, 500)
    assert.equal(told.last[0].client.status, 200)
    await sims.trial.clearFaults()
    const text = await route('shadow')
    assert.match(text, /shadow try-next[^]*status 5[^]*200 \/ 500/)
})

test('a shadow that hangs delays and bills no client, is bounded, and ends with Stoker', { timeout: 120_000 }, async () => {
    const timed = async (headers) => {
        const took = []
        for (let i = 0; i < 40; i++) {
            const began = performance.now()
            await ask('chat', headers, { max_tokens: 1 })
            took.push(performance.now() - began)
        }
        return took.sort((a, b) => a - b)[20]
    }
    const alone = await timed({})
    await sims.stuck.fault({ kind: 'hang' })
    const beside = await timed({ 'x-copy': 'stuck' })
    const told = await shadow('try-stuck')
    assert.equal(told.in_flight, 3, JSON.stringify(told))
    assert.equal(told.sent, 3)
    assert.equal(told.skipped.concurrent, 37)
    assert.equal(told.results.answered, 0)
    console.log(`median: ${alone.toFixed(2)} ms alone, ${beside.toFixed(2)} ms beside a shadow that hangs`)
    assert.ok(beside < alone + 250, 'a copy takes a minute: nobody waited for one')
    const tokens = async () => {
        const lines = (await getJson(`${stoker.console}/api/v1/limits`)).limits
        return lines.filter((line) => line.name === 'stuck').map((line) => line.used + (line.reserved ?? 0))
    }
    assert.ok((await tokens()).every((used) => used === 0), JSON.stringify(await tokens()))
    const took = await stoker.stop()
    assert.ok(took < 5_000)
    stoker = await startStoker({ dir: stoker.dir, config: config() })
    const copies = await until('their end is on record', async () => {
        const page = await requests('shadow=try-stuck')
        return page.total === 3 && page.requests
    })
    assert.deepEqual([...new Set(copies.map((each) => each.error))], ['stopping'])
})

test('a switch is told at once, with who did it and why, and is not forgotten', async () => {
    const feed = await fetch(`${stoker.console}/api/v1/stream`)
    const reader = feed.body.getReader()
    let seen = ''
    const reading = (async () => {
        for (;;) {
            const { done, value } = await reader.read()
            if (done) return
            seen += Buffer.from(value).toString()
        }
    })().catch(() => {})
    await route('switch', 'assistant', 'batch', '--by', 'ann', '--reason', 'v2 is out')
    await until('the feed tells', () => /event: release[^]*alias_switched/.test(seen))
    await reader.cancel()
    await reading
    assert.match(seen, /"by":"ann"/)
    assert.match(seen, /"reason":"v2 is out"/)
    await stoker.kill()
    const journal = readdirSync(join(stoker.data, 'journal')).map((name) => readFileSync(join(stoker.data, 'journal', name), 'latin1')).join('')
    stoker = await startStoker({ dir: stoker.dir, config: config() })
    assert.match(journal, /"event":"release"[^}]*"kind":"alias_switched"/)
    const text = await route('show')
    assert.match(text, /alias_switched\s+assistant\s+chat\s+batch\s+ann\s+v2 is out/)
    await route('switch', 'assistant', '--reset', '--by', 'bob')
    assert.match(await route('show'), /alias_reset\s+assistant\s+batch\s+chat\s+bob/)
})
