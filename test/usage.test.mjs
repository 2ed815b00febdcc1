// Tokens are counted exactly, whatever the API and however the answer ends; and three ledgers agree, or say that they
// don't.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'
import { streamChat } from './lib/client.mjs'
import { getJson, run, startSim, startStoker, stopAll, until } from './lib/stoker.mjs'

let stoker, sim

// Nothing is tried twice and nothing is continued: what is cut stays cut.
const config = (engine) => `
collect: {scrape_interval: 1s}
pools:
  - name: chat
    models: [tiny]
    retries: {max_attempts: 1}
    continuation: {max: 0}
    replicas:
      - {url: "${engine.url}"}
`

before(async () => {
    sim = await startSim({ model: 'tiny' })
    stoker = await startStoker({ config: config(sim) })
})
after(stopAll)

const messages = [{ role: 'user', content: 'Count to twelve, please.' }]
const tools = [{ type: 'function', function: { name: 'count', parameters: { type: 'object' } } }]
const record = (id, of = stoker) =>
    until(`the record ${id} is there`, async () => {
        const found = await getJson(`${of.console}/api/v1/requests/${id}`)
        return found.id ? found : null
    })

const asks = {
    'a chat': ['/v1/chat/completions', { messages, max_tokens: 12 }],
    'a tool call': ['/v1/chat/completions', { messages, max_tokens: 12, tools, tool_choice: 'required' }],
    'a completion': ['/v1/completions', { prompt: 'Count to twelve, please.', max_tokens: 12 }],
    'a message': ['/v1/messages', { messages, max_tokens: 12 }],
    'a response': ['/v1/responses', { input: 'Count to twelve, please.', max_output_tokens: 12 }],
}

// How the answer ends: what is set at the engine, and what the record must say of it.
const ends = {
    well: { outcome: 'ok', tokens: 12, source: 'engine' },
    'with usage that nobody sent': { fault: { kind: 'no_usage', count: 1 }, outcome: 'ok', tokens: 12, source: 'estimated' },
    'cut after five tokens': { fault: { kind: 'cut_stream', after_tokens: 5, count: 1 }, outcome: 'truncated', tokens: 5, source: 'estimated' },
}

for (const [what, [path, ask]] of Object.entries(asks)) {
    for (const stream of [true, false]) {
        for (const [how, end] of Object.entries(ends)) {
            // Whole answers are all or nothing; and Anthropic's streams have no end without their usage.
            if (end.fault && (!stream || (end.fault.kind === 'no_usage' && path !== '/v1/chat/completions' && path !== '/v1/completions'))) continue
            test(`${what}, ${stream ? 'streamed' : 'whole'}, that ends ${how}`, async () => {
                if (end.fault) await sim.fault(end.fault)
                const id = `${what}-${stream}-${how}`.replaceAll(' ', '-')
                const answer = await fetch(stoker.gateway + path, {
                    method: 'POST',
                    headers: { 'content-type': 'application/json', 'x-request-id': id },
                    body: JSON.stringify({ model: 'tiny', stream, ...ask }),
                })
                await answer.text().catch(() => '')
                await sim.clearFaults()
                const seen = await record(id)
                assert.equal(seen.outcome, end.outcome)
                assert.equal(seen.completion_tokens, end.tokens)
                assert.equal(seen.usage_source, end.source)
                assert.ok(seen.prompt_tokens > 0)
            })
        }
    }
}

