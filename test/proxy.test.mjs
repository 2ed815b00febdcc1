// Providers behind an HTTP proxy, named in the configuration or by the environment.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { makeCertificates, startProvider, startProxy } from './lib/provider.mjs'
import { getJson, startStoker, stopAll } from './lib/stoker.mjs'

const host = 'api.provider.test' // Resolves nowhere: only the proxy knows where that is.
const certificates = makeCertificates(host)
let provider, proxy, stoker

before(async () => {
    provider = await startProvider(certificates)
    proxy = await startProxy(Number(new URL(provider.url).port))
    const pool = (name, more) => `
  - name: ${name}
    models: [${name}]
    replicas: [{url: "https://${host}"}]
    retries: {max_attempts: 1}
    breaker: {consecutive: 100}
    provider: {api_key: k, ca_file: ${certificates.ca}${more}}`
    stoker = await startStoker({
        config: `pools:${pool('named', `, proxy: "http://127.0.0.1:${proxy.port}", proxy_credentials: "amy:pass"`)}${pool('environment', '')}${pool('direct', ', proxy: none')}
`,
        env: { HTTPS_PROXY: `http://bob:p%40ss@localhost:${proxy.port}`, NO_PROXY: 'other.test', https_proxy: '', no_proxy: '' },
    })
})
after(async () => {
    await stopAll()
    await proxy.stop()
    await provider.stop()
})
beforeEach(() => {
    proxy.seen.length = 0
    proxy.refuse = 0
})

const ask = (model) => fetch(`${stoker.gateway}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }] }) })
const basic = (text) => `Basic ${Buffer.from(text).toString('base64')}`

test('a proxy that refuses is told apart, and why is in the log', async () => {
    proxy.refuse = 407
    const answer = await ask('named')
    assert.equal(answer.status, 502)
    assert.match((await answer.json()).error.message, /proxy/)
    assert.match(stoker.log(), /the proxy 127\.0\.0\.1:\d+ says 407/)
})

test('requests go through the proxy that the configuration names, TLS being checked end to end', async () => {
    for (let i = 0; i < 3; i++) {
        const answer = await ask('named')
        assert.equal(answer.status, 200, await answer.text())
    }
    assert.ok(proxy.seen.length < 3, 'connections are kept, on each loop')
    for (const seen of proxy.seen) assert.deepEqual(seen, { target: `${host}:443`, authorization: basic('amy:pass') })
    assert.equal(provider.last().headers['proxy-authorization'], undefined)
    assert.equal(provider.last().headers.authorization, 'Bearer k')
})

test('or that HTTPS_PROXY names, unless there is to be none', async () => {
    assert.equal((await ask('environment')).status, 200)
    assert.deepEqual(proxy.seen, [{ target: `${host}:443`, authorization: basic('bob:p@ss') }])
    assert.equal((await ask('direct')).status, 502)
    assert.equal(proxy.seen.length, 1)
})

test('its password is shown nowhere', async () => {
    const shown = await (await fetch(`${stoker.console}/api/v1/status/config`)).text()
    assert.match(shown, new RegExp(`proxy: .*127.0.0.1:${proxy.port}`))
    assert.doesNotMatch(shown + stoker.log(), /amy:pass|p%40ss|p@ss/)
})
