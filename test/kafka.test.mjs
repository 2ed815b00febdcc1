// Kafka out and in, against librdkafka's mock cluster and kcat: brokers go down, Stoker is killed, and nothing is lost.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { noKafka as skip, startKafka } from './lib/kafka.mjs'
import { getJson, run, startSim, startStoker, stopAll, temporaryDirectory, until } from './lib/stoker.mjs'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

let kafka, sim, sender, taker

const senderConfig = () => `
collect: {host: false, discovery: {enabled: false}, scrape_interval: 1s, scrape_timeout: 1s}
pools: [{name: chat, models: [sim], replicas: [{url: "${sim.url}"}]}]
kafka:
  brokers: [${kafka.brokers.map((one) => `"${one}"`).join(', ')}]
  out:
    - {topic: stoker.requests, what: requests}
    - {topic: stoker.events, what: events, key: type}
    - {topic: stoker.samples, what: samples}
`
const takerConfig = () => `
collect: {host: false, discovery: {enabled: false}}
kafka:
  brokers: [${kafka.brokers.map((one) => `"${one}"`).join(', ')}]
  in:
    - {topic: stoker.samples, format: remote_write}
    - {topic: boxes, format: json}
`
// A member of a group that was killed is waited for until its session is over.
const killedConfig = () => `
collect: {host: false, discovery: {enabled: false}}
kafka:
  brokers: [${kafka.brokers.map((one) => `"${one}"`).join(', ')}]
  properties: {session.timeout.ms: "3000", heartbeat.interval.ms: "300"}
  in:
    - {topic: crates, format: json, group: killed}
`

async function ask(times) {
    for (let i = 0; i < times; i++) {
        const answer = await fetch(`${sender.gateway}/v1/chat/completions`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ model: 'sim', max_tokens: 3, messages: [{ role: 'user', content: 'hello' }] }),
        })
        assert.equal(answer.status, 200)
        await answer.arrayBuffer()
    }
}
// Without the look at /v1/models that tells that the gateway serves.
const requests = () => kafka.read('stoker.requests').map(({ key, value }) => ({ key, ...JSON.parse(value) })).filter((one) => one.model === 'sim')
const metric = async (stoker, line) => (await (await fetch(`${stoker.console}/metrics`)).text()).split('\n').find((one) => one.startsWith(line))?.split(' ').at(-1)
const value = async (stoker, text) => (await getJson(`${stoker.console}/api/v1/query?query=${encodeURIComponent(text)}`)).data.result[0]?.value[1]

before(async () => {
    if (skip) return
    kafka = await startKafka()
    for (const topic of ['stoker.requests', 'stoker.events', 'stoker.samples', 'boxes', 'crates']) await kafka.topic(topic)
    sim = await startSim()
    sender = await startStoker({ config: senderConfig() })
    taker = await startStoker({ config: takerConfig() })
    await until('the engine serves', async () => (await fetch(`${sender.gateway}/v1/models`)).ok)
})
after(async () => {
    await stopAll()
    kafka?.stop()
})

test('requests and events are messages under their keys', { skip, timeout: 60_000 }, async () => {
    await ask(20)
    const seen = await until('all are there', () => {
        const all = requests()
        return all.length >= 20 && all
    }, 30_000, 300)
    assert.equal(seen.length, 20)
    assert.equal(new Set(seen.map((one) => one.id)).size, 20)
    assert.ok(seen.every((one) => one.key === one.id))
    await fetch(`${sender.console}/api/v1/degradation`, { method: 'POST', body: JSON.stringify({ level: 'light' }) })
    const [event] = await until('the event is there', () => {
        const all = kafka.read('stoker.events')
        return all.length > 0 && all
    }, 20_000, 300)
    assert.equal(event.key, JSON.parse(event.value).type)
})

test('samples arrive at another Stoker', { skip, timeout: 60_000 }, async () => {
    await until('they are in its store', async () => Number(await value(taker, 'sum(llm_requests_total{job="stoker",model="sim"})')) >= 20, 40_000, 300)
})

