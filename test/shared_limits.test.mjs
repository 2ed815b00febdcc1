// Three gateways and one Redis: together they admit what one would, and each its part when Redis is slow or dead.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createHash } from 'node:crypto'
import { makeCertificates } from './lib/provider.mjs'
import { startRedis, stopRedis, ask as redisAsk, askTls } from './lib/redis.mjs'
import { getJson, run, startSim, startStoker, stopAll, until } from './lib/stoker.mjs'

const kGateways = 3
const tenants = ['rate', 'open', 'day', 'part', 'stop', 'kill', 'back']
const keyOf = (tenant) => `${tenant}-key-of-the-test`
const sha256 = (text) => createHash('sha256').update(text).digest('hex')
let sim, redis
let gateways = []

const config = (url) => `
auth:
  required: true
  tenants: [${tenants.map((name) => `{name: ${name}}`).join(', ')}]
  keys:
${tenants.map((name) => `    - {id: ${name}-1, tenant: ${name}, sha256: ${sha256(keyOf(name))}}`).join('\n')}
limits:
  burst: 10m
  tenants:
    - {name: rate, requests_per_minute: 6}
    - {name: open, concurrent_requests: 8}
    - {name: day, tokens_per_day: 900}
    - {name: part, requests_per_minute: 3}
    - {name: stop, requests_per_minute: 3}
    - {name: kill, requests_per_minute: 3, tokens_per_day: 100000}
    - {name: back, requests_per_minute: 3}
  redis: {url: "${url}", deadline: 250ms}
pools:
  - name: chat
    models: [sim]
    replicas: [{url: ${sim.url}}]
`

const state = async (gateway) => (await getJson(`${gateway.console}/api/v1/limits`)).sharing.state
const all = (what, wanted) => until(what, async () => (await Promise.all(gateways.map(state))).every((each) => each === wanted), 20_000)
const used = async (gateway, tenant, limit) => {
    const { limits } = await getJson(`${gateway.console}/api/v1/limits?scope=tenant&name=${tenant}`)
    return limits.find((line) => line.limit === limit)
}
const send = (gateway, tenant, body = {}) =>
    fetch(`${gateway.gateway}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${keyOf(tenant)}` },
        body: JSON.stringify({ model: 'sim', max_tokens: 1, messages: [{ role: 'user', content: 'hello' }], ...body }),
    })
// `count` at once, over all gateways in turn; how many were admitted, and nothing else happened than that or a 429.
const flood = async (tenant, count, body, among = gateways) => {
    const answers = await Promise.all(Array.from({ length: count }, (_, i) => send(among[i % among.length], tenant, body)))
    for (const answer of answers) {
        assert.ok(answer.status === 200 || answer.status === 429, `${answer.status}: ${await answer.clone().text()}`)
        await answer.text()
    }
    return answers.filter((answer) => answer.status === 200).length
}
// What a meter of so many a minute, full at first (ten minutes' worth), admits at most within this time.
const most = (perMinute, milliseconds, share = 1) => Math.floor(share * (10 * perMinute + (perMinute * milliseconds) / 60_000))

before(async () => {
    sim = await startSim()
    redis = await startRedis()
    gateways = await Promise.all(Array.from({ length: kGateways }, () => startStoker({ config: config(redis.url) })))
    await all('limits are shared', 'shared')
    await until('all know of all', async () =>
        (await Promise.all(gateways.map((each) => getJson(`${each.console}/api/v1/limits`)))).every(({ sharing }) => sharing.gateways === kGateways))
})
after(async () => {
    redis?.signal('SIGCONT')
    await Promise.all(gateways.map((gateway) => gateway.stop()))
    stopAll()
    stopRedis()
})

test('a rate is exact over all gateways under parallel load', async () => {
    const began = Date.now()
    const admitted = await flood('rate', 300)
    assert.ok(admitted >= 60 && admitted <= most(6, Date.now() - began), `${admitted} of 60`)
    // Everyone says the same of what is left.
    const answers = await Promise.all(gateways.map((gateway) => send(gateway, 'rate')))
    for (const answer of answers.filter((each) => each.status === 429)) {
        assert.equal(answer.headers.get('x-ratelimit-remaining-requests'), '0')
        assert.ok(Number(answer.headers.get('retry-after')) >= 1)
        assert.match((await answer.json()).error.message, /tenant rate is at its limit of 6 requests_per_minute/)
    }
})

