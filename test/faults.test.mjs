// Sixteen faults of an engine, streamed and whole, with another replica and without one. Right is: bounded in time, whole
// where it can be, otherwise a clean error; no hammering; usage that counts what was delivered; and healthy afterwards.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { streamChat } from './lib/client.mjs'
import { getJson, startSim, startStoker, stopAll, until } from './lib/stoker.mjs'

const tokens = 60
let bad, good, stoker, whole

// `pair` has the broken engine first, by turns, and a good one; `alone` only the broken one.
before(async () => {
    bad = await startSim({ profile: 'h100-8b' })
    good = await startSim({ profile: 'h100-8b' })
    const common = `
    health: {interval: 200ms, unhealthy_after: 3, stall_after: 3s}
    breaker: {open_for: 500ms, open_max: 2s, slow_start: 1s}
    deadlines: {first_byte: 1500ms, whole: 2500ms, between: 1200ms, total: 10s}
    balance: {policy: round_robin}`
    stoker = await startStoker({
        config: `
pools:
  - name: pair
    models: [pair]
    replicas: [{url: ${bad.url}, model: sim}, {url: ${good.url}, model: sim}]${common}
  - name: alone
    models: [alone]
    replicas: [{url: ${bad.url}, model: sim}]${common}
collect: {scrape_interval: 1s, host: false}
`,
    })
    whole = await direct()
})
after(stopAll)

const body = (model) => ({ model, max_tokens: tokens, temperature: 0, messages: [{ role: 'user', content: 'tell me a story' }] })

// What an engine says when nothing is broken.
async function direct() {
    const answer = await getJson(`${good.url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(body('sim')) })
    return answer.choices[0].message.content
}

// Requests that the broken engine got.
const met = async () => (await getJson(`${bad.url}/sim/requests`)).requests

async function ask(model, stream) {
    const begin = Date.now()
    if (stream) {
        const seen = await streamChat(stoker.gateway, { ...body(model), stream_options: { include_usage: true } })
        return { ...seen, took: Date.now() - begin, replica: seen.headers['x-stoker-replica'], ok: seen.status === 200 && seen.done && !seen.error && !seen.cut }
    }
    try {
        const response = await fetch(`${stoker.gateway}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(body(model)) })
        const answer = await response.json()
        return {
            status: response.status, headers: Object.fromEntries(response.headers), took: Date.now() - begin, ok: response.status === 200,
            text: answer.choices?.[0].message.content, usage: answer.usage, error: answer.error,
        }
    } catch (error) {
        return { status: 0, ok: false, cut: true, took: Date.now() - begin, error }
    }
}

// Each fault: what is set, and what the client of the broken engine alone sees, streamed and whole. `ok` where the gateway
// can mend it there; else the status, or `broken` for a stream that had begun: it may go on from the same engine as well.
const faults = [
    { name: '429 with Retry-After', set: { kind: 'rate_limit', retry_after: '1s' }, alone: 429 },
    { name: '429 without', set: { kind: 'rate_limit' }, alone: 429 },
    { name: '500 once', set: { kind: 'error_rate', status: 500, count: 1 }, alone: 'ok' },
    { name: '503 always', set: { kind: 'error_rate', status: 503 }, alone: 503 },
    { name: 'reset before headers', set: { kind: 'reset_before_headers' }, alone: 502 },
    { name: 'no answer at all', set: { kind: 'no_answer' }, alone: 504 },
    { name: 'first token after 20 s', set: { kind: 'slow_first_token', delay: '20s' }, alone: 504 },
    { name: 'stream cut after 40 of 60 tokens', set: { kind: 'cut_stream', after_tokens: 40 }, alone: { stream: 'broken', whole: 502 } },
    { name: 'stream silent after 20 tokens', set: { kind: 'stall_stream', after_tokens: 20 }, alone: { stream: 'broken', whole: 504 } },
    { name: 'malformed event in mid-stream', set: { kind: 'malformed_event', after_tokens: 10 }, alone: { stream: 'broken', whole: 502 } },
    { name: 'missing [DONE]', set: { kind: 'missing_done' }, alone: 'ok' },
    { name: 'context length exceeded', set: { kind: 'context_too_long' }, alone: 400, pair: 400 },
    { name: 'content-policy refusal', set: { kind: 'content_refused' }, alone: 400, pair: 400 },
]

function right(fault, seen, want, stream) {
    const told = `${fault.name}: ${JSON.stringify({ ...seen, text: seen.text?.length })}`
    assert.ok(seen.took < 11_000, told)
    if (want === 'ok' || (want === 'broken' && seen.ok)) {
        assert.ok(seen.ok, told)
        assert.equal(seen.text, whole, told)
        assert.equal(seen.usage.completion_tokens, tokens, told)
    } else if (want === 'broken') {
        assert.equal(seen.status, 200, told)
        assert.ok(!seen.done && seen.error?.code?.startsWith('upstream_stream_'), told)
        assert.ok(whole.startsWith(seen.text), told)
    } else {
        assert.equal(seen.status, want, told)
        assert.ok(seen.error?.code, told)
        if (want === 429 || want >= 502) assert.ok(Number(seen.headers['retry-after']) >= 1, told)
    }
    if (stream) assert.ok(seen.ok || seen.error || seen.cut, told)
}