test('nothing is lost while brokers are down and Stoker is killed', { skip, timeout: 90_000 }, async () => {
    await kafka.down(1)
    await ask(5)
    for (const broker of [2, 3]) await kafka.down(broker)
    await ask(10)
    await sender.kill()
    sender = await startStoker({ config: senderConfig(), dir: sender.dir })
    await until('the engine serves', async () => (await fetch(`${sender.gateway}/v1/models`)).ok)
    await ask(5)
    for (const broker of [1, 2, 3]) await kafka.up(broker)
    const seen = await until('all are there', () => {
        const all = requests()
        return new Set(all.map((one) => one.id)).size >= 40 && all
    }, 60_000, 500)
    const ids = new Set(seen.map((one) => one.id))
    assert.equal(ids.size, 40)
    await until('none waits', async () => (await metric(sender, 'stoker_kafka_out_waiting_records{topic="stoker.requests"}')) === '0', 20_000, 200)
})

test('messages from others are samples', { skip, timeout: 90_000 }, async () => {
    kafka.write('boxes', [
        JSON.stringify([{ host: 'h', labels: { box: 'a' }, box_weight: 5 }]),
        'this is no JSON',
        JSON.stringify([{ host: 'h', labels: { box: 'b' }, box_weight: 7 }]),
    ])
    await until('both are stored', async () => (await value(taker, 'sum(box_weight)')) === '12', 40_000, 300)
    await until('the other is counted', async () => (await metric(taker, 'stoker_kafka_in_messages_total{topic="boxes",result="bad"}')) === '1')
})

test('offsets outlive a kill: no message is lost, and at most the one under way comes twice', { skip, timeout: 120_000 }, async () => {
    const crates = (from, to) => Array.from({ length: to - from }, (_, i) => JSON.stringify([{ host: 'h', labels: { crate: String(from + i) }, crate_weight: 1 }]))
    const taken = async (stoker) => Number((await metric(stoker, 'stoker_kafka_in_messages_total{topic="crates",result="taken"}')) ?? 0)
    kafka.write('crates', crates(0, 1000))
    let stoker = await startStoker({ config: killedConfig() })
    const before = await until('some are taken', () => taken(stoker), 40_000, 5)
    await stoker.kill()
    assert.ok(before < 1000, 'killed in the middle')
    stoker = await startStoker({ config: killedConfig(), dir: stoker.dir })
    await until('all are stored', async () => (await value(stoker, 'count(crate_weight)')) === '1000', 60_000, 300)
    const after = await taken(stoker)
    assert.ok(after >= 1 && before + after <= 1001, `${before} were taken before the kill and ${after} after it`)

    await stoker.kill()
    kafka.write('crates', crates(1000, 1003))
    stoker = await startStoker({ config: killedConfig(), dir: stoker.dir })
    await until('the new ones are stored', async () => (await value(stoker, 'count(crate_weight)')) === '1003', 60_000, 300)
    assert.equal(await taken(stoker), 3, 'none of the old ones')
    await stoker.stop()
})

test('Stoker stops in time without brokers, and says what is wrong with a setting', { skip, timeout: 60_000 }, async () => {
    for (const broker of [1, 2, 3]) await kafka.down(broker)
    await sender.stop()
    await taker.stop()
    const dir = temporaryDirectory()
    writeFileSync(join(dir, 'bad.yaml'), 'kafka: {out: [{topic: "a b", what: requests}]}\n')
    const checked = await run('config', 'check', join(dir, 'bad.yaml'))
    assert.match(checked.stdout + checked.stderr, /kafka\.out\[0\]\.topic: must be 1 to 249 letters/)
    assert.match(checked.stdout + checked.stderr, /kafka\.brokers: must name a broker/)
    await assert.rejects(startStoker({ config: 'kafka: {brokers: ["127.0.0.1:1"], properties: {no.such: "1"}, out: [{topic: a, what: requests}]}\n' }), /kafka\.out a: Kafka's setting no\.such: No such configuration property/)
})