test('a client that leaves is charged with what it got, and the rest is waste', async () => {
    const slow = await startSim({ model: 'slow', profile: 'tiny' })
    await slow.fault({ kind: 'stall_stream', after_tokens: 7 })
    const other = await startStoker({ config: config(slow).replace('tiny', 'slow') })
    const controller = new AbortController()
    const answer = await fetch(`${other.gateway}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-request-id': 'leaver' },
        body: JSON.stringify({ model: 'slow', stream: true, messages, max_tokens: 50 }),
        signal: controller.signal,
    })
    let text = ''
    for await (const piece of answer.body) {
        text += Buffer.from(piece).toString()
        if ((text.match(/"content":"[^"]/g) ?? []).length >= 7) break
    }
    controller.abort()
    const seen = await record('leaver', other)
    assert.equal(seen.outcome, 'cancelled')
    assert.equal(seen.completion_tokens, 7)
    assert.equal(seen.usage_source, 'estimated')
    assert.equal(seen.attempts[0].tokens, 7)
})

// An engine that says what it is told to: the parts of usage that the simulated one does not have.
async function startScripted(answers) {
    const server = createServer(async (request, response) => {
        let text = ''
        for await (const piece of request) text += piece
        const answer = answers[request.url]
        if (!answer) return response.writeHead(request.url === '/health' ? 200 : 404).end()
        const { stream } = JSON.parse(text)
        response.writeHead(200, { 'content-type': stream ? 'text/event-stream' : 'application/json' })
        response.end(stream ? answer.events.map((event) => (event === '[DONE]' ? 'data: [DONE]\n\n' : `data: ${JSON.stringify(event)}\n\n`)).join('') : JSON.stringify(answer.whole))
    })
    await new Promise((done) => server.listen(0, '127.0.0.1', done))
    after(() => server.close())
    return { url: `http://127.0.0.1:${server.address().port}` }
}

test('cached and reasoning tokens are told apart, in every API', async () => {
    const openai = { prompt_tokens: 100, completion_tokens: 30, total_tokens: 130, prompt_tokens_details: { cached_tokens: 64 }, completion_tokens_details: { reasoning_tokens: 20 } }
    const responses = { input_tokens: 100, output_tokens: 30, total_tokens: 130, input_tokens_details: { cached_tokens: 64 }, output_tokens_details: { reasoning_tokens: 20 } }
    const anthropic = { input_tokens: 36, output_tokens: 30, cache_read_input_tokens: 64, cache_creation_input_tokens: 0 }
    const choice = (delta, finish_reason = null) => ({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'tiny', choices: [{ index: 0, delta, finish_reason }] })
    const engine = await startScripted({
        '/v1/chat/completions': {
            whole: { id: 'c', object: 'chat.completion', choices: [{ index: 0, message: { role: 'assistant', reasoning_content: 'hm', content: 'x' }, finish_reason: 'stop' }], usage: openai },
            events: [choice({ role: 'assistant', content: '' }), choice({ reasoning_content: 'hm' }), choice({ content: 'x' }), choice({}, 'stop'), { ...choice({}), choices: [], usage: openai }, '[DONE]'],
        },
        '/v1/responses': {
            whole: { id: 'r', object: 'response', status: 'completed', output: [{ type: 'message', content: [{ type: 'output_text', text: 'x' }] }], usage: responses },
            events: [
                { type: 'response.created', response: { id: 'r', status: 'in_progress' }, sequence_number: 0 },
                { type: 'response.output_text.delta', delta: 'x', sequence_number: 1 },
                { type: 'response.completed', response: { id: 'r', status: 'completed', usage: responses }, sequence_number: 2 },
            ],
        },
        '/v1/messages': {
            whole: { id: 'm', type: 'message', content: [{ type: 'text', text: 'x' }], stop_reason: 'end_turn', usage: anthropic },
            events: [
                { type: 'message_start', message: { id: 'm', type: 'message', content: [], usage: { ...anthropic, output_tokens: 1 } } },
                { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
                { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'x' } },
                { type: 'content_block_stop', index: 0 },
                { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 30 } },
                { type: 'message_stop' },
            ],
        },
    })
    const other = await startStoker({ config: config(engine) })
    for (const path of ['/v1/chat/completions', '/v1/responses', '/v1/messages']) {
        for (const stream of [false, true]) {
            const id = `parts-${path.replaceAll('/', '-')}-${stream}`
            const answer = await fetch(other.gateway + path, {
                method: 'POST',
                headers: { 'content-type': 'application/json', 'x-request-id': id },
                body: JSON.stringify({ model: 'tiny', stream, messages, input: 'x' }),
            })
            assert.equal(answer.status, 200, await answer.text())
            const seen = await record(id, other)
            assert.equal(seen.outcome, 'ok', id)
            assert.equal(seen.prompt_tokens, 100, id)
            assert.equal(seen.completion_tokens, 30, id)
            assert.equal(seen.cached_tokens, 64, id)
            if (path !== '/v1/messages') assert.equal(seen.reasoning_tokens, 20, id)
            assert.equal(seen.usage_source, 'engine', id)
        }
    }
})

// Three ledgers, each kind of drift with a gateway and an engine of its own.
async function startPair(model = 'tiny', profile = 'tiny') {
    const engine = await startSim({ model, profile })
    const gateway = await startStoker({ config: config(engine) })
    return {
        engine,
        gateway,
        ask: (count) => Promise.all(Array.from({ length: count }, () => streamChat(gateway.gateway, { model, messages, max_tokens: 100, ignore_eos: true }))),
        ledger: async () => (await getJson(`${gateway.console}/api/v1/ledgers?last=10m`)).replicas.find((each) => each.pool === 'chat'),
        inSight: () =>
            until('the engine has been looked at', async () => {
                const found = await getJson(`${gateway.console}/api/v1/query?query=llm_engine_generation_tokens_total`)
                return found.data.result.length > 0
            }),
    }
}

const drift = (pair, name) =>
    until(`the drift ${name}`, async () => {
        const seen = await pair.ledger()
        return seen?.drifts.includes(name) ? seen : null
    }, 30_000, 250).catch(async (error) => assert.fail(`${error.message}: ${JSON.stringify(await pair.ledger())}`))

test('the three ledgers agree', async () => {
    const pair = await startPair()
    await pair.inSight()
    await pair.ask(30)
    const seen = await until('they agree', async () => {
        const now = await pair.ledger()
        const { completion, prompt } = now ?? {}
        return completion?.known === 3000 && completion.engine === 3000 && prompt.known === prompt.engine ? now : null
    }, 30_000, 250).catch(async (error) => assert.fail(`${error.message}: ${JSON.stringify(await pair.ledger())}`))
    assert.deepEqual(seen.drifts, [])
    assert.equal(seen.completion.counted, 3000)
    assert.equal(seen.completion.usage.stream, 3000)
    const table = await run('ledgers', '--last', '10m', '--server', pair.gateway.console)
    assert.equal(table.code, 0)
    assert.match(table.stdout, /REPLICA +TYPE +COUNTED +USAGE +UNREPORTED +ENGINE +DRIFT/)
    const waste = await run('ledgers', '--waste', '--server', pair.gateway.console)
    assert.equal(waste.code, 0)
})

test('traffic past the gateway is seen as such', async () => {
    const pair = await startPair()
    await pair.inSight()
    for (let i = 0; i < 4; i++) {
        const answer = await fetch(`${pair.engine.url}/v1/chat/completions`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ model: 'tiny', messages, max_tokens: 400, ignore_eos: true }),
        })
        assert.equal((await answer.json()).usage.completion_tokens, 400)
    }
    await drift(pair, 'engine_more')
    await until('all of it is', async () => {
        const { completion } = await pair.ledger()
        return completion.engine - completion.known === 1600
    })
})