async function healthyAgain() {
    await bad.clearFaults()
    await until('both pools answer well again', async () => (await ask('alone', true)).ok && (await ask('pair', false)).ok && (await ask('pair', true)).ok, 20_000)
}

for (const fault of faults) {
    test(`${fault.name}: with another replica, and alone`, { timeout: 120_000 }, async () => {
        for (const stream of [true, false]) {
            await bad.fault(fault.set)
            const start = await met()
            // Two in turn: one of them meets the broken engine first.
            for (let turn = 0; turn < 2; turn++) {
                const seen = await ask('pair', stream)
                if (fault.pair && seen.status !== 200) right(fault, seen, fault.pair, stream)
                else right(fault, seen, 'ok', stream)
            }
            // Once a request; and once more where a connection that was kept is cut before the answer's first byte.
            const first = (await met()) - start
            assert.ok(first <= 4, `${fault.name}: the broken engine got ${first} requests for two`)
            await bad.clearFaults()
            await bad.fault(fault.set)
            const want = typeof fault.alone === 'object' ? fault.alone[stream ? 'stream' : 'whole'] : fault.alone
            const before = await met()
            right(fault, await ask('alone', stream), want, stream)
            // Three attempts, and where a stream had begun, three for each of the two times that it is continued.
            const sent = (await met()) - before
            // One of them may find its kept connection cut, and begins anew.
            const most = want === 'broken' ? 9 : 4
            assert.ok(sent <= most, `${fault.name}: the engine got ${sent} requests for one`)
            if (typeof want === 'number' && want < 500) assert.equal(sent, 1, `${fault.name}: a retry can't help`)
            await healthyAgain()
        }
    })
}

test('a fallback that rejects the continuation: a clean error, and no token twice', { timeout: 60_000 }, async () => {
    await bad.fault({ kind: 'cut_stream', after_tokens: 40 })
    await good.fault({ kind: 'reject_continuation' })
    const seen = []
    for (let turn = 0; turn < 2; turn++) seen.push(await ask('pair', true))
    const broken = seen.filter((each) => !each.ok)
    assert.ok(broken.length >= 1, JSON.stringify(seen))
    for (const each of broken) {
        assert.ok(each.error, JSON.stringify(each))
        assert.ok(whole.startsWith(each.text))
    }
    await good.clearFaults()
    await healthyAgain()
})

test('after a failover the client pays for what it got, and sees who answered', { timeout: 60_000 }, async () => {
    await bad.fault({ kind: 'cut_stream', after_tokens: 40 })
    const seen = []
    for (let turn = 0; turn < 2; turn++) seen.push(await ask('pair', true))
    await bad.clearFaults()
    for (const each of seen) {
        assert.ok(each.ok, JSON.stringify(each))
        assert.equal(each.usage.completion_tokens, tokens)
    }
    const { requests } = await getJson(`${stoker.console}/api/v1/requests?last=1m&model=pair&limit=2`)
    const continued = requests.find((record) => record.attempts.length > 1)
    assert.ok(continued, JSON.stringify(requests))
    assert.equal(continued.completion_tokens, tokens)
    assert.equal(continued.attempts.reduce((sum, attempt) => sum + attempt.tokens, 0), tokens)
    await healthyAgain()
})

test('an engine that flaps is left alone while it is down, and comes back', { timeout: 90_000 }, async () => {
    await bad.fault({ kind: 'error_rate', status: 503 })
    const start = await met()
    let failed = 0
    let asked = 0
    // Its circuit opens, and opens again at the trial: that is an incident, with what failed as evidence, until a trial is well.
    const incident = await until('an incident is open', async () => {
        if (!(await ask('pair', true)).ok) failed++
        asked++
        const { incidents } = await getJson(`${stoker.console}/api/v1/incidents`)
        return incidents.find((each) => each.title.startsWith('CircuitOpen{') && each.replica === `pair/${new URL(bad.url).host}`)
    }, 20_000, 1)
    assert.equal(failed, 0)
    // Five failures open its circuit; then there is one trial each, after half a second, one, two and four.
    const sent = (await met()) - start
    assert.ok(sent <= 10, `${sent} of ${asked} requests were sent to an engine that is down`)
    await bad.clearFaults()
    assert.equal(incident.kind, 'alert')
    assert.equal(incident.hypotheses[0].cause, 'replica_fails_requests')
    assert.match(JSON.stringify(incident.hypotheses[0].evidence), /http_503/)
    await until('the broken engine answers again', async () => (await ask('alone', true)).ok, 20_000)
    await until('the incident is over', async () => {
        await ask('pair', true)
        return (await getJson(`${stoker.console}/api/v1/incidents/${incident.id}`)).status === 'resolved'
    }, 20_000)
})
