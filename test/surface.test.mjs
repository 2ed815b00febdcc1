// The whole surface of the gateway, driven by the official SDKs of OpenAI and Anthropic as they come.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI, { toFile } from 'openai'
import { getJson, startSim, startStoker, stopAll, until } from './lib/stoker.mjs'

let stoker, sim, openai, anthropic

before(async () => {
    sim = await startSim({ model: 'sim-model' })
    stoker = await startStoker({
        config: `
pools:
  - name: chat
    models: [tiny]
    retries: {max_attempts: 2}
    replicas:
      - {url: "${sim.url}", model: sim-model}
`,
    })
    const fetch = globalThis.fetch
    openai = new OpenAI({ apiKey: 'unused', baseURL: `${stoker.gateway}/v1`, maxRetries: 0, fetch })
    anthropic = new Anthropic({ apiKey: 'unused', baseURL: stoker.gateway, maxRetries: 0, fetch })
})
after(stopAll)

const messages = [{ role: 'user', content: 'Say something.' }]
const words = (count) => Array.from({ length: count }, (_, i) => `w${i}`).join(' ')
const fault = (kind, fields = {}) => getJson(`${sim.url}/sim/faults`, { method: 'POST', body: JSON.stringify({ kind, ...fields }) })
const post = (path, body, headers = {}) =>
    fetch(stoker.gateway + path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) })

async function record(id) {
    return until(`the record ${id} is there`, async () => {
        const found = await getJson(`${stoker.console}/api/v1/requests/${id}`)
        return found.id ? found : null
    })
}

test('Anthropic: a message, its usage on record', async () => {
    const { data, response } = await anthropic.messages.create({ model: 'tiny', max_tokens: 5, messages }).withResponse()
    assert.equal(data.content[0].text, words(5))
    assert.equal(data.stop_reason, 'max_tokens')
    const seen = await record(response.headers.get('x-request-id'))
    assert.equal(seen.endpoint, '/v1/messages')
    assert.equal(seen.completion_tokens, 5)
    assert.equal(seen.prompt_tokens, data.usage.input_tokens)
    assert.equal(seen.usage_source, 'engine')
    assert.equal(seen.finish_reason, 'max_tokens')
})

test('Anthropic: a stream, event by event', async () => {
    const stream = anthropic.messages.stream({ model: 'tiny', max_tokens: 12, messages, system: 'Be brief.' })
    const kinds = new Set()
    stream.on('streamEvent', (event) => kinds.add(event.type))
    const message = await stream.finalMessage()
    assert.equal(message.content[0].text, words(12))
    assert.equal(message.usage.output_tokens, 12)
    for (const kind of ['message_start', 'content_block_delta', 'message_delta', 'message_stop']) assert.ok(kinds.has(kind), kind)
    assert.ok(stream.request_id)
    const seen = await record(stream.request_id)
    assert.equal(seen.completion_tokens, 12)
    assert.equal(seen.prompt_tokens, message.usage.input_tokens)
    assert.equal(seen.stream, true)
})

test('Anthropic: tools, streamed and not', async () => {
    const tools = [{ name: 'speak', input_schema: { type: 'object', properties: { words: { type: 'string' } } } }]
    const ask = { model: 'tiny', max_tokens: 4, messages, tools, tool_choice: { type: 'any' } }
    const whole = await anthropic.messages.create(ask)
    assert.deepEqual(whole.content[0].input, { words: words(4) })
    assert.equal(whole.stop_reason, 'tool_use')
    const streamed = await anthropic.messages.stream(ask).finalMessage()
    assert.equal(streamed.content[0].name, 'speak')
    assert.deepEqual(streamed.content[0].input, { words: words(4) })
})

test('Anthropic: tokens are counted by the engine', async () => {
    assert.ok((await anthropic.messages.countTokens({ model: 'tiny', messages })).input_tokens > 0)
})

