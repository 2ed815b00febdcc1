// The same with a real inference engine: llama.cpp's server with a tiny model, two of them, under examples/two-engines.yaml.
//
// Needs a command `real-engine` that runs one on a port (real-engine run PORT) and has been built before; STOKER_REAL_ENGINE
// names it. Skips, saying so, where there is none: it takes minutes to build and is no part of this repository.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import OpenAI from 'openai'
import { streamChat } from './lib/client.mjs'
import { getJson, root, run, startStoker, stopAll, until } from './lib/stoker.mjs'

const command = process.env.STOKER_REAL_ENGINE ?? join(root, '../shared/engine/real-engine')

function missing() {
    if (!existsSync(command)) return `no real engine: ${command} does not exist`
    const [server, model] = execFileSync(command, ['path'], { encoding: 'utf8' }).trim().split(' ')
    return existsSync(server) && existsSync(model) ? false : `no real engine: \`${command} build\` has not been run`
}

const skip = missing()
let stoker
const messages = [{ role: 'user', content: 'Tell me about boilers.' }]
const engines = async () => (await getJson(`${stoker.console}/api/v1/engines`)).engines

before(async () => {
    if (skip) return
    const example = readFileSync(join(root, 'examples/two-engines.yaml'), 'utf8')
    // The example's own files are found from where it stands; nothing else is changed.
    const config = example.replaceAll(/(- |\[)(rules\/)/g, `$1${join(root, 'examples')}/$2`)
    stoker = await startStoker({ config, env: { PATH: `${dirname(command)}:${process.env.PATH}` } })
    await until('both real engines serve', async () => (await engines()).filter((engine) => engine.state === 'serving' && engine.health.ok).length === 2, 60_000, 250)
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

test('usage and records agree over the OpenAI SDK', { skip, timeout: 120_000 }, async () => {
    const openai = new OpenAI({ apiKey: 'unused', baseURL: `${stoker.gateway}/v1`, maxRetries: 0, fetch: globalThis.fetch })
    const seen = { prompt: 0, completion: 0, ids: [] }
    const before = await tokens()
    for (let i = 0; i < 6; i++) {
        const { data: stream, response } = await openai.chat.completions
            .create({ model: 'tiny', messages, max_tokens: 12 + i, stream: true, stream_options: { include_usage: true } })
            .withResponse()
        for await (const chunk of stream) {
            if (!chunk.usage) continue
            seen.prompt += chunk.usage.prompt_tokens
            seen.completion += chunk.usage.completion_tokens
        }
        seen.ids.push(response.headers.get('x-request-id'))
    }
    assert.ok(seen.completion > 0)
    await until('the counters agree', async () => {
        const now = await tokens()
        return now.prompt - before.prompt === seen.prompt && now.completion - before.completion === seen.completion
    }, 30_000, 250)
    const listed = JSON.parse((await run('requests', '--last', '5m', '--server', stoker.console, '--output', 'json')).stdout)
    for (const id of seen.ids) assert.equal(listed.requests.filter((record) => record.id === id).length, 1)
})

async function tokens() {
    const answer = JSON.parse((await run('query', 'sum by (model,type) (llm_tokens_total)', '--server', stoker.console, '--output', 'json')).stdout)
    const sums = { prompt: 0, completion: 0 }
    for (const series of answer.data.result) sums[series.metric.type] = Number(series.value[1])
    return sums
}

test('llama.cpp is recognised and measured', { skip, timeout: 60_000 }, async () => {
    const [engine] = await until('it was scraped', async () => {
        const all = await engines()
        return all.every((each) => each.scrape?.ok && each.kind) ? all : null
    }, 30_000, 250)
    assert.equal(engine.kind, 'llama.cpp')
    assert.ok(engine.scrape.samples > 5)
})

for (const [signal, kind] of [['SIGKILL', 'engine_down'], ['SIGSTOP', 'engine_hung']]) {
    test(`${signal} with 20 streams running`, { skip, timeout: 180_000 }, async () => {
        let began = 0
        const streams = Array.from({ length: 20 }, () =>
            streamChat(stoker.gateway, { model: 'tiny', max_tokens: 400, messages, ignore_eos: true }, { onFirstByte: () => began++ }),
        )
        await until('streams are under way', () => began >= 6, 30_000, 10)
        const victim = (await engines())[0]
        const at = Date.now()
        process.kill(victim.process.pid, signal)
        const incident = await until('an incident opens', async () => (await getJson(`${stoker.console}/api/v1/incidents`)).incidents.find((each) => each.opened_ms >= at - 50), 10_000)
        assert.ok(incident.opened_ms - at < 5_000, `opened after ${incident.opened_ms - at} ms`)
        const seen = await Promise.all(streams)
        for (const stream of seen) {
            if (stream.done) continue
            assert.ok(stream.error, 'a clean end without [DONE]')
            assert.ok(stream.firstByteAt !== null && stream.firstByteAt <= at + 100, `a request without its first byte failed: ${JSON.stringify(stream.error)}`)
        }
        const resolved = await until('it is resolved', async () => {
            const now = await getJson(`${stoker.console}/api/v1/incidents/${incident.id}`)
            return now.status === 'resolved' ? now : null
        }, 120_000, 250)
        assert.equal(resolved.kind, kind)
        for (const phase of ['detect', 'diagnose', 'act', 'verify', 'resolve']) assert.ok(resolved.timeline.some((entry) => entry.phase === phase), phase)
        await until('both serve again', async () => (await engines()).every((engine) => engine.state === 'serving'), 10_000)
    })
}
