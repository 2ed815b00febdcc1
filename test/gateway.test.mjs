// Traffic through the gateway with OpenAI's own SDK, and what Stoker then says about it.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import OpenAI from 'openai'
import { getJson, run, startSim, startStoker, stopAll, until } from './lib/stoker.mjs'

let stoker, sims, openai

before(async () => {
    sims = [await startSim({ model: 'sim-model' }), await startSim({ model: 'sim-model' })]
    stoker = await startStoker({
        config: `
pools:
  - name: chat
    models: [tiny]
    replicas:
${sims.map((sim) => `      - {url: "${sim.url}", model: sim-model}`).join('\n')}
`,
    })
    // Node's own fetch: with Debian's Node 18 the SDK's default one calls every kept-alive stream cut, whoever serves it.
    openai = new OpenAI({ apiKey: 'unused', baseURL: `${stoker.gateway}/v1`, maxRetries: 0, fetch: globalThis.fetch })
})
after(stopAll)

const messages = [{ role: 'user', content: 'Say something.' }]

async function streamed(options = {}) {
    const stream = await openai.chat.completions.create({ model: 'tiny', messages, max_tokens: 20, stream: true, ...options })
    let text = ''
    let usage = null
    let finish = null
    for await (const chunk of stream) {
        text += chunk.choices[0]?.delta?.content ?? ''
        finish = chunk.choices[0]?.finish_reason ?? finish
        usage = chunk.usage ?? usage
    }
    return { text, usage, finish }
}

test('models are those of the configuration', async () => {
    const ids = []
    for await (const model of openai.models.list()) ids.push(model.id)
    assert.deepEqual(ids, ['tiny'])
})

test('a stream has its text, its end, and usage only when asked for', async () => {
    const plain = await streamed()
    assert.ok(plain.text.length > 0)
    assert.equal(plain.finish, 'length')
    assert.equal(plain.usage, null)
    const asked = await streamed({ stream_options: { include_usage: true } })
    assert.equal(asked.usage.completion_tokens, 20)
})

test('whole answers, legacy completions and embeddings', async () => {
    const chat = await openai.chat.completions.create({ model: 'tiny', messages, max_tokens: 8 })
    assert.equal(chat.usage.completion_tokens, 8)
    const legacy = await openai.completions.create({ model: 'tiny', prompt: 'Once', max_tokens: 5 })
    assert.equal(legacy.usage.completion_tokens, 5)
    const embedding = await openai.embeddings.create({ model: 'tiny', input: 'text' })
    assert.ok(embedding.data[0].embedding.length > 0)
})

test('an unknown model is a 404 in the shape of OpenAI, with the near name', async () => {
    await assert.rejects(openai.chat.completions.create({ model: 'tinny', messages }), (error) => {
        assert.equal(error.status, 404)
        assert.equal(error.code, 'model_not_found')
        assert.match(error.message, /tiny/)
        return true
    })
})

test('the metrics and the records agree with what the client saw', async () => {
    const seen = { prompt: 0, completion: 0, ids: new Set() }
    // What earlier tests used has to arrive first; it equals the sum of their records.
    const recorded = (await getJson(`${stoker.console}/api/v1/requests?last=1h&limit=1000`)).requests
    const sum = (key) => recorded.reduce((total, record) => total + record[key], 0)
    const before = { prompt: sum('prompt_tokens'), completion: sum('completion_tokens') }
    await until('the counters equal the records', async () => {
        const now = await tokens()
        return now.prompt === before.prompt && now.completion === before.completion
    }, 20_000, 250)
    for (let i = 0; i < 10; i++) {
        const { data, response } = await openai.chat.completions.create({ model: 'tiny', messages, max_tokens: 7 + i }).withResponse()
        seen.prompt += data.usage.prompt_tokens
        seen.completion += data.usage.completion_tokens
        seen.ids.add(response.headers.get('x-request-id'))
    }
    assert.equal(seen.ids.size, 10)
    await until('the counters have arrived', async () => {
        const now = await tokens()
        return now.prompt - before.prompt === seen.prompt && now.completion - before.completion === seen.completion
    }, 20_000, 250)

    const listed = await run('requests', '--last', '5m', '--limit', '1000', '--server', stoker.console, '--output', 'json')
    assert.equal(listed.code, 0, listed.stderr)
    const ids = JSON.parse(listed.stdout).requests.map((record) => record.id)
    assert.equal(new Set(ids).size, ids.length, 'a request stands twice')
    for (const id of seen.ids) assert.ok(ids.includes(id), `${id} is missing`)
})

async function tokens() {
    const answer = await run('query', 'sum by (model,type) (llm_tokens_total)', '--server', stoker.console, '--output', 'json')
    assert.equal(answer.code, 0, answer.stderr)
    const sums = { prompt: 0, completion: 0 }
    for (const series of JSON.parse(answer.stdout).data.result) sums[series.metric.type] = Number(series.value[1])
    return sums
}

test('records answer SQL, read-only', async () => {
    const sql = (query) => getJson(`${stoker.console}/api/v1/sql`, { method: 'POST', body: JSON.stringify({ query }) })
    const counted = await sql("SELECT count(*) AS n FROM requests WHERE outcome = 'ok'")
    assert.ok(counted.rows[0][0] >= 10)
    for (const query of ['DELETE FROM requests', "COPY requests TO '/tmp/x.csv'", "SELECT * FROM read_csv('/etc/passwd')", 'SELECT 1; DROP TABLE requests']) {
        assert.equal((await sql(query)).status, 'error', query)
    }
})

test('a trace context is continued and a request id kept', async () => {
    const trace = '0af7651916cd43dd8448eb211c80319c'
    const response = await fetch(`${stoker.gateway}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-request-id': 'my-own-id-1', traceparent: `00-${trace}-b7ad6b7169203331-01` },
        body: JSON.stringify({ model: 'tiny', messages, max_tokens: 3 }),
    })
    assert.equal(response.headers.get('x-request-id'), 'my-own-id-1')
    await response.json()
    const record = await until('the record is there', async () => {
        const found = await getJson(`${stoker.console}/api/v1/requests/my-own-id-1`)
        return found.id ? found : null
    })
    assert.equal(record.trace_id, trace)
})

test('stops gracefully', async () => {
    await stoker.stop()
})
