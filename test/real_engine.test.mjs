// The same with a real inference engine: llama.cpp's server with a tiny model, two of them, under examples/two-engines.yaml.
//
// Needs a command `real-engine` that runs one on a port (real-engine run PORT) and has been built before; STOKER_REAL_ENGINE
// names it. Skips, saying so, where there is none: it takes minutes to build and is no part of this repository.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import OpenAI from 'openai'
import { streamChat } from './lib/client.mjs'
import { freePort, getJson, root, run, startStoker, stopAll, until } from './lib/stoker.mjs'

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

const record = (id, console = stoker.console) =>
    until(`the record ${id}`, async () => {
        const found = await getJson(`${console}/api/v1/requests/${id}`)
        return found.id ? found : null
    })
const post = (path, body, id) =>
    fetch(stoker.gateway + path, { method: 'POST', headers: { 'content-type': 'application/json', 'x-request-id': id }, body: JSON.stringify(body) })

// The last usage that a stream's events tell of, and how many of them have text.
async function read(answer) {
    const seen = { usage: null, texts: 0, kinds: new Set() }
    for (const line of (await answer.text()).split('\n')) {
        if (!line.startsWith('data: {')) continue
        const event = JSON.parse(line.slice(6))
        seen.kinds.add(event.type)
        if (event.delta?.text || (event.type === 'response.output_text.delta' && event.delta)) seen.texts++
        seen.usage = event.response?.usage ?? event.usage ?? seen.usage
    }
    return seen
}

for (const [path, ask, last] of [
    ['/v1/messages', { messages, max_tokens: 10 }, 'message_stop'],
    ['/v1/responses', { input: 'Tell me about boilers.', max_output_tokens: 10 }, 'response.completed'],
]) {
    test(`${path}: usage is on record as the engine said it, whole and streamed`, { skip, timeout: 60_000 }, async () => {
        const name = path.slice(4)
        const whole = await (await post(path, { model: 'tiny', ...ask }, `${name}-whole`)).json()
        const known = await record(`${name}-whole`)
        assert.equal(known.status, 200, JSON.stringify(whole))
        assert.equal(known.usage_source, 'engine')
        assert.equal(known.completion_tokens, whole.usage.output_tokens)
        assert.equal(known.prompt_tokens, whole.usage.input_tokens + (whole.usage.cache_read_input_tokens ?? 0))
        assert.ok(known.completion_tokens > 0 && known.completion_tokens <= 10)

        const stream = await read(await post(path, { model: 'tiny', stream: true, ...ask }, `${name}-stream`))
        const seen = await record(`${name}-stream`)
        assert.ok(stream.kinds.has(last), [...stream.kinds].join(' '))
        assert.equal(seen.outcome, 'ok')
        assert.equal(seen.usage_source, 'engine')
        assert.equal(seen.completion_tokens, stream.usage.output_tokens)
        assert.ok(seen.completion_tokens > 0 && seen.completion_tokens <= 10)
        assert.ok(seen.events > 0 && seen.events <= 10)
    })
}

test('a stream goes on with another real engine, token by token', { skip, timeout: 120_000 }, async () => {
    const ports = [await freePort(), await freePort()]
    const processes = ports.map((port) => spawn(command, ['run', String(port)], { stdio: 'ignore', detached: true }))
    try {
        for (const port of ports) await until('it is up', async () => (await fetch(`http://127.0.0.1:${port}/health`)).ok, 60_000, 100)
        const other = await startStoker({
            config: `
pools:
  - name: p
    models: [tiny]
    replicas: [{url: "http://127.0.0.1:${ports[0]}"}, {url: "http://127.0.0.1:${ports[1]}"}]
`,
        })
        const body = { model: 'tiny', max_tokens: 300, temperature: 0, seed: 1, ignore_eos: true, messages, stream_options: { include_usage: true } }
        const uncut = await streamChat(`http://127.0.0.1:${ports[1]}`, body)
        assert.ok(uncut.done)
        await until('both are recognised', async () => {
            const all = (await getJson(`${other.console}/api/v1/engines`)).engines
            return all.length === 2 && all.every((engine) => engine.kind === 'llama.cpp' && engine.health.ok)
        }, 30_000, 100)
        let began = 0
        const streams = Array.from({ length: 4 }, (_, i) => streamChat(other.gateway, body, { headers: { 'x-request-id': `continued-${i}` }, onFirstByte: () => began++ }))
        await until('they flow', () => began >= 4, 30_000, 2)
        process.kill(-processes[0].pid, 'SIGKILL')
        for (const [i, stream] of (await Promise.all(streams)).entries()) {
            assert.ok(stream.done, JSON.stringify(stream.error))
            assert.equal(stream.usage.completion_tokens, 300)
            await same(stream, uncut, `http://127.0.0.1:${ports[1]}`)
            const seen = await record(`continued-${i}`, other.console)
            assert.equal(seen.outcome, 'ok')
            assert.equal(seen.attempts.reduce((sum, attempt) => sum + attempt.tokens, 0), 300)
        }
    } finally {
        for (const child of processes) {
            try {
                process.kill(-child.pid, 'SIGKILL')
            } catch {
                // It has ended already.
            }
        }
    }
})

// That no token is missing and none comes twice: the two answers are the same, or they part where the engine itself holds two
// tokens to be nearly as likely as each other: which of them wins depends on what it computes in the same batch, and whether the
// text so far was written token by token or read at once. (Measured: up to 0.1 apart, where the likeliest token has e^-4.)
async function same(stream, uncut, engine) {
    const at = stream.pieces.findIndex((piece, i) => piece !== uncut.pieces[i])
    if (at < 0) return
    const post = async (path, body) => (await fetch(engine + path, { method: 'POST', body: JSON.stringify(body) })).json()
    const { prompt } = await post('/apply-template', { messages })
    const next = await post('/completion', { prompt: prompt + uncut.pieces.slice(0, at).join(''), n_predict: 1, n_probs: 50, temperature: 0 })
    const likely = next.completion_probabilities[0].top_logprobs
    const of = (piece) => likely.find((each) => each.token === piece)?.logprob ?? -Infinity
    const gap = Math.abs(of(uncut.pieces[at]) - of(stream.pieces[at]))
    assert.ok(gap < 0.25, `token ${at} is ${JSON.stringify(stream.pieces[at])}, not ${JSON.stringify(uncut.pieces[at])}: ${JSON.stringify(likely.slice(0, 4))}`)
}

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
        // The one that took everything over may have been much slower than the other: then a request has to try it.
        await until('both serve again', async () => {
            await streamChat(stoker.gateway, { model: 'tiny', max_tokens: 1, messages })
            return (await engines()).every((engine) => engine.state === 'serving')
        }, 30_000, 200)
    })
}
