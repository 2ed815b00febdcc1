// APIs of others as upstreams, over TLS: what they are sent, what comes back, and when they stand in for own engines.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { streamChat } from './lib/client.mjs'
import { makeCertificates, sendJson, startProvider } from './lib/provider.mjs'
import { getJson, run, startSim, startStoker, stopAll, temporaryDirectory, until } from './lib/stoker.mjs'

const kKey = 'sk-provider-secret-1'
const kClaudeKey = 'sk-ant-secret-2'
let provider
let watched
let own
let stoker
const dir = temporaryDirectory()
const certificates = makeCertificates()

before(async () => {
    provider = await startProvider(certificates)
    watched = await startProvider(certificates)
    own = await startSim({ model: 'sim' })
    writeFileSync(join(dir, 'claude.key'), `${kClaudeKey}\n`)
    const config = `
pools:
  - {name: own, models: [llama], replicas: [{url: ${own.url}, model: sim}], retries: {max_attempts: 1}}
  - name: afar
    models: [gpt, gpt-small]
    replicas: [{url: ${provider.url}/proxy}]
    retries: {max_attempts: 2, backoff_base: 1ms, backoff_max: 2ms}
    provider:
      api_key: "\${PROVIDER_KEY}"
      ca_file: ${certificates.ca}
      models: {gpt: gpt-2026-11-01}
      set_headers: {OpenAI-Project: proj-7, User-Agent: gateway}
      pass_headers: [x-trial-*]
      remove_headers: [x-trial-internal]
  - name: claude
    models: [claude]
    replicas: [{url: ${provider.url}}]
    provider: {api: anthropic, api_key_file: claude.key, ca_file: ${certificates.ca}}
  - name: beta
    models: [gemini]
    replicas: [{url: ${provider.url.replace('localhost', '127.0.0.1')}, api_key: own-key}]
    provider: {path: /v1beta/openai, verify: false, api_key: unused}
  - name: distrusted
    models: [nobody]
    replicas: [{url: ${provider.url}}]
    retries: {max_attempts: 1}
    provider: {api_key: never-sent}
  - name: probed
    models: [watched]
    replicas: [{url: ${watched.url}}]
    health: {path: /v1/models, interval: 50ms}
    provider: {api_key: probe-key, path: /v2, ca_file: ${certificates.ca}, probe: true}
  - name: elsewhere
    models: [wrong-name]
    replicas: [{url: ${provider.url.replace('localhost', '127.0.0.1')}}]
    retries: {max_attempts: 1}
    provider: {api_key: never-sent, ca_file: ${certificates.ca}}
models:
  - {name: llama, fallback: [{to: gpt, on: [down, overloaded]}]}
`
    stoker = await startStoker({ dir, config, env: { PROVIDER_KEY: kKey } })
})
beforeEach(async () => {
    provider.reset()
    await own.clearFaults()
})
after(async () => {
    await stopAll()
    await provider.stop()
    await watched.stop()
})

const ask = (model, { path = '/v1/chat/completions', headers = {}, ...body } = {}) =>
    fetch(stoker.gateway + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ model, max_tokens: 4, messages: [{ role: 'user', content: 'hello' }], ...body }),
    })
const credentials = { authorization: 'Bearer client-secret', 'x-api-key': 'client-secret', 'api-key': 'client-secret', cookie: 'session=client-secret', 'x-goog-api-key': 'client-secret', 'proxy-authorization': 'Basic client-secret' }

