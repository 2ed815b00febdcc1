// A real Redis of the test's own: on a free port, in memory, ended with the test.
import { spawn } from 'node:child_process'
import { connect } from 'node:net'
import { freePort, temporaryDirectory, until } from './stoker.mjs'

const running = new Set()

// One command, its reply as RESP text.
export function ask(port, ...words) {
    return new Promise((done, fail) => {
        const socket = connect(port, '127.0.0.1')
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

export async function startRedis({ port, args = [] } = {}) {
    const chosen = port ?? (await freePort())
    const child = spawn('redis-server', ['--port', `${chosen}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', temporaryDirectory(), ...args], { stdio: 'ignore' })
    const redis = { child, port: chosen, url: `redis://127.0.0.1:${chosen}`, exit: null }
    child.once('error', (error) => (redis.exit = error))
    child.once('exit', (code) => (redis.exit = { code }))
    running.add(redis)
    await until('Redis answers', async () => {
        if (redis.exit) throw new Error(`redis-server ended: ${JSON.stringify(redis.exit)}`)
        return /PONG|NOAUTH/.test(await ask(chosen, 'PING'))
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
