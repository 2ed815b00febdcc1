// Starts the real binaries for a test and takes them down again.
//
//   const stoker = await startStoker({ config: `pools: ...` })   stoker.gateway, stoker.console: base URLs
//   const engine = await startSim({ model: 'sim' })              engine.url
// Everything started is ended by stopAll(), which each test file calls in after().
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
export const binary = process.env.STOKER_BINARY ?? join(root, 'build/release/stoker')

const running = new Set()

// What no waiting mends: until() fails with it at once.
class Final extends Error {}

// Waits until `probe` gives something truthy and returns it; fails with `what` after `limit` ms.
export async function until(what, probe, limit = 10_000, every = 50) {
    const end = Date.now() + limit
    let last
    for (;;) {
        try {
            const value = await probe()
            if (value) return value
        } catch (error) {
            if (error instanceof Final) throw error
            last = error
        }
        if (Date.now() > end) throw new Error(`not within ${limit} ms: ${what}${last ? ` (${last.message})` : ''}`)
        await new Promise((done) => setTimeout(done, every))
    }
}

export function freePort() {
    return new Promise((done, fail) => {
        const server = createServer().once('error', fail)
        server.listen(0, '127.0.0.1', () => {
            const { port } = server.address()
            server.close(() => done(port))
        })
    })
}

export function temporaryDirectory() {
    return mkdtempSync(join(tmpdir(), 'stoker-test-'))
}

function launch(args, logFile, env) {
    const log = openSync(logFile, 'a')
    const child = spawn(binary, args, { stdio: ['ignore', log, log], env: { ...process.env, ...env } })
    const process_ = { child, pid: child.pid, exit: null, logFile }
    child.once('error', (error) => (process_.exit = { code: -1, error }))
    child.once('exit', (code, signal) => (process_.exit = { code, signal }))
    process_.ended = () => until(`${args[0]} ends`, () => process_.exit, 10_000)
    running.add(process_)
    return process_
}

export async function getJson(url, options) {
    const response = await fetch(url, options)
    const text = await response.text()
    try {
        return JSON.parse(text)
    } catch {
        throw new Error(`${url} answered ${response.status}: ${text.slice(0, 200)}`)
    }
}

// Starts `stoker serve` with `config` (YAML text, may be empty) and waits until it is ready.
export async function startStoker({ config, dir = temporaryDirectory(), env, args = [], command = 'serve' } = {}) {
    const data = join(dir, 'data')
    const all = [command, '--data-dir', data, '--gateway-listen', '127.0.0.1:0', '--console-listen', '127.0.0.1:0', ...args]
    if (config !== undefined) {
        writeFileSync(join(dir, 'stoker.yaml'), config)
        all.push('--config', join(dir, 'stoker.yaml'))
    }
    rmSync(join(data, 'run.json'), { force: true })
    const stoker = launch(all, join(dir, 'stoker.log'), env)
    Object.assign(stoker, { dir, data, configFile: join(dir, 'stoker.yaml') })
    const startedAt = Date.now()
    await until('Stoker is ready', async () => {
        if (stoker.exit) throw new Final(`Stoker ended: ${JSON.stringify(stoker.exit)}\n${readFileSync(stoker.logFile, 'utf8').slice(-3000)}`)
        if (!existsSync(join(data, 'run.json'))) return false
        const run = JSON.parse(readFileSync(join(data, 'run.json'), 'utf8'))
        stoker.gateway = `http://${run.gateway}`
        stoker.console = `http://${run.console}`
        return (await fetch(`${stoker.console}/-/ready`)).ok
    }, 15_000, 20)
    stoker.readyAfter = Date.now() - startedAt
    stoker.kill = async (signal = 'SIGKILL') => {
        stoker.child.kill(signal)
        await stoker.ended()
        running.delete(stoker)
    }
    // Graceful: must end with 0 within 5 s.
    stoker.stop = async () => {
        const begin = Date.now()
        stoker.child.kill('SIGTERM')
        await until('Stoker stops within 5 s of SIGTERM', () => stoker.exit, 5_000)
        running.delete(stoker)
        if (stoker.exit.code !== 0) throw new Error(`exit ${JSON.stringify(stoker.exit)}\n${readFileSync(stoker.logFile, 'utf8').slice(-3000)}`)
        return Date.now() - begin
    }
    stoker.log = () => readFileSync(stoker.logFile, 'utf8')
    return stoker
}

// Starts a simulated engine and waits until it answers.
export async function startSim({ port, model = 'sim', profile = 'tiny', dialect = 'vllm' } = {}) {
    const dir = temporaryDirectory()
    const chosen = port ?? (await freePort())
    const sim = launch(['sim-engine', '--listen', `127.0.0.1:${chosen}`, '--model', model, '--profile', profile, '--dialect', dialect], join(dir, 'sim.log'))
    sim.port = chosen
    sim.url = `http://127.0.0.1:${chosen}`
    await until('the simulated engine answers', async () => (await fetch(`${sim.url}/health`)).ok)
    sim.fault = async (fault) => {
        const response = await fetch(`${sim.url}/sim/faults`, { method: 'POST', body: JSON.stringify(fault), headers: { 'content-type': 'application/json' } })
        if (!response.ok) throw new Error(`fault refused: ${await response.text()}`)
    }
    sim.clearFaults = () => fetch(`${sim.url}/sim/faults`, { method: 'DELETE' })
    return sim
}

// Runs the binary to its end: { code, stdout, stderr }.
export function run(...args) {
    return new Promise((done) => {
        const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] })
        let stdout = ''
        let stderr = ''
        child.stdout.on('data', (data) => (stdout += data))
        child.stderr.on('data', (data) => (stderr += data))
        child.once('exit', (code) => done({ code, stdout, stderr }))
    })
}

export async function stopAll() {
    for (const process_ of running) {
        if (!process_.exit) process_.child.kill('SIGKILL')
    }
    running.clear()
}
