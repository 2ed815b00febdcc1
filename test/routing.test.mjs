// Aliases, rules, splits and canaries through the binary; `stoker route` says where requests go and why.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { streamChat } from './lib/client.mjs'
import { getJson, run, startSim, startStoker, stopAll, until } from './lib/stoker.mjs'

let stoker
const sims = {}
const config = () => `
auth: {tenants: [{name: gold, metadata: {plan: gold}, models: [chat]}]}
pools:
${Object.entries(sims).map(([name, sim]) => `  - {name: ${name}, models: [${name}], replicas: [{url: ${sim.url}, model: sim}]}`).join('\n')}
routing:
  aliases: [{name: chat, to: blue}]
  rules:
    - {name: long-prompts, models: [chat], min_prompt_tokens: 500, to: green}
    - {name: gold-plan, models: [chat], metadata: {plan: gold}, to: green}
    - {name: search-team, headers: {x-team: sea*}, to: green}
  splits:
    - {name: half, by: user, targets: [{to: blue, weight: 1}, {to: green, weight: 1}]}
  canaries:
    - {name: next, control: blue, candidate: green, steps: ["50"], hold: 1s, min_requests: 20}
    - {name: worse, control: blue, candidate: broken, steps: ["50"], hold: 1s, min_requests: 20}
`

before(async () => {
    for (const name of ['blue', 'green', 'broken']) sims[name] = await startSim()
    stoker = await startStoker({ config: config() })
})
after(stopAll)

const ask = (model, { text = 'hello', headers = {}, ...body } = {}) =>
    fetch(`${stoker.gateway}/v1/chat/completions`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ model, max_tokens: 2, messages: [{ role: 'user', content: text }], ...body }),
    })
const answeredBy = async (...args) => {
    const answer = await ask(...args)
    assert.equal(answer.status, 200, await answer.clone().text())
    await answer.text()
    return answer.headers.get('x-stoker-model')
}
const route = async (...args) => {
    const done = await run('route', ...args, '--server', stoker.console)
    assert.equal(done.code, 0, done.stderr)
    return done.stdout
}

test('an alias leads to its model, and rules come first', async () => {
    assert.equal(await answeredBy('chat'), 'blue')
    assert.equal(await answeredBy('chat', { text: 'word '.repeat(600) }), 'green')
    assert.equal(await answeredBy('blue', { headers: { 'x-team': 'search' } }), 'green')
    assert.equal((await ask('nobody')).status, 404)
})

test('a split keeps each user on its side', async () => {
    const sides = new Map()
    for (let i = 0; i < 40; i++) {
        const user = `user-${i % 20}`
        const side = await answeredBy('half', { user })
        assert.equal(sides.get(user) ?? side, side)
        sides.set(user, side)
    }
    assert.deepEqual([...new Set(sides.values())].sort(), ['blue', 'green'])
})

test('a switch is at once, survives a restart, and is taken back', async () => {
    await route('switch', 'chat', 'green')
    assert.equal(await answeredBy('chat'), 'green')
    await stoker.kill()
    stoker = await startStoker({ dir: stoker.dir, config: config() })
    assert.equal(await answeredBy('chat'), 'green')
    await route('switch', 'chat', '--reset')
    assert.equal(await answeredBy('chat'), 'blue')
    const wrong = await run('route', 'switch', 'chat', 'nowhere', '--server', stoker.console)
    assert.equal(wrong.code, 1)
    assert.match(wrong.stderr, /nowhere/)
})

test('a switch drops no stream that is under way', { timeout: 60_000 }, async () => {
    let began = 0
    const body = { model: 'chat', stream: true, max_tokens: 200, messages: [{ role: 'user', content: 'go' }] }
    const streams = Array.from({ length: 8 }, () => streamChat(stoker.gateway, body, { onFirstByte: () => began++ }))
    await until('streams are under way', () => began === 8)
    await route('switch', 'chat', 'green')
    assert.equal(await answeredBy('chat'), 'green')
    for (const stream of await Promise.all(streams)) {
        assert.ok(stream.done && !stream.error, JSON.stringify(stream))
        assert.equal(stream.headers['x-stoker-model'], 'blue')
    }
    await route('switch', 'chat', '--reset')
})

test('a sticky draw is explained as it is made', async () => {
    for (let i = 0; i < 10; i++) {
        const user = `user-${i}`
        const told = JSON.parse(await route('explain', '--model', 'half', '--user', user, '--output', 'json'))
        assert.equal(await answeredBy('half', { user }), told.model, user)
    }
})

test('explain knows what the configuration says of a tenant', async () => {
    const gold = JSON.parse(await route('explain', '--model', 'chat', '--tenant', 'gold', '--output', 'json'))
    assert.equal(gold.rule, 'gold-plan')
    assert.equal(gold.refused, undefined)
    assert.match(await route('explain', '--model', 'green', '--tenant', 'gold'), /refused: tenant gold may not ask for green: model_not_allowed/)
    assert.match(await route('explain', '--model', 'chat', '--tenant', 'nobody'), /refused: the configuration names no tenant 'nobody'/)
})

test('explain says where and why without sending anything', async () => {
    const text = await route('explain', '--model', 'chat', '--prompt-tokens', '2000')
    assert.match(text, /chat -> green/)
    assert.match(text, /long-prompts/)
    const answer = await getJson(`${stoker.console}/api/v1/route/explain`, { method: 'POST', body: JSON.stringify({ model: 'chat' }) })
    assert.equal(answer.model, 'blue')
    const step = answer.steps[0]
    assert.equal(step.pick.replica, step.replicas[0].replica)
    assert.equal(step.replicas[0].state, 'serving')
    assert.ok(step.replicas[0].health_age_ms >= 0 && 'score' in step.replicas[0].balance, JSON.stringify(step))
})

const canary = async (name) => (await getJson(`${stoker.console}/api/v1/route`)).canaries.find((each) => each.name === name)

test('a canary that does as well as its control is promoted', { timeout: 60_000 }, async () => {
    await until('it is promoted', async () => {
        await Promise.all(Array.from({ length: 20 }, () => ask('next').then((answer) => answer.text())))
        return (await canary('next')).phase === 'promoted'
    }, 40_000, 50)
    assert.equal(await answeredBy('next'), 'green')
})

test('a canary that fails is rolled back', { timeout: 60_000 }, async () => {
    await sims.broken.fault({ kind: 'error_rate', status: 500 })
    await until('it is rolled back', async () => {
        await Promise.all(Array.from({ length: 20 }, () => ask('worse').then((answer) => answer.text())))
        return (await canary('worse')).phase === 'rolled_back'
    }, 40_000, 50)
    for (let i = 0; i < 10; i++) assert.equal(await answeredBy('worse'), 'blue')
})
