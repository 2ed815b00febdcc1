// An engine dies or hangs under load: traffic moves, an incident opens, the engine is restarted, proven and taken back.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { streamChat } from './lib/client.mjs'
import { binary, freePort, getJson, run, startStoker, stopAll, until } from './lib/stoker.mjs'

let stoker, ports

before(async () => {
    ports = [await freePort(), await freePort()]
    stoker = await startStoker({
        config: `
pools:
  - name: chat
    models: [tiny]
    replicas:
${ports
    .map(
        (port) => `      - url: http://127.0.0.1:${port}
        model: sim-model
        run: ["${binary}", sim-engine, --listen, "127.0.0.1:${port}", --model, sim-model, --profile, l4-7b]`,
    )
    .join('\n')}
healing:
  policies:
    - name: restart-dead-engine
      on: [engine_down, engine_hung]
`,
    })
    await until('both engines serve', async () => (await engines()).filter((engine) => engine.state === 'serving' && engine.health.ok).length === 2, 20_000)
})
after(async () => {
    for (const engine of stoker ? await engines().catch(() => []) : []) {
        try {
            process.kill(engine.process.pid, 'SIGKILL')
        } catch {
            // It has ended already.
        }
    }
    await stopAll()
})

const engines = async () => (await getJson(`${stoker.console}/api/v1/engines`)).engines
const incidents = async () => (await getJson(`${stoker.console}/api/v1/incidents`)).incidents

// Runs 20 streams, breaks one engine while they run, and says what the clients saw.
async function breakOneOf(signal) {
    let began = 0
    const streams = Array.from({ length: 20 }, () =>
        streamChat(stoker.gateway, { model: 'tiny', max_tokens: 150, messages: [{ role: 'user', content: 'go' }] }, { onFirstByte: () => began++ }),
    )
    await until('streams are under way', () => began >= 10, 20_000, 10)
    const victim = (await engines())[0]
    const at = Date.now()
    process.kill(victim.process.pid, signal)
    // These start against a pool with a broken replica and must not notice.
    const late = Array.from({ length: 10 }, () =>
        streamChat(stoker.gateway, { model: 'tiny', max_tokens: 10, messages: [{ role: 'user', content: 'late' }] }),
    )
    return { victim, at, seen: await Promise.all(streams), late: await Promise.all(late) }
}

// All that was under way is whole: what the broken engine had begun went on from the other one.
async function checkClients({ seen, late, victim }) {
    for (const stream of [...seen, ...late]) assert.ok(stream.done && !stream.error && !stream.cut, JSON.stringify(stream))
    for (const stream of seen) {
        assert.equal(stream.finishReason, 'length')
        assert.equal(stream.text, seen[0].text)
    }
    const { requests } = await getJson(`${stoker.console}/api/v1/requests?last=5m&limit=1000`)
    const moved = requests.filter((record) => record.attempts.length > 1 && record.attempts[0].replica === victim.id && record.attempts[0].tokens > 0)
    assert.ok(moved.length > 0, 'no stream was on the broken engine')
}

async function checkIncident(kind, victim, at) {
    const opened = await until('an incident opens within 5 s', async () => (await incidents()).find((each) => each.opened_ms >= at - 50 && each.replica === victim.id), 6_000)
    assert.ok(opened.opened_ms - at < 5_000, `opened after ${opened.opened_ms - at} ms`)
    const resolved = await until('it is resolved', async () => {
        const incident = await getJson(`${stoker.console}/api/v1/incidents/${opened.id}`)
        return incident.status === 'resolved' ? incident : null
    }, 90_000, 200)
    assert.equal(resolved.kind, kind)
    const phases = resolved.timeline.map((entry) => entry.phase)
    for (const phase of ['detect', 'diagnose', 'act', 'verify', 'resolve']) assert.ok(phases.includes(phase), `${phase} is missing from ${phases}`)
    for (let i = 1; i < resolved.timeline.length; i++) assert.ok(resolved.timeline[i].at_ms >= resolved.timeline[i - 1].at_ms)
    assert.ok(resolved.hypotheses.length > 0 && resolved.hypotheses[0].evidence.length > 0)
    await until('the engine serves again', async () => (await engines()).find((engine) => engine.id === victim.id).state === 'serving', 10_000)
    const now = (await engines()).find((engine) => engine.id === victim.id)
    assert.notEqual(now.process.pid, victim.process.pid)
    const listed = JSON.parse((await run('incidents', '--server', stoker.console, '--output', 'json')).stdout)
    assert.deepEqual(listed.incidents.find((each) => each.id === opened.id).timeline, resolved.timeline)
    return resolved
}

test('killed with SIGKILL', { timeout: 150_000 }, async () => {
    const outcome = await breakOneOf('SIGKILL')
    await checkClients(outcome)
    await checkIncident('engine_down', outcome.victim, outcome.at)
})

test('stopped with SIGSTOP: hangs while its port accepts', { timeout: 150_000 }, async () => {
    const outcome = await breakOneOf('SIGSTOP')
    await checkClients(outcome)
    await checkIncident('engine_hung', outcome.victim, outcome.at)
})

test('Stoker killed and restarted adopts its engines instead of starting more', { timeout: 60_000 }, async () => {
    const pids = (await engines()).map((engine) => engine.process.pid)
    await stoker.kill('SIGKILL')
    stoker = await startStoker({ dir: stoker.dir, config: readFileSync(stoker.configFile, 'utf8') })
    await until('the engines are known again', async () => (await engines()).every((engine) => engine.process?.pid), 5_000)
    assert.deepEqual((await engines()).map((engine) => engine.process.pid), pids)
    assert.ok((await incidents()).length >= 2, 'incidents were forgotten')
})