test('a provider gets its own key, its own name for the model, and nothing that the client showed of itself', async () => {
    const answer = await ask('gpt', { headers: { ...credentials, 'x-trial-arm': 'b', 'x-trial-internal': 'no', 'x-forwarded-for': '10.0.0.1', 'openai-beta': 'x=1' } })
    assert.equal(answer.status, 200)
    assert.equal((await answer.json()).choices[0].message.content, 'from afar')
    const { url, headers, body } = provider.last()
    assert.equal(url, '/proxy/v1/chat/completions')
    assert.equal(body.model, 'gpt-2026-11-01')
    assert.equal(headers.authorization, `Bearer ${kKey}`)
    assert.doesNotMatch(JSON.stringify(headers), /client-secret/)
    assert.equal(headers['openai-project'], 'proj-7')
    assert.equal(headers['user-agent'], 'gateway')
    assert.equal(headers['x-trial-arm'], 'b')
    assert.equal(headers['openai-beta'], 'x=1')
    for (const name of ['x-trial-internal', 'x-forwarded-for', 'cookie']) assert.equal(headers[name], undefined, name)
    assert.equal(headers['x-request-id'], answer.headers.get('x-request-id'))
})

test('nothing of the account behind the gateway comes back', async () => {
    const answer = await ask('gpt-small')
    assert.equal(provider.last().body.model, 'gpt-small')
    for (const name of ['set-cookie', 'openai-organization', 'x-ratelimit-limit-requests', 'strict-transport-security']) assert.equal(answer.headers.get(name), null, name)
    assert.notEqual(answer.headers.get('x-request-id'), 'theirs')
    assert.match(answer.headers.get('content-type'), /json/)
})

test('streams flow, and are counted by what the provider says', async () => {
    const stream = await streamChat(stoker.gateway, { model: 'gpt', messages: [{ role: 'user', content: 'hi' }] }, { headers: credentials })
    assert.equal(stream.text, 'from afar')
    assert.ok(stream.done && !stream.error && !stream.cut)
    const { requests } = await until('it is on record', async () => {
        const page = await getJson(`${stoker.console}/api/v1/requests?model=gpt&limit=1`)
        return page.requests?.length ? page : false
    })
    assert.equal(requests[0].completion_tokens, 2)
    assert.equal(requests[0].prompt_tokens, 5)
})

test("Anthropic's API is spoken to as it wants", async () => {
    const answer = await ask('claude', { path: '/v1/messages?beta=true', headers: { ...credentials, 'anthropic-beta': 'tools-1' } })
    assert.equal((await answer.json()).content[0].text, 'from afar')
    const { url, headers } = provider.last()
    assert.equal(url, '/v1/messages?beta=true')
    assert.equal(headers['x-api-key'], kClaudeKey)
    assert.equal(headers['anthropic-version'], '2023-06-01')
    assert.equal(headers['anthropic-beta'], 'tools-1')
    assert.equal(headers.authorization, undefined)
    await ask('claude', { path: '/v1/messages', headers: { 'anthropic-version': '2030-01-01' } })
    assert.equal(provider.last().headers['anthropic-version'], '2030-01-01')
    await ask('claude')
    assert.equal(provider.last().headers.authorization, `Bearer ${kClaudeKey}`)
})

test('another path in place of /v1, a key of the replica, and a certificate that is not looked at', async () => {
    assert.equal((await ask('gemini')).status, 200)
    assert.equal(provider.last().url, '/v1beta/openai/chat/completions')
    assert.equal(provider.last().headers.authorization, 'Bearer own-key')
})

test('who has no good certificate gets nothing', async () => {
    for (const model of ['nobody', 'wrong-name']) {
        const answer = await ask(model)
        assert.equal(answer.status, 502, model)
        assert.equal((await answer.json()).error.code, 'upstream_unreachable')
    }
    assert.equal(provider.seen.length, 0)
})

test('own engines first: the provider answers while they are overloaded or down', async () => {
    const first = await ask('llama', { headers: credentials })
    assert.equal(first.headers.get('x-stoker-model'), 'llama')
    assert.equal(provider.seen.length, 0)
    await own.fault({ kind: 'error_rate', status: 503 })
    const second = await ask('llama', { headers: credentials })
    assert.equal(second.status, 200)
    assert.equal(second.headers.get('x-stoker-model'), 'gpt')
    assert.equal((await second.json()).choices[0].message.content, 'from afar')
    assert.equal(provider.last().body.model, 'gpt-2026-11-01')
    assert.doesNotMatch(JSON.stringify(provider.last().headers), /client-secret/)
    const stream = await streamChat(stoker.gateway, { model: 'llama', messages: [{ role: 'user', content: 'hi' }] })
    assert.equal(stream.text, 'from afar')
})