test('usage that is too high is seen as such', async () => {
    const pair = await startPair()
    await pair.inSight()
    await pair.engine.fault({ kind: 'wrong_usage', factor: 10 })
    await pair.ask(5)
    assert.deepEqual((await drift(pair, 'engine_less')).drifts, ['engine_less'])
})

test('usage that is too low is seen as such', async () => {
    const pair = await startPair()
    await pair.inSight()
    await pair.engine.fault({ kind: 'wrong_usage', factor: 0.1 })
    await pair.ask(20)
    assert.ok((await drift(pair, 'usage_less')).completion.counted >= 2000)
})

test('what an engine did before it was first looked at, and its restart, are no drift', async () => {
    const engine = await startSim({ model: 'tiny' })
    const ask = (url, tokens) => fetch(`${url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ model: 'tiny', messages, max_tokens: tokens, ignore_eos: true }) }).then((answer) => answer.json())
    for (let i = 0; i < 5; i++) await ask(engine.url, 400)
    const gateway = await startStoker({ config: config(engine) })
    const counter = async () => Number((await getJson(`${gateway.console}/api/v1/query?query=llm_engine_generation_tokens_total`)).data.result[0]?.value[1])
    await until('its counter is seen', async () => (await counter()) === 2000)
    engine.child.kill('SIGKILL')
    await engine.ended()
    const again = await startSim({ model: 'tiny', port: engine.port })
    await until('it is asked again', async () => (await ask(gateway.gateway, 300)).usage?.completion_tokens === 300, 20_000, 100)
    for (let i = 0; i < 6; i++) await ask(gateway.gateway, 300)
    await until('its new counter is seen', async () => (await counter()) === 2100)
    const seen = (await getJson(`${gateway.console}/api/v1/ledgers?last=10m`)).replicas.find((each) => each.pool === 'chat')
    assert.equal(seen.completion.known, 2100)
    assert.deepEqual(seen.drifts, [], JSON.stringify(seen))
    assert.equal(again.exit, null)
})
