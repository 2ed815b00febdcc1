// Tokens of an OpenID issuer instead of keys: found by discovery, mapped to tenants, followed when signing keys change, and
// still taken while the issuer is away.
import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { after, before, test } from 'node:test'
import { makeCertificates } from './lib/provider.mjs'
import { getJson, startSim, startStoker, stopAll, until } from './lib/stoker.mjs'

const base64url = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')

// A signing key of one of the three kinds: { kid, jwk, token(claims) }.
function signer(kid, kind) {
    const alg = { rsa: 'RS256', ec: 'ES256', ed25519: 'EdDSA' }[kind]
    const { publicKey, privateKey } = generateKeyPairSync(kind, { modulusLength: 2048, namedCurve: 'P-256' })
    const jwk = { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg }
    const token = (claims) => {
        const head = `${base64url({ alg, kid, typ: 'JWT' })}.${base64url(claims)}`
        const key = kind === 'ec' ? { key: privateKey, dsaEncoding: 'ieee-p1363' } : privateKey
        return `${head}.${sign(kind === 'ed25519' ? null : 'sha256', Buffer.from(head), key).toString('base64url')}`
    }
    return { kid, jwk, token }
}

// An issuer with a discovery document and a set of keys that can be changed.
class Issuer {
    keys = []
    asked = { discovery: 0, keys: 0 }

    // With `certificates` (of makeCertificates): behind TLS.
    async start(port = 0, certificates) {
        const tls = certificates && { key: readFileSync(certificates.key), cert: readFileSync(certificates.certificate) }
        const serve = (request, response) => {
            if (request.url === '/realm/.well-known/openid-configuration') {
                this.asked.discovery++
                response.end(JSON.stringify({ issuer: this.url, jwks_uri: `${this.url}/keys` }))
            } else if (request.url === '/realm/keys') {
                this.asked.keys++
                response.end(JSON.stringify({ keys: this.keys.map((key) => key.jwk) }))
            } else {
                response.writeHead(404).end()
            }
        }
        this.server = tls ? createTlsServer(tls, serve) : createServer(serve)
        await new Promise((done) => this.server.listen(port, '127.0.0.1', done))
        this.port = this.server.address().port
        this.url = `${tls ? 'https://localhost' : 'http://127.0.0.1'}:${this.port}/realm`
    }
    async stop() {
        this.server.closeAllConnections()
        await new Promise((done) => this.server.close(done))
    }
    claims(more = {}) {
        return { iss: this.url, aud: 'stoker', sub: 'alice', exp: Math.floor(Date.now() / 1000) + 600, groups: ['/all', '/ml'], models: ['sim'], ...more }
    }
}

const [rsa, ec, ed] = [signer('r1', 'rsa'), signer('e1', 'ec'), signer('d1', 'ed25519')]
const issuer = new Issuer()
let sim, stoker

const config = () => `
auth:
  required: true
  tenants: [{name: research}, {name: guests}]
  jwt:
    - issuer: ${issuer.url}
      audiences: [stoker]
      leeway: 5s
      refresh: 1h
      timeout: 2s
      tenant_claim: groups
      tenants: {/ml: research}
      models_claim: models
      metadata_claims: {team: department}
routing:
  rules:
    - {name: search, metadata: {team: search}, to: sim-large}
pools:
  - name: chat
    models: [sim, sim-large]
    replicas: [{url: ${sim.url}, model: sim}]
collect: {scrape_interval: 1s, host: false}
`

before(async () => {
    issuer.keys = [rsa, ec, ed]
    await issuer.start()
    sim = await startSim()
    stoker = await startStoker({ config: config() })
})
after(async () => {
    await stopAll()
    await issuer.stop()
})

