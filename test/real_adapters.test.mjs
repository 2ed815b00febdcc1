// LoRA adapters of a real inference engine, llama.cpp's server: found by GET /lora-adapters, asked for by number.
//
// Skips where there is no `real-engine` (see real_engine.test.mjs).
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { freePort, getJson, root, run, startStoker, stopAll, temporaryDirectory, until } from './lib/stoker.mjs'

const command = process.env.STOKER_REAL_ENGINE ?? join(root, '../shared/engine/real-engine')
const [server, model] = existsSync(command) ? execFileSync(command, ['path'], { encoding: 'utf8' }).trim().split(' ') : []
const skip = server && existsSync(server) && existsSync(model) ? false : 'no real engine has been built'

let stoker
const engines = []
const dir = temporaryDirectory()

async function startEngine(...more) {
    const port = await freePort()
    const child = spawn(server, ['-m', model, '--host', '127.0.0.1', '--port', String(port), '--parallel', '2', '-c', '4096', '-t', '1', ...more], { stdio: 'ignore' })
    const engine = { url: `http://127.0.0.1:${port}`, port, child }
    engines.push(engine)
    await until('the engine answers', async () => (await fetch(`${engine.url}/health`)).ok, 60_000, 100)
    return engine
}

before(async () => {
    if (skip) return
    const tools = join(dirname(server), '../../gguf-py')
    const maker = join(dirname(fileURLToPath(import.meta.url)), 'lib/make_adapter.py')
    for (const [name, seed] of [['sql', 1], ['code', 2]]) execFileSync('/usr/bin/python3', [maker, tools, join(dir, `${name}.gguf`), String(seed)])
    await startEngine()
    const able = await startEngine('--lora', `${join(dir, 'sql.gguf')},${join(dir, 'code.gguf')}`)
    // Nothing is applied unless it is asked for.
    assert.ok((await fetch(`${able.url}/lora-adapters`, { method: 'POST', body: '[]' })).ok)
    stoker = await startStoker({ config: `
pools:
  - name: chat
    models: [tiny]
    replicas: [${engines.map((engine) => `{url: ${engine.url}}`).join(', ')}]
    health: {interval: 200ms}
` })
})
after(async () => {
    for (const { child } of engines) child.kill('SIGKILL')
    await stopAll()
})

// Without reuse of prompts: what is computed anew and what was kept differ in their last digits, which is enough for another token.
const body = { temperature: 0, cache_prompt: false, max_tokens: 8, messages: [{ role: 'user', content: 'hello' }] }
const ask = (url, more) => fetch(`${url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ...body, ...more }) })
const text = async (answer) => (await answer.json()).choices[0].message.content

test('an adapter answers by its name, from the replica that has it, as the engine itself would', { skip, timeout: 120_000 }, async () => {
    const able = engines[1]
    await until('they are listed', async () => {
        const models = (await getJson(`${stoker.gateway}/v1/models`)).data
        return ['code', 'sql'].every((name) => models.some((entry) => entry.id === name && entry.parent === 'tiny'))
    }, 30_000, 100)
    const expected = {
        tiny: await text(await ask(engines[0].url, {})),
        sql: await text(await ask(able.url, { lora: [{ id: 0, scale: 1 }] })),
        code: await text(await ask(able.url, { lora: [{ id: 1, scale: 1 }] })),
    }
    assert.equal(new Set(Object.values(expected)).size, 3, 'the adapters make a difference')
    for (const name of ['sql', 'code', 'sql', 'code', 'tiny', 'tiny', 'tiny', 'tiny']) {
        const answer = await ask(stoker.gateway, { model: name })
        assert.equal(answer.status, 200)
        if (name !== 'tiny') assert.ok(answer.headers.get('x-stoker-replica').endsWith(`:${able.port}`))
        assert.equal(await text(answer), expected[name], name)
    }
})

test('explain says who has it', { skip, timeout: 60_000 }, async () => {
    const told = JSON.parse((await run('route', 'explain', '--model', 'sql', '--server', stoker.console, '--output', 'json')).stdout)
    assert.equal(told.adapter, 'sql')
    const [without, having] = told.steps[0].replicas
    assert.equal(without.balance.excluded, 'lacks_adapter')
    assert.equal(having.balance.has_adapter, true)
    assert.ok(told.steps[0].pick.replica.endsWith(`:${engines[1].port}`))
})
