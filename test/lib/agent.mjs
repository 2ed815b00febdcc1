// The node agent as a process, and what servers have of it.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { binary, getJson, temporaryDirectory, until } from './stoker.mjs'

const agents = new Set()

// Starts `stoker agent run` with that configuration; its folder is `dir`.
export function startAgent(config, { dir = temporaryDirectory(), env = {} } = {}) {
    const file = join(dir, 'agent.yaml')
    writeFileSync(file, `data_dir: data\ninstance: node-7\ninterval: 200ms\nself_interval: 1s\nsend: {interval: 300ms, max_backoff: 500ms, switch_after: 1s, return_every: 1s}\n${config}`)
    const log = openSync(join(dir, 'agent.log'), 'a')
    const child = spawn(binary, ['agent', 'run', '--config', file], { stdio: ['ignore', log, log], env: { ...process.env, ...env } })
    const agent = { child, dir, file, exit: null }
    child.once('exit', (code, signal) => (agent.exit = { code, signal }))
    agent.log = () => readFileSync(join(dir, 'agent.log'), 'utf8')
    agent.end = async (signal = 'SIGTERM') => {
        child.kill(signal)
        await until('the agent ends', () => agent.exit, 5_000)
        agents.delete(agent)
        return agent.exit
    }
    agent.status = () => JSON.parse(readFileSync(join(dir, 'data', 'status.json'), 'utf8'))
    agents.add(agent)
    return agent
}

export function stopAgents() {
    for (const agent of agents) agent.child.kill('SIGKILL')
}

// Times and values of the only series of that name.
export async function samples(console, selector) {
    const answer = await getJson(`${console}/api/v1/query?query=${encodeURIComponent(`${selector}[10m]`)}`)
    assert.equal(answer.status, 'success', JSON.stringify(answer))
    assert.ok(answer.data.result.length <= 1, JSON.stringify(answer.data.result.map((one) => one.metric)))
    return answer.data.result[0]?.values ?? []
}
