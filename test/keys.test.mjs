// Keys made while Stoker runs: good at once, bounded as they say, rotated without a gap, revoked at once, and kept.
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import OpenAI from 'openai'
import { streamChat } from './lib/client.mjs'
import { getJson, run, startSim, startStoker, stopAll, until } from './lib/stoker.mjs'

const sha256 = (text) => createHash('sha256').update(text).digest('hex')
let sim, stoker

const config = () => `
auth:
  required: true
  tenants: [{name: acme, models: [sim, sim-large]}, {name: beta}]
  keys: [{id: of-file, tenant: acme, sha256: ${sha256('the key of the file')}}]
pools:
  - name: chat
    models: [sim, sim-large, other]
    replicas: [{url: ${sim.url}, model: sim}]
`

before(async () => {
    sim = await startSim({ profile: 'l4-7b' })
    stoker = await startStoker({ config: config() })
})
after(stopAll)

const keys = (...args) => run('keys', ...args, '--server', stoker.console)
const keysJson = async (...args) => {
    const { code, stdout, stderr } = await keys(...args, '--json')
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout)
}
const ask = (key, model = 'sim') =>
    fetch(`${stoker.gateway}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}` },
        body: JSON.stringify({ model, max_tokens: 2, messages: [{ role: 'user', content: 'hello' }] }),
    })
const answer = async (key, model) => {
    const response = await ask(key, model)
    const body = await response.json()
    return response.ok ? 'ok' : body.error.code
}
const change = (method, path, body, headers = {}) =>
    fetch(`${stoker.console}/api/v1/keys${path}`, { method, headers, body: body && JSON.stringify(body) })

test('a key is printed once, alone, and is good with the next request', async () => {
    const made = await keys('create', '--tenant', 'acme', '--id', 'ci', '--metadata', 'team=search', '--expires', '90d')
    assert.equal(made.code, 0, made.stderr)
    assert.match(made.stdout, /^sk-stoker-ci-[0-9A-Za-z]{43}\n$/)
    assert.match(made.stderr, /shown this once/)
    const key = made.stdout.trim()
    const client = new OpenAI({ baseURL: `${stoker.gateway}/v1`, apiKey: key, maxRetries: 0, fetch })
    const said = await client.chat.completions.create({ model: 'sim', max_tokens: 3, messages: [{ role: 'user', content: 'hi' }] })
    assert.ok(said.choices[0].message.content)
    const record = await until('the record has the key', async () => (await getJson(`${stoker.console}/api/v1/requests?key_id=ci`)).requests[0])
    assert.equal(record.tenant, 'acme')
    const shown = await keysJson('show', 'ci')
    assert.deepEqual([shown.tenant, shown.state, shown.source, shown.metadata], ['acme', 'active', 'api', { team: 'search' }])
    assert.ok(shown.expires_ms > Date.now() + 89 * 86_400_000 && shown.last_used_ms > 0)
    const table = (await keys('list')).stdout
    assert.match(table, /ci +acme +active/)
    assert.match(table, /of-file +acme +active +\(all\) +config/)
    assert.match((await keys('show', 'ci')).stdout, /metadata +team=search/)
    // Whoever finds a key learns whose it is.
    assert.equal((await keysJson('list', '--prefix', key)).keys[0].id, 'ci')
    assert.equal((await keysJson('list', '--prefix', 'nothing')).total, 0)
})

test('models: those of the tenant, and of the key', async () => {
    const { secret } = await keysJson('create', '--tenant', 'acme', '--models', 'sim-*,other', '--id', 'bounded')
    assert.equal(await answer(secret, 'sim-large'), 'ok')
    assert.equal(await answer(secret, 'sim'), 'model_not_allowed')
    assert.equal(await answer(secret, 'other'), 'model_not_allowed', 'the tenant may not')
    const listed = await getJson(`${stoker.gateway}/v1/models`, { headers: { authorization: `Bearer ${secret}` } })
    assert.deepEqual(listed.data.map((model) => model.id), ['sim-large'])
    await keysJson('edit', 'bounded', '--models', '*')
    assert.equal(await answer(secret, 'sim'), 'ok')
    assert.equal((await keys('edit', 'bounded')).code, 1)
})

test('rotation: both keys are good while they overlap', async () => {
    const first = (await keysJson('create', '--tenant', 'beta', '--id', 'turn')).secret
    const rotated = await keysJson('rotate', 'turn', '--overlap', '2s')
    assert.notEqual(rotated.secret, first)
    assert.equal(await answer(first), 'ok')
    assert.equal(await answer(rotated.secret), 'ok')
    assert.equal(await until('the old key ends', async () => (await answer(first)) !== 'ok' && (await answer(first))), 'key_expired')
    assert.equal(await answer(rotated.secret), 'ok')
    const last = (await keysJson('rotate', 'turn', '--overlap', '0')).secret
    assert.equal(await answer(rotated.secret), 'invalid_api_key')
    assert.equal(await answer(last), 'ok')
})

