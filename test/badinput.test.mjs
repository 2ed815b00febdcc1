// What hostile or broken peers send: each gets a clear error or is survived, and Stoker serves on.
import assert from 'node:assert/strict'
import { appendFileSync, readFileSync, readdirSync, truncateSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { streamChat } from './lib/client.mjs'
import { freePort, getJson, run, startSim, startStoker, stopAll, temporaryDirectory, until } from './lib/stoker.mjs'

let stoker, sim
const messages = [{ role: 'user', content: 'hi' }]

before(async () => {
    sim = await startSim({ model: 'm' })
    stoker = await startStoker({ config: `pools:\n  - {name: chat, models: [m], replicas: [{url: "${sim.url}"}], continuation: {max: 0}}\n` })
})
after(stopAll)

const post = (path, body, headers = { 'content-type': 'application/json' }) => fetch(stoker.gateway + path, { method: 'POST', body, headers })

async function stillServes() {
    const response = await post('/v1/chat/completions', JSON.stringify({ model: 'm', max_tokens: 2, messages }))
    assert.equal(response.status, 200)
    await response.json()
}

// Sends `text` on a raw connection and resolves with everything that came back once it is closed, or after `limit` ms.
function raw(text, { limit = 20_000, end = false } = {}) {
    const { hostname, port } = new URL(stoker.gateway)
    return new Promise((done) => {
        let answer = ''
        const socket = connect(Number(port), hostname, () => (end ? socket.end(text) : socket.write(text)))
        socket.setTimeout(limit, () => socket.destroy())
        socket.on('data', (data) => (answer += data))
        socket.on('error', () => done(answer))
        socket.on('close', () => done(answer))
    })
}

test('malformed JSON: 400 that says where', async () => {
    const response = await post('/v1/chat/completions', '{"model": "m", "messages": [')
    assert.equal(response.status, 400)
    const { error } = await response.json()
    assert.equal(error.type, 'invalid_request_error')
    assert.ok(error.message.length > 10)
    await stillServes()
})

test('no model, unknown model, unknown path, wrong method', async () => {
    assert.equal((await post('/v1/chat/completions', '{"messages": []}')).status, 400)
    const unknown = await post('/v1/chat/completions', '{"model": "nope", "messages": []}')
    assert.equal(unknown.status, 404)
    assert.equal((await unknown.json()).error.code, 'model_not_found')
    assert.equal((await post('/v2/unknown', '{}')).status, 404)
    assert.equal((await fetch(`${stoker.gateway}/v1/chat/completions`)).status, 405)
})

test('a body over the limit: 413', async () => {
    const answer = await raw('POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n{')
    assert.match(answer, /^HTTP\/1\.1 413 /)
    await stillServes()
})

test('a flood of headers: 431', async () => {
    const answer = await raw(`GET /v1/models HTTP/1.1\r\nHost: x\r\n${'X-Flood: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n'.repeat(20_000)}\r\n`)
    assert.match(answer, /^HTTP\/1\.1 431 /)
    await stillServes()
})

test('a head that comes a byte at a time is cut off', { timeout: 40_000 }, async () => {
    const { hostname, port } = new URL(stoker.gateway)
    const begin = Date.now()
    await new Promise((done) => {
        const socket = connect(Number(port), hostname)
        const drip = setInterval(() => socket.write('X'), 500)
        socket.on('connect', () => socket.write('GET / HTTP/1.1\r\nX-Slow: '))
        socket.on('data', () => {})
        socket.on('error', () => {})
        socket.on('close', () => {
            clearInterval(drip)
            done()
        })
    })
    assert.ok(Date.now() - begin < 20_000, 'the connection was kept')
    await stillServes()
})

test('not HTTP at all, and requests that smuggle', async () => {
    assert.match(await raw('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n'), /^HTTP\/1\.1 400 /)
    assert.match(await raw('POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'), /^HTTP\/1\.1 400 /)
    assert.match(await raw('POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n{}{}'), /^HTTP\/1\.1 400 /)
    await stillServes()
})

test('a client that leaves in mid-stream is recorded as cancelled', async () => {
    const aborter = new AbortController()
    const response = await fetch(`${stoker.gateway}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'm', stream: true, max_tokens: 2000, messages }),
        signal: aborter.signal,
    })
    const id = response.headers.get('x-request-id')
    await response.body.getReader().read()
    aborter.abort()
    const record = await until('its record', async () => {
        const found = await getJson(`${stoker.console}/api/v1/requests/${id}`)
        return found.outcome ? found : null
    })
    assert.equal(record.outcome, 'cancelled')
    await until('the engine was told', async () => /num_requests_running\{[^}]*\} 0(\.0)?\n/.test(await (await fetch(`${sim.url}/metrics`)).text()), 5_000)
})

// Servers that answer each connection with fixed bytes and close.
function garbage(bytes) {
    return new Promise((done) => {
        const server = createServer((socket) => {
            socket.on('error', () => {})
            socket.once('data', () => socket.end(bytes))
        }).listen(0, '127.0.0.1', () => done({ server, url: `http://127.0.0.1:${server.address().port}` }))
    })
}

test('upstreams that send garbage: a clear error, and the other replica where there is one', { timeout: 60_000 }, async () => {
    const answers = {
        noise: 'no http here at all\r\n\r\n',
        html: 'HTTP/1.1 500 Oops\r\nContent-Type: text/html\r\nContent-Length: 12\r\n\r\n<h1>no</h1>\r\n',
        nothing: '',
        short: 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"id": "x"',
    }
    for (const [name, bytes] of Object.entries(answers)) {
        const upstream = await garbage(bytes)
        const config = (replicas) => `pools:\n  - {name: g, models: [m], replicas: [${replicas.map((url) => `{url: "${url}"}`).join(', ')}]}\n`
        const alone = await startStoker({ config: config([upstream.url]) })
        const response = await fetch(`${alone.gateway}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ model: 'm', messages }) })
        assert.ok(response.status >= 500, `${name}: ${response.status}`)
        const text = await response.text()
        assert.ok(JSON.parse(text).error.message, `${name}: ${text}`)
        await alone.stop()
        const pair = await startStoker({ config: config([upstream.url, sim.url]) })
        for (let i = 0; i < 4; i++) {
            const helped = await fetch(`${pair.gateway}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ model: 'm', max_tokens: 2, messages }) })
            assert.equal(helped.status, 200, `${name}: ${await helped.clone().text()}`)
        }
        await pair.stop()
        upstream.server.close()
    }
})