test('Anthropic: errors are the classes of its SDK, with our code', async () => {
    await assert.rejects(anthropic.messages.create({ model: 'tinny', max_tokens: 1, messages }), (error) => {
        assert.ok(error instanceof Anthropic.NotFoundError, error)
        assert.equal(error.error.type, 'error')
        assert.equal(error.error.error.type, 'not_found_error')
        assert.equal(error.error.error.code, 'model_not_found')
        return true
    })
    await assert.rejects(anthropic.messages.create({ model: 'tiny', messages }), Anthropic.BadRequestError, "the engine's own refusal")
    await fault('error_rate', { count: 2, status: 503 })
    await assert.rejects(anthropic.messages.create({ model: 'tiny', max_tokens: 1, messages }), (error) => {
        assert.ok(error instanceof Anthropic.InternalServerError, error)
        assert.equal(error.error.error.type, 'overloaded_error')
        assert.equal(error.error.error.code, 'upstream_overloaded')
        return true
    })
    await fault('rate_limit', { count: 1, retry_after: '1s' })
    await assert.rejects(anthropic.messages.create({ model: 'tiny', max_tokens: 1, messages }), Anthropic.RateLimitError)
    await until('the engine is asked again', () => anthropic.messages.create({ model: 'tiny', max_tokens: 1, messages }))
})

test('Anthropic: a stream that breaks raises, and the record says how much came', async () => {
    await fault('cut_stream', { count: 1, after_tokens: 6 })
    let text = ''
    const stream = await anthropic.messages.create({ model: 'tiny', max_tokens: 12, messages, stream: true }, { headers: { 'x-request-id': 'cut-message' } })
    await assert.rejects(async () => {
        for await (const event of stream) text += event.delta?.text ?? ''
    }, (error) => {
        assert.ok(error instanceof Anthropic.APIError, error)
        assert.match(JSON.stringify(error.error), /upstream_stream_cut/)
        return true
    })
    assert.ok(words(12).startsWith(text))
    const seen = await record('cut-message')
    assert.equal(seen.outcome, 'truncated')
    assert.equal(seen.usage_source, 'estimated')
    assert.equal(seen.completion_tokens, 6)
})

test('OpenAI: responses, whole and streamed', async () => {
    const { data, response } = await openai.responses.create({ model: 'tiny', input: 'Say something.', instructions: 'Now.', max_output_tokens: 6 }).withResponse()
    assert.equal(data.output_text, words(6))
    assert.equal(data.status, 'incomplete')
    const whole = await record(response.headers.get('x-request-id'))
    assert.equal(whole.completion_tokens, data.usage.output_tokens)
    assert.equal(whole.finish_reason, 'max_output_tokens')

    const stream = await openai.responses.create({ model: 'tiny', input: messages, stream: true, max_output_tokens: 9 }, { headers: { 'x-request-id': 'response-stream' } })
    let text = ''
    let last
    let sequence = -1
    for await (const event of stream) {
        assert.equal(event.sequence_number, ++sequence)
        if (event.type === 'response.output_text.delta') text += event.delta
        last = event
    }
    assert.equal(text, words(9))
    assert.equal(last.response.usage.output_tokens, 9)
    assert.equal((await record('response-stream')).completion_tokens, 9)
})

test('OpenAI: a response that breaks raises', async () => {
    await fault('cut_stream', { count: 1, after_tokens: 4 })
    const stream = await openai.responses.create({ model: 'tiny', input: 'x', stream: true, max_output_tokens: 9 })
    await assert.rejects(async () => {
        for await (const _ of stream);
    }, OpenAI.APIError)
})

