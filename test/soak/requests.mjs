// One request of each kind that the soak sends, and what a client of it must have seen.
//
// The simulated engine answers in numbered words (docs/sim-engine.md), one a token: an answer is right when it is w0, w1, …
// without a gap, as long as was asked for, and its usage says so.
import { request } from 'node:http'

const prompt = (random) => 'tell me a story '.repeat(1 + random.int(40))
const tools = [{ type: 'function', function: { name: 'tell', parameters: { type: 'object' } } }]
const numbers = new Map() // By text: what its embedding was the first time.

// What differs between the APIs: the body, and where text, usage and end stand in an event and in a whole answer.
const kinds = {
    chat: {
        path: '/v1/chat/completions',
        body: (random, tokens) => ({ messages: [{ role: 'user', content: prompt(random) }], max_tokens: tokens, temperature: 0, ignore_eos: true }),
        stream: { stream_options: { include_usage: true } },
        text: (event) => event.choices?.[0]?.delta?.content ?? '',
        wholeText: (answer) => answer.choices[0].message.content,
        used: (event) => event.usage?.completion_tokens,
        ends: (data) => data === '[DONE]',
    },
    // The arguments are the words, as JSON.
    tool: {
        path: '/v1/chat/completions',
        body: (random, tokens) => ({ messages: [{ role: 'user', content: prompt(random) }], max_tokens: tokens, temperature: 0, ignore_eos: true, tools, tool_choice: 'required' }),
        stream: { stream_options: { include_usage: true } },
        text: (event) => (event.choices?.[0]?.delta?.tool_calls ?? []).map((call) => call.function.arguments).join(''),
        wholeText: (answer) => answer.choices[0].message.tool_calls[0].function.arguments,
        clean: (text) => text.replace(/^\{"words":"/, '').replace(/"\}$/, ''),
        used: (event) => event.usage?.completion_tokens,
        ends: (data) => data === '[DONE]',
    },
    // Few questions, asked again and again: they are kept, and shared.
    kept: {
        path: '/v1/chat/completions',
        model: 'kept',
        body: (random, tokens) => ({ messages: [{ role: 'user', content: `question ${random.int(30)}` }], max_tokens: tokens, temperature: 0, ignore_eos: true }),
        tokens: (tokens) => 10 * Math.ceil(tokens / 20),
        stream: { stream_options: { include_usage: true } },
        text: (event) => event.choices?.[0]?.delta?.content ?? '',
        wholeText: (answer) => answer.choices[0].message.content,
        used: (event) => event.usage?.completion_tokens,
        ends: (data) => data === '[DONE]',
    },
    // Sent together with others' by the gateway. Each text has its own numbers, whatever it is sent with.
    embedding: {
        path: '/v1/embeddings',
        model: 'embed',
        whole: true,
        body: (random) => ({ input: Array.from({ length: 1 + random.int(3) }, () => `text ${random.int(500)}`) }),
        check: (answer, { input }) => {
            if (answer.data.length !== input.length) return `${answer.data.length} embeddings for ${input.length} texts`
            for (const [at, text] of input.entries()) {
                const seen = JSON.stringify(answer.data[at].embedding)
                if (answer.data[at].index !== at) return `embedding ${at} has the index ${answer.data[at].index}`
                if (numbers.has(text) && numbers.get(text) !== seen) return `the embedding of '${text}' is another than before`
                numbers.set(text, seen)
            }
            return answer.usage?.prompt_tokens > 0 ? '' : 'no usage'
        },
    },
    completion: {
        path: '/v1/completions',
        body: (random, tokens) => ({ prompt: prompt(random), max_tokens: tokens, temperature: 0, ignore_eos: true }),
        stream: { stream_options: { include_usage: true } },
        text: (event) => event.choices?.[0]?.text ?? '',
        wholeText: (answer) => answer.choices[0].text,
        used: (event) => event.usage?.completion_tokens,
        ends: (data) => data === '[DONE]',
    },
    messages: {
        path: '/v1/messages',
        body: (random, tokens) => ({ messages: [{ role: 'user', content: prompt(random) }], max_tokens: tokens, ignore_eos: true }),
        text: (event) => event.delta?.text ?? '',
        wholeText: (answer) => answer.content[0].text,
        used: (event) => (event.type === 'message_start' ? undefined : event.usage?.output_tokens),
        ends: (data) => data.includes('"message_stop"'),
    },
    responses: {
        path: '/v1/responses',
        body: (random, tokens) => ({ input: prompt(random), max_output_tokens: tokens, ignore_eos: true }),
        text: (event) => (event.type === 'response.output_text.delta' ? event.delta : ''),
        wholeText: (answer) => answer.output[0].content[0].text,
        used: (event) => (event.response ?? event).usage?.output_tokens,
        ends: (data) => data.includes('"type":"response.completed"') || data.includes('"type":"response.incomplete"'),
    },
}

export const kindNames = Object.keys(kinds)

