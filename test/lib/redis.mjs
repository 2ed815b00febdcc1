// A real Redis of the test's own: on a free port, in memory, ended with the test.
import { spawn } from 'node:child_process'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { readFileSync } from 'node:fs'
import { freePort, temporaryDirectory, until } from './stoker.mjs'

const running = new Set()

// One command, its reply as RESP text.
export const ask = (port, ...words) => askOver(connect(port, '127.0.0.1'), words)
// The same of one that speaks TLS with one of makeCertificates().
export const askTls = (port, certificates, ...words) =>
    askOver(connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca: readFileSync(certificates.ca) }), words)

function askOver(socket, words) {
    return new Promise((done, fail) => {
        let text = ''
        socket.setTimeout(2_000, () => socket.destroy(new Error('no answer')))
        socket.once('error', fail)
        socket.on('data', (data) => {
            text += data
            socket.end()
        })
        socket.once('close', () => done(text))
        socket.write(`*${words.length}\r\n` + words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join(''))
    })
}

// With `certificates` (of makeCertificates) it speaks TLS and nothing else.
export async function startRedis({ port, args = [], certificates } = {}) {
    const chosen = port ?? (await freePort())
    const listen = certificates
        ? ['--port', '0', '--tls-port', `${chosen}`, '--tls-cert-file', certificates.certificate, '--tls-key-file', certificates.key, '--tls-ca-cert-file', certificates.ca, '--tls-auth-clients', 'no']
        : ['--port', `${chosen}`]
    const child = spawn('redis-server', [...listen, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', temporaryDirectory(), ...args], { stdio: 'ignore' })
    const redis = { child, port: chosen, url: certificates ? `rediss://localhost:${chosen}` : `redis://127.0.0.1:${chosen}`, exit: null }
    child.once('error', (error) => (redis.exit = error))
    child.once('exit', (code) => (redis.exit = { code }))
    running.add(redis)
    await until('Redis answers', async () => {
        if (redis.exit) throw new Error(`redis-server ended: ${JSON.stringify(redis.exit)}`)
        return /PONG|NOAUTH/.test(await (certificates ? askTls(chosen, certificates, 'PING') : ask(chosen, 'PING')))
    })
    redis.signal = (signal) => child.kill(signal)
    redis.kill = async () => {
        child.kill('SIGKILL')
        await until('Redis has ended', () => redis.exit)
        running.delete(redis)
    }
    return redis
}

export function stopRedis() {
    for (const redis of running) if (!redis.exit) redis.child.kill('SIGKILL')
    running.clear()
}
