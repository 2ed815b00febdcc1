// The command line itself: help with examples, exit codes, machine-readable output.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { root, run } from './lib/stoker.mjs'

const commands = ['serve', 'demo', 'sim-engine', 'query', 'requests', 'incidents', 'config', 'version']

test('every command has help with examples', async () => {
    for (const command of commands) {
        const { code, stdout } = await run(command, '--help')
        assert.equal(code, 0, command)
        assert.match(stdout, /Examples:/, command)
        assert.match(stdout, new RegExp(`stoker ${command}`), command)
    }
})

test('exit codes: 2 for wrong usage, 1 for what failed', async () => {
    assert.equal((await run()).code, 2)
    assert.equal((await run('serv')).code, 2)
    assert.equal((await run('query')).code, 2)
    assert.equal((await run('query', 'up', '--step', '15s')).code, 2)
    assert.equal((await run('query', 'up', '--range', 'soon')).code, 2)
    const nobody = await run('query', 'up', '--server', 'http://127.0.0.1:9')
    assert.equal(nobody.code, 1)
    assert.match(nobody.stderr, /127\.0\.0\.1:9/)
    assert.equal((await run('config', 'check', '/nowhere.yaml')).code, 1)
})

test('version as text and JSON', async () => {
    assert.match((await run('version')).stdout, /^stoker \d+\.\d+\.\d+/)
    assert.match(JSON.parse((await run('version', '--output', 'json')).stdout).version, /^\d+\.\d+\.\d+$/)
})

test('docs/configuration.md is what the binary says', async () => {
    const { code, stdout } = await run('config', 'docs')
    assert.equal(code, 0)
    assert.equal(readFileSync(join(root, 'docs/configuration.md'), 'utf8'), stdout)
})

test('the examples check clean', async () => {
    for (const name of ['two-engines.yaml']) {
        const checked = await run('config', 'check', join(root, 'examples', name))
        assert.equal(checked.code, 0, checked.stdout + checked.stderr)
    }
})