test('concurrent requests are exact over all gateways, and the room comes back', async () => {
    const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => send(gateways[i % kGateways], 'open', { stream: true, max_tokens: 1_500 })))
    const open = answers.filter((answer) => answer.status === 200)
    assert.equal(open.length, 8)
    assert.ok(answers.every((answer) => answer.status === 200 || answer.status === 429))
    await Promise.all(open.map((answer) => answer.text()))
    await until('the room is back', async () => (await flood('open', 1)) === 1)
})

test('tokens of a day are reserved and corrected for all', async () => {
    let spent = 0
    for (let i = 0; i < 6; i++) {
        const answer = await (await send(gateways[i % kGateways], 'day', { max_tokens: 50 })).json()
        spent += answer.usage.total_tokens
    }
    await until('every gateway that asks is told', async () => {
        await (await send(gateways[0], 'day', { max_tokens: 10_000 })).text()
        return (await used(gateways[0], 'day', 'tokens_per_day')).used === spent
    })
    const refused = await send(gateways[1], 'day', { max_tokens: 890 })
    assert.equal(refused.status, 429)
    assert.equal((await refused.json()).error.code, 'tokens_per_day_exceeded')
})

test('Redis stops answering under load: nobody waits long, nobody is failed, each gateway goes on with its part', async () => {
    assert.equal(await flood('part', 3), 3)
    const load = (async () => {
        const end = Date.now() + 1_500
        let failed = 0
        while (Date.now() < end) {
            const answers = await Promise.all(gateways.map((gateway) => send(gateway, 'open')))
            for (const answer of answers) {
                failed += answer.status >= 500
                await answer.text()
            }
        }
        return failed
    })()
    const began = Date.now()
    redis.signal('SIGSTOP')
    await all('all go on alone', 'alone')
    assert.equal(await load, 0)
    // Of 30 one gateway may admit 10 now; of those of `part` together what was left: 27 of 30.
    assert.equal(await flood('stop', 40, {}, [gateways[0]]), 10)
    const rest = await flood('part', 120)
    assert.ok(rest <= 27 + kGateways + most(3, Date.now() - began) - 30, `${rest} after 3 of 30`)
    assert.ok(rest >= 24, `${rest} after 3 of 30`)
    const { share, sharing } = await getJson(`${gateways[0].console}/api/v1/limits`)
    assert.ok(Math.abs(share - 1 / 3) < 1e-9)
    assert.equal(sharing.gateways, 3)
    assert.match(sharing.reason, /no answer in time/)
    assert.match(gateways[0].log(), /limits are not shared/)
    const metrics = await (await fetch(`${gateways[0].console}/metrics`)).text()
    assert.match(metrics, /^stoker_gateway_limits_shared 0$/m)
    assert.match(metrics, /^stoker_gateway_limits_redis_failures_total\{cause="deadline"\} [1-9]/m)
    assert.match((await run('limits', '--server', gateways[0].console)).stdout, /NOT SHARED since .* admits its part, 0.333/)
    redis.signal('SIGCONT')
    await all('limits are shared again', 'shared')
    // What the first gateway admitted alone counts for all: 20 are left, and what time gave.
    const left = await flood('stop', 90)
    assert.ok(left >= 19 && left <= 20 + most(3, Date.now() - began) - 30 + 1, `${left} of 20`)
})

test('Redis is killed under load and comes back empty: nothing is forgotten', async () => {
    const began = Date.now()
    assert.equal(await flood('kill', 15), 15)
    assert.equal(await flood('kill', 3), 3) // One each: now all know of nearly all.
    assert.equal(await flood('back', 6, {}, [gateways[2]]), 6)
    const tokens = (await Promise.all(gateways.map((gateway) => used(gateway, 'kill', 'tokens_per_day')))).map((line) => line.used)
    const load = flood('open', 200)
    await redis.kill()
    await load
    await all('all go on alone', 'alone')
    const alone = await flood('kill', 60)
    assert.ok(alone <= 12 + kGateways + most(3, Date.now() - began) - 30, `${alone} after 18 of 30`)
    redis = await startRedis({ port: redis.port })
    await all('limits are shared again', 'shared')
    const rest = await flood('kill', 60)
    assert.ok(18 + alone + rest <= most(3, Date.now() - began) + kGateways, `${alone} and ${rest} after 18 of 30`)
    const after = await flood('back', 60)
    assert.ok(after <= most(3, Date.now() - began) - 6 + 1, `${after} after 6 of 30`)
    assert.ok((await used(gateways[0], 'kill', 'tokens_per_day')).used >= Math.max(...tokens))
    // Nothing is held by requests that have ended.
    await until('all room is back', async () => (await redisAsk(redis.port, 'HGETALL', '{stoker}:s:tenant:open')).includes('c:') === false)
})

