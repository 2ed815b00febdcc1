// A provider's API behind TLS, with a certification authority of its own, that notes exactly what it was sent.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer as createPlainServer } from 'node:http'
import { createServer } from 'node:https'
import { connect } from 'node:net'
import { join } from 'node:path'
import { temporaryDirectory } from './stoker.mjs'

function openssl(...args) {
    const done = spawnSync('openssl', args, { encoding: 'utf8' })
    if (done.status !== 0) throw new Error(`openssl ${args[0]}: ${done.stderr}`)
}

// { ca, key, certificate }: file names. The certificate is for `host` and no other.
export function makeCertificates(host = 'localhost') {
    const dir = temporaryDirectory()
    const at = (name) => join(dir, name)
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
    openssl('req', '-x509', ...curve, '-subj', '/CN=test CA', '-keyout', at('ca.key'), '-out', at('ca.pem'))
    openssl('req', ...curve.slice(0, 5), '-subj', `/CN=${host}`, '-keyout', at('server.key'), '-out', at('server.csr'))
    writeFileSync(at('names'), `subjectAltName=DNS:${host}\n`)
    openssl('x509', '-req', '-in', at('server.csr'), '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2', '-extfile', at('names'), '-out', at('server.pem'))
    return { ca: at('ca.pem'), key: at('server.key'), certificate: at('server.pem') }
}

// provider.seen: [{ method, url, headers, body }] of all requests; provider.answer(request, response) may be replaced.
export async function startProvider(certificates) {
    const provider = { seen: [], answer: answerWell }
    const server = createServer({ key: readFileSync(certificates.key), cert: readFileSync(certificates.certificate) }, (request, response) => {
        let text = ''
        request.setEncoding('utf8')
        request.on('data', (piece) => (text += piece))
        request.on('end', () => {
            const seen = { method: request.method, url: request.url, headers: request.headers, body: text ? JSON.parse(text) : null }
            provider.seen.push(seen)
            provider.answer(seen, response)
        })
    })
    await new Promise((done) => server.listen(0, '127.0.0.1', done))
    provider.url = `https://localhost:${server.address().port}`
    provider.last = () => provider.seen.at(-1)
    provider.reset = () => {
        provider.seen.length = 0
        provider.answer = answerWell
    }
    provider.stop = () => {
        server.closeAllConnections()
        return new Promise((done) => server.close(done))
    }
    return provider
}

// What no client should see of the account behind the gateway comes along with each answer.
const account = { 'set-cookie': '__cf=1', 'openai-organization': 'org-secret', 'x-ratelimit-limit-requests': '3', 'strict-transport-security': 'max-age=1', 'x-request-id': 'theirs' }

export function sendJson(response, status, body, headers = {}) {
    response.writeHead(status, { 'content-type': 'application/json', ...account, ...headers })
    response.end(JSON.stringify(body))
}

function answerWell({ url, body }, response) {
    const usage = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 }
    if (url.split('?')[0].endsWith('/messages')) {
        return sendJson(response, 200, { id: 'msg_1', type: 'message', role: 'assistant', model: body.model, content: [{ type: 'text', text: 'from afar' }], stop_reason: 'end_turn', usage: { input_tokens: 5, output_tokens: 2 } })
    }
    if (!body?.stream) {
        return sendJson(response, 200, { id: 'c1', object: 'chat.completion', model: body?.model, choices: [{ index: 0, message: { role: 'assistant', content: 'from afar' }, finish_reason: 'stop' }], usage })
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', ...account })
    const event = (delta, rest = {}) => response.write(`data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', model: body.model, choices: [{ index: 0, delta, finish_reason: null }], ...rest })}\n\n`)
    event({ role: 'assistant', content: 'from' })
    event({ content: ' afar' })
    response.write(`data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', model: body.model, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })}\n\n`)
    response.write(`data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', model: body.model, choices: [], usage })}\n\n`)
    response.end('data: [DONE]\n\n')
}

// An HTTP proxy that connects whoever asks with CONNECT, whatever the host is called, to `port` of this machine.
// proxy.seen: [{ target, authorization }]; proxy.refuse: a status to refuse with.
export async function startProxy(port) {
    const proxy = { seen: [], refuse: 0 }
    const server = createPlainServer()
    server.on('connect', (request, socket, head) => {
        proxy.seen.push({ target: request.url, authorization: request.headers['proxy-authorization'] })
        socket.on('error', () => {})
        if (proxy.refuse) return socket.end(`HTTP/1.1 ${proxy.refuse} No\r\nContent-Length: 0\r\n\r\n`)
        const upstream = connect(port, '127.0.0.1', () => {
            socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
            upstream.write(head)
            upstream.pipe(socket)
            socket.pipe(upstream)
        })
        upstream.on('error', () => socket.destroy())
    })
    await new Promise((done) => server.listen(0, '127.0.0.1', done))
    proxy.port = server.address().port
    proxy.stop = () => new Promise((done) => server.close(done) && server.closeAllConnections())
    return proxy
}