test('faults in mid-stream end with an error event, never with a clean end', { timeout: 60_000 }, async () => {
    for (const fault of [{ kind: 'cut_stream', after_tokens: 5, count: 1 }, { kind: 'malformed_event', count: 1 }]) {
        await sim.fault(fault)
        const seen = await streamChat(stoker.gateway, { model: 'm', max_tokens: 20, messages })
        await sim.clearFaults()
        assert.ok(!(seen.done && !seen.error), `${fault.kind} looked like a clean end: ${JSON.stringify(seen)}`)
        assert.ok(seen.error?.message, `${fault.kind} without an error event: ${JSON.stringify(seen)}`)
    }
    // An answer that has its finish reason and a clean end lacks nothing but the marker, which the gateway adds.
    await sim.fault({ kind: 'missing_done', count: 1 })
    const whole = await streamChat(stoker.gateway, { model: 'm', max_tokens: 20, messages })
    await sim.clearFaults()
    assert.ok(whole.done && !whole.error && whole.finishReason === 'length' && whole.text.split(' ').length === 20, JSON.stringify(whole))
    await stillServes()
})

test('no replica left: 503 with Retry-After, at once', async () => {
    const port = await freePort()
    const lonely = await startStoker({ config: `pools:\n  - {name: g, models: [m], replicas: [{url: "http://127.0.0.1:${port}"}]}\n` })
    const begin = Date.now()
    const response = await fetch(`${lonely.gateway}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ model: 'm', messages }) })
    assert.ok([502, 503].includes(response.status))
    assert.ok(Number(response.headers.get('retry-after')) > 0)
    assert.ok(Date.now() - begin < 5_000)
    await lonely.stop()
})

test('a broken configuration names file, line, key and remedy; a reload keeps the old one', async () => {
    const dir = temporaryDirectory()
    const file = join(dir, 'bad.yaml')
    writeFileSync(file, 'gateway: {listen: 127.0.0.1:0}\npools:\n  - name: chat\n    modles: [a]\n')
    const checked = await run('config', 'check', file)
    assert.equal(checked.code, 1)
    assert.match(checked.stdout + checked.stderr, /bad\.yaml:4:\d+: .*modles.*models/)

    const good = readFileSync(stoker.configFile, 'utf8')
    writeFileSync(stoker.configFile, 'pools: {')
    const refused = await fetch(`${stoker.console}/api/v1/config/reload`, { method: 'POST' })
    assert.equal(refused.status, 400)
    assert.match((await refused.json()).error.message, /stoker\.yaml:/)
    await stillServes()
    writeFileSync(stoker.configFile, good.replace('models: [m]', 'models: [m, other]'))
    const taken = await fetch(`${stoker.console}/api/v1/config/reload`, { method: 'POST' })
    assert.equal(taken.status, 200, await taken.clone().text())
    assert.equal((await post('/v1/chat/completions', JSON.stringify({ model: 'other', max_tokens: 2, messages }))).status, 404, 'the engine itself does not know it')
    writeFileSync(stoker.configFile, good)
    stoker.child.kill('SIGHUP')
    await until('SIGHUP reloads', async () => (await getJson(`${stoker.gateway}/v1/models`)).data.length === 1)
})

test('another site can not act through a visitor\'s browser', async () => {
    const post = (headers) => fetch(`${stoker.console}/api/v1/config/reload`, { method: 'POST', headers })
    assert.equal((await post({ origin: 'http://evil.example' })).status, 403)
    assert.equal((await post({ origin: stoker.console })).status, 200)
})

test('the journal with a torn tail loses only the tear', { timeout: 60_000 }, async () => {
    const torn = await startStoker({ config: `pools:\n  - {name: chat, models: [m], replicas: [{url: "${sim.url}"}]}\n` })
    const ids = []
    for (let i = 0; i < 5; i++) {
        const response = await fetch(`${torn.gateway}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ model: 'm', max_tokens: 2, messages }) })
        await response.json()
        ids.push(response.headers.get('x-request-id'))
    }
    await torn.kill('SIGKILL')
    const segments = readdirSync(join(torn.data, 'journal')).filter((name) => name.endsWith('.seg')).sort()
    const last = join(torn.data, 'journal', segments.at(-1))
    const clean = statSync(last).size
    appendFileSync(last, Buffer.alloc(37, 0x5a))
    const again = await startStoker({ dir: torn.dir, config: readFileSync(torn.configFile, 'utf8') })
    const listed = (await getJson(`${again.console}/api/v1/requests?last=1h`)).requests.map((record) => record.id)
    for (const id of ids) assert.ok(listed.includes(id), `${id} is missing`)
    await again.kill('SIGKILL')
    truncateSync(last, clean - 3)
    const third = await startStoker({ dir: torn.dir, config: readFileSync(torn.configFile, 'utf8') })
    assert.ok((await fetch(`${third.console}/-/ready`)).ok)
    await third.stop()
})