const ask = (token, model = 'sim') =>
    fetch(`${stoker.gateway}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify({ model, max_tokens: 2, messages: [{ role: 'user', content: 'hello' }] }),
    })
const answer = async (token, model) => {
    const response = await ask(token, model)
    const body = await response.json()
    return response.ok ? 'ok' : body.error.code
}
const checks = async (result) => {
    const text = await (await fetch(`${stoker.console}/metrics`)).text()
    return Number(text.match(new RegExp(`stoker_gateway_token_checks_total\\{result="${result}"\\} (\\d+)`))?.[1] ?? 0)
}

test('tokens of all three algorithms are good from the first request on', async () => {
    for (const key of [rsa, ec, ed]) assert.equal(await answer(key.token(issuer.claims({ sub: key.kid }))), 'ok', key.kid)
    assert.ok(issuer.asked.discovery >= 1)
    const record = await until('the record says who', async () => (await getJson(`${stoker.console}/api/v1/requests?tenant=research`)).requests.find((each) => each.key_id === 'sub:r1'))
    assert.equal(record.status, 200)
})

test('a signature is checked once, not with each request', async () => {
    const token = rsa.token(issuer.claims({ sub: 'busy' }))
    const before = await checks('ok')
    for (let i = 0; i < 30; i++) assert.equal(await answer(token), 'ok')
    assert.equal(await checks('ok'), before + 1)
    assert.ok((await checks('cached')) >= 29)
})

test('claims say which models, and metadata for rules', async () => {
    const bounded = rsa.token(issuer.claims({ models: 'sim-*' }))
    assert.equal(await answer(bounded, 'sim'), 'model_not_allowed')
    assert.equal(await answer(bounded, 'sim-large'), 'ok')
    assert.equal(await answer(rsa.token(issuer.claims({ models: undefined })), 'sim'), 'model_not_allowed')
    const ruled = await ask(rsa.token(issuer.claims({ models: ['*'], department: 'search' })))
    assert.equal(ruled.headers.get('x-stoker-model'), 'sim-large')
})

test('what is wrong is said, and nothing else', async () => {
    const now = Math.floor(Date.now() / 1000)
    const wrong = [
        [{ exp: now - 60 }, 'token_expired', /expired/],
        [{ nbf: now + 60 }, 'invalid_token', /not valid yet/],
        [{ aud: 'another' }, 'invalid_token', /audience/],
        [{ iss: 'https://elsewhere.example' }, 'invalid_token', /issuer/],
        [{ groups: ['/strangers'] }, 'tenant_unknown', /tenant/],
        [{ sub: undefined }, 'invalid_token', /who has it/],
    ]
    for (const [claims, code, message] of wrong) {
        const response = await ask(rsa.token(issuer.claims(claims)))
        const { error } = await response.json()
        assert.equal(error.code, code, error.message)
        assert.match(error.message, message)
        assert.ok(!error.message.includes('stoker') && !error.message.includes('/ml') && !error.message.includes(issuer.url), error.message)
        if (response.status === 401) assert.match(response.headers.get('www-authenticate'), /invalid_token/)
    }
    const stranger = signer('r1', 'rsa')
    const forged = await (await ask(stranger.token(issuer.claims()))).json()
    assert.match(forged.error.message, /signature/)
    const none = `${base64url({ alg: 'none' })}.${base64url(issuer.claims())}.`
    assert.equal(await answer(none), 'invalid_token')
    assert.ok(!stoker.log().includes(rsa.token(issuer.claims()).split('.')[1].slice(0, 20)), 'no token in the log')
})

test('a new signing key is taken with the first request that it signed; a withdrawn one ends', async () => {
    const next = signer('r2', 'rsa')
    const old = rsa.token(issuer.claims({ sub: 'old' }))
    assert.equal(await answer(old), 'ok')
    issuer.keys = [next, ec]
    // The fetch before is younger than the pause between two that requests may cause.
    await until('the new key is taken', async () => (await answer(next.token(issuer.claims()))) === 'ok', 15_000, 500)
    assert.equal(await answer(old), 'invalid_token')
    assert.equal(await answer(ec.token(issuer.claims())), 'ok')
    // From now on there is no pause to wait for: not one request of the next rotation fails.
    await new Promise((done) => setTimeout(done, 2_200))
    const third = signer('r3', 'rsa')
    issuer.keys = [third, ec]
    assert.deepEqual(await Promise.all(Array.from({ length: 8 }, (_, i) => answer(third.token(issuer.claims({ sub: `u${i}` }))))), Array(8).fill('ok'))
    issuer.last = third
})

test('while the issuer is away the last good keys stay, over a restart too', async () => {
    const { port } = issuer
    await issuer.stop()
    await stoker.kill()
    stoker = await startStoker({ dir: stoker.dir, config: config() })
    assert.equal(await answer(issuer.last.token(issuer.claims())), 'ok')
    await until('the failed fetch is told', () => stoker.log().includes('could not be fetched'))
    const unknown = await (await ask(signer('x', 'ec').token(issuer.claims()))).json()
    assert.match(unknown.error.message, /no such signing key/)
    await issuer.start(port)
    const back = signer('r4', 'rsa')
    issuer.keys = [back]
    await until('it is asked again', async () => (await answer(back.token(issuer.claims()))) === 'ok', 20_000, 500)
})

test('an issuer that never answered makes no client guilty', async () => {
    const other = await startStoker({ config: config().replace(issuer.url, 'http://127.0.0.1:9/realm') })
    const response = await fetch(`${other.gateway}/v1/models`, { headers: { authorization: `Bearer ${rsa.token(issuer.claims({ iss: 'http://127.0.0.1:9/realm' }))}` } })
    assert.equal(response.status, 503)
    assert.equal((await response.json()).error.code, 'token_keys_unavailable')
    assert.ok(response.headers.get('retry-after'))
    await other.stop()
})

test('an issuer behind TLS with certificates of its own authority', async () => {
    const certificates = makeCertificates()
    const sealed = new Issuer()
    sealed.keys = [ec]
    await sealed.start(0, certificates)
    const trusting = (ca) => config().replace(issuer.url, sealed.url + ca)
    const token = ec.token(sealed.claims())
    const one = await startStoker({ config: trusting(`\n      ca_file: ${certificates.ca}`) })
    const status = (where) => fetch(`${where.gateway}/v1/models`, { headers: { authorization: `Bearer ${token}` } }).then((response) => response.status)
    await until('its keys are taken', async () => (await status(one)) === 200)
    assert.ok(sealed.asked.discovery >= 1 && sealed.asked.keys >= 1)
    // Without the authority nobody is believed, and the log says so.
    const other = await startStoker({ config: trusting('') })
    await until('the refusal is told', () => /could not be fetched.*certificate/.test(other.log()))
    assert.equal(await status(other), 503)
    await Promise.all([one.stop(), other.stop(), sealed.stop()])
})
