// How targets are reached: tokens by OAuth 2.0 and HTTP proxies, beside Debian's Prometheus with the same file.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { noPrometheus, startPrometheus } from './lib/prometheus.mjs'
import { getJson, startStoker, stopAll, temporaryDirectory, until } from './lib/stoker.mjs'

const servers = []
async function serve(answer) {
    const server = createServer((request, response) => {
        const parts = []
        request.on('data', (part) => parts.push(part))
        request.on('end', () => answer(request, response, Buffer.concat(parts).toString()))
    })
    await new Promise((done) => server.listen(0, '127.0.0.1', done))
    servers.push(server)
    return { server, port: server.address().port }
}

// A token endpoint that takes the client's name in the body only, an exporter that takes its tokens, and a proxy.
let tokens, exporter, proxy, issued, asked, scraped, proxied, lifetime, valid, secret
before(async () => {
    tokens = await serve((request, response, body) => {
        const form = new URLSearchParams(body)
        asked.push({ authorization: request.headers.authorization, form: Object.fromEntries(form) })
        if (form.get('client_id') !== 'scraper' || form.get('client_secret') !== secret) {
            return response.writeHead(401).end('{"error":"invalid_client","error_description":"who are you"}')
        }
        const token = `token-${++issued}`
        valid.add(token)
        response.writeHead(200, { 'content-type': 'application/json' })
        response.end(JSON.stringify({ access_token: token, token_type: 'bearer', expires_in: lifetime }))
    })
    exporter = await serve((request, response) => {
        scraped.push({ url: request.url, authorization: request.headers.authorization, host: request.headers.host })
        if (request.url === '/locked' && !valid.has(request.headers.authorization?.replace('Bearer ', ''))) return response.writeHead(401).end()
        response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end('a_total 5\n')
    })
    // Knows where the name is that resolves nowhere.
    proxy = await serve((request, response) => {
        proxied.push({ url: request.url, host: request.headers.host, authorization: request.headers['proxy-authorization'] })
        response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end('b_total 7\n')
    })
    proxy.server.on('connect', (request, socket) => {
        proxied.push({ connect: request.url })
        const upstream = connect(exporter.port, '127.0.0.1', () => {
            socket.write('HTTP/1.1 200 Connected\r\n\r\n')
            upstream.pipe(socket).pipe(upstream)
        })
        upstream.on('error', () => socket.destroy())
        socket.on('error', () => upstream.destroy())
    })
})
after(async () => {
    for (const server of servers) {
        server.close()
        server.closeAllConnections()
    }
    await stopAll()
})

const reset = () => {
    ;[asked, scraped, proxied, valid, issued, lifetime, secret] = [[], [], [], new Set(), 0, 3600, 'hush']
}
const active = async (base) => (await getJson(`${base}/api/v1/targets?state=active`)).data.activeTargets
const states = async (base) => (await active(base)).map((one) => `${one.scrapePool} ${one.health}`).sort().join()

const file = () => `
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: locked
    metrics_path: /locked
    oauth2: {client_id: scraper, client_secret_file: secret, scopes: [a, b], token_url: "http://127.0.0.1:${tokens.port}/token", endpoint_params: {audience: x}}
    static_configs: [{targets: ["127.0.0.1:${exporter.port}", "localhost:${exporter.port}"]}]
  - job_name: proxied
    proxy_url: http://amy:p%40ss@127.0.0.1:${proxy.port}
    static_configs: [{targets: ["metrics.nowhere.test:9100"]}]
  - job_name: unknown
    metrics_path: /locked
    oauth2: {client_id: nobody, client_secret: x, token_url: "http://127.0.0.1:${tokens.port}/token"}
    static_configs: [{targets: ["127.0.0.1:${exporter.port}"]}]
`
const expected = 'locked up,locked up,proxied up,unknown down'

