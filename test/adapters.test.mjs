// LoRA adapters of engines, found, listed, and asked for where they are loaded.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { getJson, startSim, startStoker, stopAll, until } from './lib/stoker.mjs'

let sims, stoker
const post = (url, body) => fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
const load = async (sim, name) => assert.equal((await post(`${sim.url}/v1/load_lora_adapter`, { lora_name: name, lora_path: `/adapters/${name}` })).status, 200)
const unload = async (sim, name) => assert.equal((await post(`${sim.url}/v1/unload_lora_adapter`, { lora_name: name })).status, 200)
const ask = (model, more = {}) => post(`${stoker.gateway}/v1/chat/completions`, { model, max_tokens: 2, messages: [{ role: 'user', content: 'hello' }], ...more })
const listed = async () => (await getJson(`${stoker.gateway}/v1/models`)).data

before(async () => {
    sims = await Promise.all([startSim(), startSim(), startSim()])
    await load(sims[1], 'sql')
    stoker = await startStoker({ config: `
pools:
  - name: chat
    models: [sim]
    replicas: [${sims.map((sim) => `{url: ${sim.url}}`).join(', ')}]
    health: {interval: 200ms, unhealthy_after: 3, stall_after: 2s}
` })
})
after(stopAll)

test('an adapter is listed under its model and asked for only where it is', async () => {
    const entry = await until('it is listed', async () => (await listed()).find((model) => model.id === 'sql'))
    assert.equal(entry.parent, 'sim')
    for (let i = 0; i < 12; i++) {
        const answer = await ask('sql', { stream: i % 2 === 0 })
        assert.equal(answer.status, 200, await answer.clone().text())
        assert.ok(answer.headers.get('x-stoker-replica').endsWith(`:${sims[1].port}`))
        await answer.text()
    }
    // The base model goes everywhere.
    const replicas = new Set()
    await until('all replicas serve the base model', async () => {
        const answers = await Promise.all(Array.from({ length: 9 }, () => ask('sim', { max_tokens: 20 })))
        for (const answer of answers) {
            replicas.add(answer.headers.get('x-stoker-replica'))
            await answer.text()
        }
        return replicas.size === 3
    })
})

test('adapters come and go while engines run', async () => {
    await load(sims[2], 'code')
    await until('it is listed', async () => (await listed()).some((model) => model.id === 'code'), 15_000)
    assert.equal((await ask('code')).status, 200)
    await unload(sims[2], 'code')
    await until('it is gone', async () => !(await listed()).some((model) => model.id === 'code'), 15_000)
    const answer = await ask('code')
    assert.equal(answer.status, 404)
    assert.equal((await answer.json()).error.code, 'model_not_found')
})

test('with its only replica down an adapter is unavailable, and no other engine is asked for it', async () => {
    await sims[1].fault({ kind: 'hang_all', for: '20s' })
    await until('the replica is found hung', async () => (await ask('sql', { max_tokens: 1 })).status === 503, 30_000, 200)
    assert.equal((await ask('sim', { max_tokens: 1 })).status, 200)
    await until('it is back', async () => (await ask('sql', { max_tokens: 1 })).status === 200, 60_000, 200)
})
