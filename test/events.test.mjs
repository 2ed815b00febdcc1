// Events: what happens is in the log, on the stream and at the webhooks, once each and in order, whoever was away.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { freePort, getJson, root, run, startSim, startStoker, stopAll, temporaryDirectory, until } from './lib/stoker.mjs'

const secret = Buffer.from('a key of more than nothing')
let stoker, sim, receiver

// Remembers what it was told, and answers as `answer` says.
function startReceiver(port = 0) {
    const told = []
    const server = createServer((request, response) => {
        const parts = []
        request.on('data', (part) => parts.push(part))
        request.on('end', () => {
            const body = Buffer.concat(parts).toString()
            const status = receiver.answer(request.url)
            told.push({ path: request.url, headers: request.headers, body, status })
            response.writeHead(status).end()
        })
    })
    return new Promise((done) => server.listen(port, '127.0.0.1', () => done({ server, told, port: server.address().port, answer: () => 204 })))
}

const config = (engine) => `
collect: {host: false, discovery: {enabled: false}}
pools:
  - {name: chat, models: [sim], replicas: [{url: "${engine}"}], health: {interval: 200ms, refused_after: 2}}
healing: {dry_run: true}
events:
  webhooks:
    - {name: signed, url: "http://127.0.0.1:${receiver.port}/signed", secret: "whsec_${secret.toString('base64')}"}
    - {name: cloud, url: "http://127.0.0.1:${receiver.port}/cloud", format: cloudevents, types: ["incident.*"], severity: warning}
    - name: chat
      url: http://127.0.0.1:${receiver.port}/chat
      types: [incident.opened]
      format: template
      body: '{"text":"{{severity}}: {{summary}}","kind":{{data}}}'
`

const events = async (query = '') => (await getJson(`${stoker.console}/api/v1/events${query}`)).events
const at = (path) => receiver.told.filter((one) => one.path === path && one.status < 300)

before(async () => {
    receiver = await startReceiver()
    sim = await startSim()
    stoker = await startStoker({ config: config(sim.url) })
    await until('the engine serves', async () => (await fetch(`${stoker.gateway}/v1/models`)).ok)
})
after(async () => {
    receiver.server.close()
    receiver.server.closeAllConnections()
    await stopAll()
})