test("a refused key is the gateway's trouble, not the client's", async () => {
    provider.answer = (_, response) => sendJson(response, 401, { error: { message: 'Incorrect API key provided: sk-prov***', code: 'invalid_api_key' } })
    const answer = await ask('gpt')
    assert.equal(answer.status, 502)
    const text = await answer.text()
    assert.equal(JSON.parse(text).error.code, 'provider_refuses_key')
    assert.doesNotMatch(text, /sk-prov/)
    assert.equal(provider.seen.length, 1, 'asking again would not help')
})

test("a provider's 429 and its refusals are the client's to see", async () => {
    provider.answer = (_, response) => sendJson(response, 400, { error: { message: 'temperature is too high', type: 'invalid_request_error' } })
    const refused = await ask('gpt-small')
    assert.equal(refused.status, 400)
    assert.match((await refused.json()).error.message, /temperature/)
    provider.answer = (_, response) => sendJson(response, 429, { error: { message: 'slow down' } }, { 'retry-after': '2' })
    const limited = await ask('gpt')
    assert.equal(limited.status, 429)
    assert.equal(limited.headers.get('retry-after'), '2')
    // It asked to be left alone, and is.
    const before = provider.seen.length
    const spared = await ask('gpt')
    assert.equal(spared.status, 429)
    assert.ok(['1', '2'].includes(spared.headers.get('retry-after')))
    assert.equal(provider.seen.length, before)
    provider.reset()
    await until('it is asked again', async () => (await ask('gpt')).status === 200)
})

test('it is listed like any model, never probed or scraped, and its keys are shown nowhere', async () => {
    const listed = await getJson(`${stoker.gateway}/v1/models`)
    for (const model of ['gpt', 'gpt-small', 'claude', 'gemini']) assert.ok(listed.data.some((each) => each.id === model), model)
    const replicas = (await getJson(`${stoker.console}/api/v1/engines`)).engines ?? []
    const theirs = JSON.stringify(replicas).match(/not probed/g) ?? []
    assert.ok(theirs.length >= 4, JSON.stringify(replicas))
    assert.equal(provider.seen.length, 0)
    const shown = (await getJson(`${stoker.console}/api/v1/status/config`)).data.yaml
    assert.match(shown, /provider:[^]*api_key: <secret>/)
    for (const text of [shown, stoker.log(), await (await fetch(`${stoker.console}/metrics`)).text()]) {
        for (const secret of [kKey, kClaudeKey, 'proj-7', 'own-key', 'client-secret']) assert.ok(!text.includes(secret), secret)
    }
})

test('one that is to be probed is, with its key, and what is down gets nothing until it is back', async () => {
    await until('it was asked', () => watched.seen.length > 0)
    assert.equal(`${watched.last().method} ${watched.last().url}`, 'GET /v2/models')
    assert.equal(watched.last().headers.authorization, 'Bearer probe-key')
    watched.answer = (_, response) => sendJson(response, 500, {})
    await until('it is down', async () => (await ask('watched')).status === 503)
    watched.reset()
    await until('it is back', async () => (await ask('watched')).status === 200)
})

test('a configuration that would give credentials away is refused', async () => {
    const file = join(temporaryDirectory(), 'stoker.yaml')
    const pool = (provider_, url = 'https://api.example.com') => `pools: [{name: p, models: [m], replicas: [{url: "${url}"}], provider: ${provider_}}]\n`
    const problem = async (text) => {
        writeFileSync(file, text)
        const done = await run('config', 'check', file)
        assert.notEqual(done.code, 0, text)
        return done.stderr + done.stdout
    }
    assert.match(await problem(pool('{pass_headers: [Authorization]}')), /credentials/)
    assert.match(await problem(pool('{api_key: k}', 'http://api.example.com')), /https/)
    assert.match(await problem(pool('{models: {other: x}}')), /not one of the pool's models/)
})