test('OpenAI: tool calls, streamed and not, with exact usage', async () => {
    const tools = [{ type: 'function', function: { name: 'speak', parameters: { type: 'object' } } }]
    const ask = { model: 'tiny', messages, tools, tool_choice: 'required', max_tokens: 7 }
    const whole = await openai.chat.completions.create(ask)
    assert.deepEqual(JSON.parse(whole.choices[0].message.tool_calls[0].function.arguments), { words: words(7) })
    const stream = await openai.chat.completions.create({ ...ask, stream: true }, { headers: { 'x-request-id': 'tool-stream' } })
    let json = ''
    for await (const chunk of stream) json += chunk.choices[0]?.delta?.tool_calls?.[0]?.function?.arguments ?? ''
    assert.deepEqual(JSON.parse(json), { words: words(7) })
    const seen = await record('tool-stream')
    assert.equal(seen.completion_tokens, 7)
    assert.equal(seen.finish_reason, 'tool_calls')
    assert.equal(seen.usage_source, 'engine')
})

test('OpenAI: errors are the classes of its SDK', async () => {
    await assert.rejects(openai.chat.completions.create({ model: 'none', messages }), OpenAI.NotFoundError)
    await assert.rejects(openai.responses.create({ model: 'none', input: 'x' }), OpenAI.NotFoundError)
    await assert.rejects(openai.chat.completions.create({ model: 'tiny', messages, max_tokens: 0 }), OpenAI.BadRequestError)
})

test('rerank, tokenize and what is new under /v1', async () => {
    const ranked = await (await post('/v1/rerank', { model: 'tiny', query: 'q', documents: ['one', 'three'] }, { 'x-request-id': 'rerank-1' })).json()
    assert.equal(ranked.results.length, 2)
    assert.equal((await record('rerank-1')).prompt_tokens, ranked.usage.total_tokens)
    assert.equal((await (await post('/tokenize', { model: 'tiny', prompt: 'eight by' })).json()).count, 2)
    const unknown = await post('/v1/brand-new', { model: 'tiny' })
    assert.equal(unknown.status, 404)
    assert.match((await unknown.json()).error.message, /Not Found/, "the engine's own word")
    for (const path of ['/v1/load_lora_adapter', '/metrics', '/v1/nothing']) {
        const refused = await post(path, path === '/v1/nothing' ? {} : { model: 'tiny' })
        assert.equal(refused.status, 404, path)
        assert.equal((await refused.json()).error.code, 'unknown_path', path)
    }
    const messagesError = await post('/v1/messages/unheard-of', {})
    assert.equal((await messagesError.json()).type, 'error')
})

test('speech passes through byte by byte', async () => {
    const speech = await openai.audio.speech.create({ model: 'tiny', voice: 'alloy', input: 'Hello' })
    const bytes = Buffer.from(await speech.arrayBuffer())
    assert.equal(bytes.length, 4096)
    assert.deepEqual(bytes, Buffer.from(Array.from({ length: 4096 }, (_, i) => i & 255)))
})

test('recordings go up as forms, short ones whole and long ones as they come, whatever stands first in them', async () => {
    // The SDK's forms are for the fetch that it brings.
    const uploader = new OpenAI({ apiKey: 'unused', baseURL: `${stoker.gateway}/v1`, maxRetries: 0 })
    for (const size of [1000, 12_000_000]) {
        const file = await toFile(Buffer.alloc(size, 'a'), 'speech.wav', { type: 'audio/wav' })
        for (const [i, ask] of [{ file, model: 'tiny', language: 'en' }, { model: 'tiny', file }].entries()) {
            const id = `recording-${size}-${i}`
            const heard = await uploader.audio.transcriptions.create(ask, { headers: { 'x-request-id': id } })
            assert.match(heard.text, /heard \d+ bytes/)
            assert.ok(Number(/\d+/.exec(heard.text)[0]) > size)
            const seen = await record(id)
            assert.equal(seen.prompt_tokens, 14)
            assert.equal(seen.completion_tokens, 3)
            assert.ok(seen.request_bytes > size)
        }
    }
    const file = await toFile(Buffer.from('a'), 'speech.wav')
    await assert.rejects(uploader.audio.transcriptions.create({ file, model: 'none' }), OpenAI.NotFoundError)
})
