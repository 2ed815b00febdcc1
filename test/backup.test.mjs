// A backup of a running Stoker, restored elsewhere: metrics, requests and events are there, and a webhook goes on where it
// was.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { getJson, run, startSim, startStoker, stopAll, temporaryDirectory, until } from './lib/stoker.mjs'

after(stopAll)

test('what was there is there again', { timeout: 60_000 }, async () => {
    let answer = 204
    const told = []
    const receiver = createServer((request, response) => {
        const parts = []
        request.on('data', (part) => parts.push(part))
        request.on('end', () => {
            if (answer < 300) told.push(JSON.parse(Buffer.concat(parts)))
            response.writeHead(answer).end()
        })
    })
    await new Promise((done) => receiver.listen(0, '127.0.0.1', done))
    after(() => {
        receiver.close()
        receiver.closeAllConnections()
    })
    const sim = await startSim()
    const config = `
collect: {host: false, discovery: {enabled: false}, scrape_interval: 1s, scrape_timeout: 1s}
pools: [{name: chat, models: [sim], replicas: [{url: "${sim.url}"}]}]
events: {webhooks: [{name: other, url: "http://127.0.0.1:${receiver.address().port}/", types: [degradation.changed]}]}
`
    const first = await startStoker({ config })
    const level = (stoker, to) => fetch(`${stoker.console}/api/v1/degradation`, { method: 'POST', body: JSON.stringify({ level: to }) })
    const levels = async (stoker) => (await getJson(`${stoker.console}/api/v1/events?type=degradation.changed`)).events.map((event) => event.data.to)
    await until('the engine serves', async () => (await fetch(`${first.gateway}/v1/models`)).ok)
    const asked = await fetch(`${first.gateway}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ model: 'sim', max_tokens: 3, messages: [{ role: 'user', content: 'hello' }] }) })
    await asked.arrayBuffer()
    const id = asked.headers.get('x-request-id')
    await until('the request is recorded', async () => (await fetch(`${first.console}/api/v1/requests/${id}`)).ok)
    await level(first, 'light')
    await until('the webhook is told', () => told.length === 1)
    await until('its place is kept', async () => (await (await fetch(`${first.console}/metrics`)).text()).includes('stoker_webhook_deliveries_total{webhook="other",result="taken"} 1'))
    answer = 503
    await level(first, 'heavy')
    await until('the other change is an event', async () => (await levels(first)).length === 2)

    const to = join(temporaryDirectory(), 'backup')
    const made = await run('backup', '--server', first.console, '--to', to, '-o', 'json')
    assert.equal(made.code, 0, made.stderr)
    const backup = JSON.parse(made.stdout)
    assert.equal(backup.path, to)
    await level(first, 'medium')
    await first.stop()

    answer = 204
    const dir = temporaryDirectory()
    const restored = await run('restore', to, '--data-dir', join(dir, 'data'))
    assert.equal(restored.code, 0, restored.stderr)
    const second = await startStoker({ config, dir })
    assert.deepEqual((await levels(second)).slice(-2), ['heavy', 'light'], 'newest first')
    await until('the webhook is told what it was not', () => told.length === 2)
    assert.deepEqual(told.map((event) => event.data.to), ['light', 'heavy'])
    assert.ok((await fetch(`${second.console}/api/v1/requests/${id}`)).ok)
    const time = backup.created_ms / 1000
    const found = await getJson(`${second.console}/api/v1/query?query=up&time=${time}`)
    assert.ok(found.data.result.length > 0, 'samples of before the backup')
})