test('an engine that dies is told of, in the log and at every webhook that wants to know', { timeout: 60_000 }, async () => {
    sim.child.kill('SIGKILL')
    await until('the incident is in the log', async () => (await events('?type=incident.opened')).length === 1, 20_000)
    const [opened] = await events('?type=incident.opened')
    assert.equal(opened.severity, 'critical')
    assert.match(opened.subject, /^chat\//)
    assert.equal(opened.data.kind, 'engine_down')
    const [types, warned] = [(await events()).map((event) => event.type), await events('?severity=warning')]
    assert.ok(types.includes('replica.changed') && types.at(-1) === 'stoker.started', types.join())
    assert.ok(warned.length > 0 && warned.every((event) => event.severity !== 'info'))
    assert.equal((await fetch(`${stoker.console}/api/v1/events?type=incidents`)).status, 400)

    await until('the webhooks know', () => at('/cloud').length && at('/chat').length && at('/signed').some((one) => JSON.parse(one.body).type === 'incident.opened'), 20_000)
    const cloud = JSON.parse(at('/cloud')[0].body)
    assert.deepEqual([cloud.specversion, cloud.type, cloud.subject, cloud.id], ['1.0', 'stoker.incident.opened', opened.subject, opened.id])
    assert.equal(at('/cloud')[0].headers['content-type'], 'application/cloudevents+json')
    assert.deepEqual(JSON.parse(at('/chat')[0].body), { text: `critical: ${opened.summary}`, kind: opened.data })
})

test('signatures are those of Standard Webhooks', { timeout: 60_000 }, () => {
    for (const { headers, body } of at('/signed')) {
        const text = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
        assert.equal(headers['webhook-signature'], 'v1,' + createHmac('sha256', secret).update(text).digest('base64'))
        assert.equal(JSON.parse(body).id, headers['webhook-id'])
    }
})

test('what a receiver refuses for now comes again, in order and once', { timeout: 60_000 }, async () => {
    let refusals = 2
    receiver.answer = (path) => (path === '/signed' && refusals-- > 0 ? 503 : 204)
    for (const to of ['light', 'heavy']) {
        await fetch(`${stoker.console}/api/v1/degradation`, { method: 'POST', body: JSON.stringify({ level: to }) })
    }
    const seen = () => at('/signed').map((one) => JSON.parse(one.body))
    const levels = () => seen().filter((event) => event.type === 'degradation.changed').map((event) => event.data.to)
    await until('both came', () => levels().length >= 2, 30_000)
    assert.deepEqual(levels(), ['light', 'heavy'])
    assert.deepEqual(seen().map((event) => event.sequence), [...new Set(seen().map((event) => event.sequence))].sort((a, b) => a - b), 'each once, in order')
    const metrics = await (await fetch(`${stoker.console}/metrics`)).text()
    assert.match(metrics, /stoker_webhook_deliveries_total\{webhook="signed",result="again"\} 2\n/)
    receiver.answer = () => 204
})

test('a stream goes on where it broke, over a kill of Stoker', { timeout: 60_000 }, async () => {
    const [newest] = await events('?limit=1')
    const away = receiver
    away.server.close()
    away.server.closeAllConnections()
    await fetch(`${stoker.console}/api/v1/degradation`, { method: 'POST', body: JSON.stringify({ level: 'medium' }) })
    await until('the change is in the log', async () => (await events(`?type=degradation.changed&after=${newest.sequence}`)).length > 0)
    await stoker.kill()
    receiver = { ...(await startReceiver(away.port)), answer: () => 204 }
    stoker = await startStoker({ config: config(sim.url), dir: stoker.dir })

    const abort = new AbortController()
    const response = await fetch(`${stoker.console}/api/v1/events/stream?type=degradation.changed&type=stoker.started`, { headers: { 'last-event-id': String(newest.sequence) }, signal: abort.signal })
    assert.equal(response.headers.get('content-type'), 'text/event-stream')
    let text = ''
    const reader = response.body.getReader()
    while ((text.match(/^data: /gm) ?? []).length < 2) text += Buffer.from((await reader.read()).value)
    abort.abort()
    const seen = [...text.matchAll(/^id: (\d+)\nevent: (.*)\ndata: (.*)$/gm)].map(([, id, type, data]) => [Number(id), type, JSON.parse(data).sequence])
    assert.equal(seen[0][1], 'degradation.changed')
    assert.equal(seen[1][1], 'stoker.started')
    assert.ok(seen.every(([id, , sequence]) => id === sequence && id > newest.sequence))
    // The webhook's place outlived the kill: it hears of the change made while it was away.
    await until('the webhook caught up', () => at('/signed').some((one) => JSON.parse(one.body).type === 'stoker.started'), 20_000)
    assert.ok(at('/signed').some((one) => JSON.parse(one.body).type === 'degradation.changed'))
})

test('the command line lists events and tries webhooks', { timeout: 60_000 }, async () => {
    const list = await run('events', '--server', stoker.console, '--type', 'incident.*')
    assert.equal(list.code, 0, list.stderr)
    assert.match(list.stdout, /critical\s+incident\.opened/)
    const tried = await run('webhooks', 'test', '--config', stoker.configFile)
    assert.equal(tried.stdout, 'signed: taken\ncloud: taken\nchat: taken\n')
    receiver.answer = () => 404
    const refused = await run('webhooks', 'test', '--config', stoker.configFile, 'chat')
    assert.deepEqual([refused.code, refused.stdout], [1, 'chat: answered 404\n'])
    receiver.answer = () => 204
})

test('the receiver of docs/extending.md checks who speaks', { timeout: 60_000 }, async () => {
    const dir = temporaryDirectory()
    writeFileSync(join(dir, 'receiver.mjs'), readFileSync(join(root, 'docs/extending.md'), 'utf8').match(/```js\n([^]*?)```/)[1])
    const port = await freePort()
    const child = spawn(process.execPath, [join(dir, 'receiver.mjs')], { env: { ...process.env, PORT: String(port), WEBHOOK_SECRET: `whsec_${secret.toString('base64')}` } })
    let said = ''
    child.stdout.on('data', (data) => (said += data))
    after(() => child.kill())
    await until('it listens', () => fetch(`http://127.0.0.1:${port}/`).then(() => true))
    const hook = (key) => `{name: ${key}, url: "http://127.0.0.1:${port}/", secret: "${key === 'good' ? `whsec_${secret.toString('base64')}` : 'another'}"}`
    writeFileSync(join(dir, 'stoker.yaml'), `events: {webhooks: [${hook('good')}, ${hook('bad')}]}\n`)
    const tried = await run('webhooks', 'test', '--config', join(dir, 'stoker.yaml'))
    assert.equal(tried.stdout, 'good: taken\nbad: answered 401\n')
    await until('it says what it heard', () => said === 'info stoker.test A test of the webhook good.\n')
})

test('a receiver that hangs does not keep Stoker from stopping', { timeout: 60_000 }, async () => {
    const hang = createServer(() => {})
    await new Promise((done) => hang.listen(0, '127.0.0.1', done))
    let asked = false
    hang.on('request', () => (asked = true))
    const other = await startStoker({ config: `collect: {host: false, discovery: {enabled: false}}\nevents: {webhooks: [{name: hang, url: "http://127.0.0.1:${hang.address().port}/"}]}\n` })
    await fetch(`${other.console}/api/v1/degradation`, { method: 'POST', body: JSON.stringify({ level: 'light' }) })
    await until('it is asked', () => asked)
    assert.ok((await other.stop()) < 5_000)
    hang.closeAllConnections()
    hang.close()
})
