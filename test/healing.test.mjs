// The limits of healing: dry runs touch nothing, approval is waited for, and a hopeless engine is given up.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { binary, freePort, getJson, run, startStoker, stopAll, until } from './lib/stoker.mjs'

const started = []
after(async () => {
    for (const stoker of started) {
        for (const engine of await engines(stoker).catch(() => [])) {
            try {
                process.kill(engine.process.pid, 'SIGKILL')
            } catch {
                // It has ended already.
            }
        }
    }
    await stopAll()
})

const engines = async (stoker) => (await getJson(`${stoker.console}/api/v1/engines`)).engines
const incidents = async (stoker) => (await getJson(`${stoker.console}/api/v1/incidents`)).incidents

// One supervised engine under a policy with these keys.
async function startWith(policy, command) {
    const port = await freePort()
    const runs = command ?? `["${binary}", sim-engine, --listen, "127.0.0.1:${port}", --model, m, --profile, instant]`
    const stoker = await startStoker({
        config: `
pools:
  - name: chat
    models: [m]
    replicas: [{url: "http://127.0.0.1:${port}", run: ${runs}}]
healing:
  policies:
    - {name: under-test, on: [engine_down, engine_hung], ${policy}}
`,
    })
    started.push(stoker)
    return stoker
}

async function killEngine(stoker) {
    const engine = await until('the engine serves', async () => (await engines(stoker)).find((each) => each.state === 'serving' && each.health.ok), 20_000)
    process.kill(engine.process.pid, 'SIGKILL')
    return until('an incident', async () => (await incidents(stoker))[0], 6_000)
}

const statusOf = async (stoker, id) => (await getJson(`${stoker.console}/api/v1/incidents/${id}`)).status

test('dry_run says what it would do and does nothing', { timeout: 60_000 }, async () => {
    const stoker = await startWith('dry_run: true')
    const incident = await killEngine(stoker)
    const told = await until('a plan in the timeline', async () => {
        const now = await getJson(`${stoker.console}/api/v1/incidents/${incident.id}`)
        return now.timeline.some((entry) => entry.phase === 'plan') ? now : null
    })
    assert.ok(!told.timeline.some((entry) => entry.phase === 'act'), JSON.stringify(told.timeline))
    assert.notEqual((await engines(stoker))[0].process.state, 'running')
    await stoker.stop()
})

test('require_approval waits; approving runs the plan', { timeout: 90_000 }, async () => {
    const stoker = await startWith('require_approval: true')
    const incident = await killEngine(stoker)
    await until('it waits', async () => (await statusOf(stoker, incident.id)) === 'awaiting_approval')
    assert.notEqual((await engines(stoker))[0].process.state, 'running')
    const approved = await run('incidents', '--approve', incident.id, '--server', stoker.console)
    assert.equal(approved.code, 0, approved.stderr)
    await until('it is resolved', async () => (await statusOf(stoker, incident.id)) === 'resolved', 60_000, 200)
    const again = await fetch(`${stoker.console}/api/v1/incidents/${incident.id}/approve`, { method: 'POST' })
    assert.equal(again.status, 409)
})

test('rejecting leaves it to people', { timeout: 60_000 }, async () => {
    const stoker = await startWith('require_approval: true')
    const incident = await killEngine(stoker)
    await until('it waits', async () => (await statusOf(stoker, incident.id)) === 'awaiting_approval')
    const rejected = await run('incidents', '--reject', incident.id, '--server', stoker.console, '--output', 'json')
    assert.equal(rejected.code, 0, rejected.stderr)
    assert.equal(await statusOf(stoker, incident.id), 'escalated')
    assert.notEqual((await engines(stoker))[0].process.state, 'running')
    await stoker.stop()
})

test('an engine that always dies is given up after max_attempts', { timeout: 90_000 }, async () => {
    const stoker = await startWith('max_attempts: 2, window: 10m, backoff: 200ms', '["/bin/sh", -c, "exit 3"]')
    const escalated = await until('it is escalated', async () => (await incidents(stoker)).find((each) => each.status === 'escalated'), 60_000, 200)
    const restarts = escalated.timeline.filter((entry) => entry.phase === 'act' && /restart/i.test(entry.text))
    assert.ok(restarts.length >= 1, JSON.stringify(escalated.timeline))
    await stoker.stop()
})