test('a prometheus.yml with oauth2 and proxy_url works as in Prometheus', { skip: noPrometheus, timeout: 60_000 }, async () => {
    const sent = {}
    for (const who of ['prometheus', 'stoker']) {
        reset()
        let base, stop
        if (who === 'prometheus') {
            const dir = temporaryDirectory()
            writeFileSync(join(dir, 'secret'), 'hush\n')
            const config = file().replace('client_secret_file: secret', `client_secret_file: ${join(dir, 'secret')}`)
            const started = await startPrometheus({ config })
            ;[base, stop] = [started.url, started.stop]
        } else {
            const dir = temporaryDirectory()
            writeFileSync(join(dir, 'secret'), 'hush\n')
            writeFileSync(join(dir, 'prometheus.yml'), file())
            const stoker = await startStoker({ config: `collect: {host: false, discovery: {enabled: false}, scrape_config_files: ["${join(dir, 'prometheus.yml')}"]}\n` })
            ;[base, stop] = [stoker.console, stoker.stop]
        }
        await until(`${who} has scraped`, async () => (await states(base)).includes(expected), 20_000, 100)
        await stop()
        sent[who] = {
            form: asked.find((one) => one.form.client_id === 'scraper').form,
            tokens: [...new Set(scraped.filter((one) => one.url === '/locked').map((one) => one.authorization))],
            proxied: proxied[0],
        }
    }
    assert.deepEqual(sent.stoker, sent.prometheus)
    assert.deepEqual(sent.stoker.proxied, { url: 'http://metrics.nowhere.test:9100/metrics', host: 'metrics.nowhere.test:9100', authorization: `Basic ${Buffer.from('amy:p@ss').toString('base64')}` })
    assert.deepEqual(sent.stoker.tokens, ['Bearer token-1'], 'one token for all')
})

test('tokens are kept until they end, and errors are told', { timeout: 60_000 }, async () => {
    reset()
    const dir = temporaryDirectory()
    writeFileSync(join(dir, 'secret'), 'hush\n')
    writeFileSync(join(dir, 'prometheus.yml'), file().replaceAll('1s', '300ms'))
    const stoker = await startStoker({ config: `collect: {host: false, discovery: {enabled: false}, scrape_config_files: ["${join(dir, 'prometheus.yml')}"]}\n` })
    await until('all were scraped', async () => (await states(stoker.console)).includes(expected), 20_000)
    const unknown = (await active(stoker.console)).find((one) => one.scrapePool === 'unknown')
    assert.match(unknown.lastError, /oauth2: http:\/\/127\.0\.0\.1:\d+\/token: HTTP status 401: invalid_client: who are you/)
    const before = scraped.length
    await until('many more scrapes', () => scraped.length > before + 10)
    assert.equal(issued, 1, 'they have one token')
    // Revoked before its time: the next scrape has another.
    valid.clear()
    await until('there is a new token', () => issued === 2)
    await until('it is used', async () => (await states(stoker.console)).includes(expected))
    // A secret that changed means a new token, too.
    secret = 'louder'
    writeFileSync(join(dir, 'secret'), 'louder\n')
    await until('it is asked for with the new secret', () => issued === 3)
    await stoker.stop()
    // One that lasts no longer than the ten seconds before its end is asked for each time.
    reset()
    lifetime = 10
    writeFileSync(join(dir, 'secret'), 'hush\n')
    const short = await startStoker({ config: `collect: {host: false, discovery: {enabled: false}, scrape_config_files: ["${join(dir, 'prometheus.yml')}"]}\n` })
    await until('there are many tokens', () => issued > 3)
    await short.stop()
})

test('https goes through the proxy by CONNECT, exceptions and this machine do not', { timeout: 60_000 }, async () => {
    reset()
    const config = `
collect:
  host: false
  discovery: {enabled: false}
  scrape_interval: 500ms
  scrape_timeout: 500ms
  scrape_configs:
    - job_name: secure
      scheme: https
      proxy_url: http://127.0.0.1:${proxy.port}
      static_configs: [{targets: ["secure.nowhere.test"]}]
    - job_name: direct
      proxy_url: http://127.0.0.1:${proxy.port}
      no_proxy: other.test
      static_configs: [{targets: ["127.0.0.1:${exporter.port}"]}]
    - job_name: environment
      proxy_from_environment: true
      static_configs: [{targets: ["env.nowhere.test:9100", "skipped.nowhere.test:9100"]}]
`
    const stoker = await startStoker({ config, env: { HTTP_PROXY: `http://127.0.0.1:${proxy.port}`, http_proxy: '', NO_PROXY: 'skipped.nowhere.test', no_proxy: '' } })
    await until('the proxy is asked for a connection', () => proxied.some((one) => one.connect === 'secure.nowhere.test:443'))
    await until('what the environment says holds', () => proxied.some((one) => one.url === 'http://env.nowhere.test:9100/metrics'))
    await until('this machine is asked directly', async () => (await active(stoker.console)).find((one) => one.scrapePool === 'direct').health === 'up')
    await until('the exception fails by itself', async () => (await active(stoker.console)).find((one) => one.scrapeUrl.includes('skipped')).health === 'down')
    assert.ok(!proxied.some((one) => one.url?.includes('skipped') || one.url?.includes('127.0.0.1')))
    await stoker.stop()
})