test('revoked under load: nothing that begins after the answer passes, other keys and streams go on', async () => {
    const doomed = (await keysJson('create', '--tenant', 'beta', '--id', 'doomed')).secret
    const other = (await keysJson('create', '--tenant', 'beta', '--id', 'other')).secret
    let stop = false
    let revokedAt = Infinity
    const seen = { before: 0, after: 0, others: 0 }
    const wrong = []
    const hammer = async (key) => {
        while (!stop) {
            const begin = performance.now()
            const said = await answer(key)
            if (key === other) said === 'ok' ? seen.others++ : wrong.push(`the other key: ${said}`)
            else if (said === 'ok') begin < revokedAt ? seen.before++ : wrong.push('passed after it was revoked')
            else if (said === 'key_revoked') seen.after++
            else if (said !== 'too_many_failed_attempts') wrong.push(said)
        }
    }
    const workers = [...Array(12).fill(doomed), ...Array(4).fill(other)].map(hammer)
    await until('traffic flows', () => seen.before > 50 && seen.others > 20)
    const stream = streamChat(stoker.gateway, { model: 'sim', max_tokens: 60, messages: [{ role: 'user', content: 'go' }] }, { headers: { authorization: `Bearer ${doomed}` } })
    const begun = seen.before
    await until('and the stream with it', () => seen.before > begun + 20)
    const revoked = await change('POST', '/doomed/revoke')
    revokedAt = performance.now()
    assert.equal((await revoked.json()).state, 'revoked')
    const others = seen.others
    await until('and then it does not', () => seen.after > 0 && seen.others > others + 50)
    stop = true
    await Promise.all(workers)
    assert.deepEqual(wrong, [])
    const ended = await stream
    assert.equal(ended.status, 200)
    assert.ok(ended.done, 'the stream under way went to its end')
})

test('a key made elsewhere comes by its hash', async () => {
    const old = `sk-${randomBytes(24).toString('hex')}`
    const made = await keysJson('create', '--tenant', 'beta', '--id', 'moved', '--sha256', sha256(old))
    assert.equal(made.secret, null)
    assert.equal(await answer(old), 'ok')
})

test('who may change keys, and what is refused', async () => {
    const foreign = await change('POST', '', { tenant: 'acme' }, { origin: 'https://elsewhere.example' })
    assert.equal(foreign.status, 403)
    const statusOf = async (...args) => (await change(...args)).status
    assert.equal(await statusOf('DELETE', '/of-file'), 409)
    assert.equal(await statusOf('PATCH', '/of-file', { models: [] }), 409)
    assert.equal(await statusOf('POST', '', { tenant: 'acme', id: 'of-file' }), 409)
    assert.equal(await statusOf('POST', '', { tenant: 'nobody' }), 400)
    assert.equal(await statusOf('POST', '', { tenant: 'acme', color: 'red' }), 400)
    assert.equal(await statusOf('GET', '/nobody'), 404)
    assert.equal(await statusOf('PUT', '/of-file'), 405)
    const missing = await keys('revoke', 'nobody')
    assert.equal(missing.code, 1)
    assert.match(missing.stderr, /there is no key nobody/)
    assert.equal((await keys('create')).code, 2)
})

test('keys, their ends and their last use outlive a kill; a reload leaves them', async () => {
    const kept = (await keysJson('create', '--tenant', 'acme', '--id', 'kept')).secret
    const gone = (await keysJson('create', '--tenant', 'acme', '--id', 'gone')).secret
    const ended = (await keysJson('create', '--tenant', 'acme', '--id', 'ended')).secret
    assert.equal(await answer(kept), 'ok')
    await keysJson('revoke', 'gone')
    assert.equal((await change('DELETE', '/ended')).status, 200)
    await stoker.kill()
    stoker = await startStoker({ dir: stoker.dir, config: config() })
    assert.equal(await answer(kept), 'ok')
    assert.equal(await answer(gone), 'key_revoked')
    assert.equal(await answer(ended), 'invalid_api_key')
    assert.equal((await fetch(`${stoker.console}/api/v1/config/reload`, { method: 'POST' })).status, 200)
    assert.equal(await answer(kept), 'ok')
    assert.equal(await answer('the key of the file'), 'ok')
    const before = (await keysJson('show', 'kept')).last_used_ms
    await stoker.stop()
    stoker = await startStoker({ dir: stoker.dir, config: config() })
    assert.equal((await keysJson('show', 'kept')).last_used_ms, before)
    // No file in the data folder has a key in it.
    const files = readdirSync(stoker.data, { recursive: true, withFileTypes: true }).filter((file) => file.isFile())
    const secrets = [kept, gone, ended].map((key) => key.slice(-43))
    for (const file of [...files.map((each) => join(each.parentPath ?? each.path, each.name)), stoker.logFile]) {
        const bytes = readFileSync(file)
        for (const secret of secrets) assert.ok(!bytes.includes(secret), file)
    }
})