// Sends one request and resolves (never rejects) with what was seen: { outcome, text, words, used, status, error }.
// outcome: `ok`, `refused` (an error status with a code), `broken` (an error event after the first byte), `unmetered` (a whole
// answer of an engine that broke before it told its usage), `limited` (429 of a tenant that is over its limits), `left` (this client went away, as asked for by `leaveAfter` events),
// or `wrong`, with `why`.
export function ask({ gateway, agent, key, id, kind, model, stream, tokens, leaveAfter, random, deadline }) {
    const api = kinds[kind]
    stream &&= !api.whole
    tokens = api.tokens?.(tokens) ?? tokens
    const asked = { model: api.model ?? model, ...api.body(random, tokens) }
    const body = JSON.stringify({ ...asked, ...(stream ? { stream: true, ...api.stream } : {}) })
    const seen = { kind, stream, outcome: 'wrong', why: '', status: 0, text: '', used: undefined, error: null, ended: false, events: 0 }
    return new Promise((resolve) => {
        let finished = false
        const finish = (cut) => {
            if (finished) return
            finished = true
            clearTimeout(timer)
            judge(seen, api, { cut, tokens, stream, asked })
            resolve(seen)
        }
        const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), authorization: `Bearer ${key}`, 'x-request-id': id }
        const call = request(gateway + api.path, { method: 'POST', headers, agent }, (response) => {
            seen.status = response.statusCode
            seen.cache = response.headers['x-stoker-cache'] ?? ''
            seen.raw = ''
            let pending = ''
            response.setEncoding('utf8')
            response.on('data', (text) => {
                if (!stream || seen.status !== 200) {
                    seen.raw += text
                    return
                }
                pending += text
                const parts = pending.split('\n\n')
                pending = parts.pop()
                for (const part of parts) take(part, seen, api)
                if (leaveAfter !== undefined && seen.events >= leaveAfter && !seen.ended) {
                    seen.left = true
                    call.destroy()
                    finish(false)
                }
            })
            response.on('end', () => finish(!response.complete))
            response.on('error', () => finish(true))
        })
        const timer = setTimeout(() => {
            seen.stuck = true
            call.destroy()
            finish(true)
        }, deadline)
        call.on('error', (error) => {
            seen.connection = error.code
            finish(true)
        })
        call.end(body)
    })
}

function take(part, seen, api) {
    for (const line of part.split('\n')) {
        if (!line.startsWith('data:')) continue
        const data = line.slice(5).trim()
        seen.events++
        if (api.ends(data)) seen.ended = true
        if (data === '[DONE]') continue
        let event
        try {
            event = JSON.parse(data)
        } catch {
            seen.why = `an event that is no JSON: ${data.slice(0, 100)}`
            continue
        }
        if (event.error || event.type === 'error' || event.type === 'response.failed') {
            seen.error = event.error ?? event
            continue
        }
        seen.text += api.text(event)
        seen.used = api.used(event) ?? seen.used
    }
}

function judge(seen, api, { cut, tokens, stream, asked }) {
    if (seen.left) {
        seen.outcome = 'left'
        return
    }
    if (seen.stuck) {
        seen.why = 'no end within the deadline'
        return
    }
    if (seen.status === 0) {
        seen.why = `no answer: ${seen.connection}`
        return
    }
    if (seen.status !== 200) {
        try {
            seen.error = JSON.parse(seen.raw).error
        } catch {
            // Told below.
        }
        if (seen.error?.type) seen.outcome = seen.status === 429 && seen.error.code === 'rate_limit_exceeded' ? 'limited' : 'refused'
        else seen.why = `status ${seen.status} without an error that a client can read: ${seen.raw.slice(0, 200)}`
        return
    }
    if (!stream) {
        try {
            const answer = JSON.parse(seen.raw)
            if (api.check) {
                seen.words = 0
                seen.why = api.check(answer, asked)
                if (!seen.why) seen.outcome = 'ok'
                return
            }
            seen.text = api.wholeText(answer)
            seen.used = api.used(answer)
        } catch (error) {
            seen.why = `an answer that can't be read (${error.message}): ${seen.raw.slice(0, 200)}`
            return
        }
    }
    const words = (api.clean?.(seen.text) ?? seen.text).split(' ').filter(Boolean)
    seen.words = words.length
    const gap = words.findIndex((word, at) => word !== `w${at}`)
    if (gap >= 0) {
        seen.why = `token ${gap} is ${words[gap]}`
        return
    }
    if (seen.why) return
    if (seen.error) {
        if (seen.ended) seen.why = 'an error and yet a regular end'
        else seen.outcome = 'broken'
        return
    }
    if (cut || (stream && !seen.ended)) seen.why = `cut after ${words.length} tokens without a word`
    else if (words.length !== tokens) seen.why = `${words.length} tokens of ${tokens}, told as whole`
    else if (seen.used === undefined && stream) seen.outcome = 'unmetered'
    else if (seen.used !== tokens) seen.why = `usage says ${seen.used} of ${tokens} tokens`
    else seen.outcome = 'ok'
}