test('a gateway that dies holding requests holds them no longer than it counts as alive; one that stops, not at all', async () => {
    const doomed = await startStoker({ config: config(redis.url) })
    await until('it shares', async () => (await state(doomed)) === 'shared')
    const held = await Promise.all(Array.from({ length: 8 }, () => send(doomed, 'open', { stream: true, max_tokens: 1_900 })))
    assert.equal(held.filter((answer) => answer.status === 200).length, 8)
    assert.equal(await flood('open', 3), 0)
    await doomed.kill()
    await until('its room is free', async () => (await flood('open', 1)) === 1, 15_000, 200)
    const leaving = await startStoker({ config: config(redis.url) })
    await until('it is counted', async () => (await getJson(`${gateways[0].console}/api/v1/limits`)).sharing.gateways === kGateways + 1)
    await leaving.stop()
    await until('it is not any more', async () => (await getJson(`${gateways[0].console}/api/v1/limits`)).sharing.gateways === kGateways, 4_000)
})

test('a Redis with a password, and a reload to it and away', async () => {
    const closed = await startRedis({ args: ['--requirepass', 's:cret/'] })
    const { writeFileSync } = await import('node:fs')
    const one = await startStoker({ config: config(`redis://:wrong@127.0.0.1:${closed.port}`) })
    await until('it is refused', async () => (await getJson(`${one.console}/api/v1/limits`)).sharing.state === 'alone')
    assert.equal((await send(one, 'rate')).status, 200)
    const reload = async (text) => {
        writeFileSync(one.configFile, text)
        const answer = await fetch(`${one.console}/api/v1/config/reload`, { method: 'POST' })
        assert.equal(answer.status, 200, await answer.clone().text())
    }
    await reload(config(`redis://:s%3Acret%2F@127.0.0.1:${closed.port}/2`))
    await until('it shares', async () => (await state(one)) === 'shared')
    await reload(config('x').replace(/\n {2}redis:.*/, ''))
    await until('it does not any more', async () => (await state(one)) === 'off')
    assert.equal((await send(one, 'rate')).status, 200)
    assert.doesNotMatch(one.log(), /cret|wrong/)
    await one.stop()
})

test('a Redis behind TLS with certificates of its own authority', async () => {
    const certificates = makeCertificates()
    const sealed = await startRedis({ certificates })
    const trusting = (more) => config(sealed.url).replace('deadline: 250ms', `deadline: 250ms${more}`)
    const pair = await Promise.all([1, 2].map(() => startStoker({ config: trusting(`, ca_file: ${certificates.ca}`) })))
    for (const one of pair) await until('it shares over TLS', async () => (await state(one)) === 'shared', 20_000)
    const began = Date.now()
    const admitted = await flood('rate', 150, {}, pair)
    assert.ok(admitted >= 60 && admitted <= most(6, Date.now() - began), `${admitted} of 60`)
    assert.match(await askTls(sealed.port, certificates, 'KEYS', '*'), /tenant:rate/)
    // Without the authority nobody is believed: the gateway goes on alone, and says why.
    const strict = await startStoker({ config: trusting('') })
    await until('it is alone', async () => (await state(strict)) === 'alone', 20_000)
    assert.match((await getJson(`${strict.console}/api/v1/limits`)).sharing.reason, /TLS.*certificate/)
    assert.equal((await send(strict, 'rate')).status, 200)
    const { writeFileSync } = await import('node:fs')
    writeFileSync(strict.configFile, trusting(', verify: false'))
    await fetch(`${strict.console}/api/v1/config/reload`, { method: 'POST' })
    await until('told not to look, it shares', async () => (await state(strict)) === 'shared', 20_000)
    await Promise.all([...pair, strict].map((one) => one.stop()))
})
