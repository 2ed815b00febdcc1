// The command line itself: help with examples, exit codes, machine-readable output.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { root, run } from './lib/stoker.mjs'

// Every command and those below it: ['query'], ['cache', 'show'], …
async function commands(...above) {
    const { stdout } = await run(...above, '--help')
    const listed = stdout.match(/^Subcommands:\n((?: {2}\S.*\n|\s{4,}.*\n)+)/m)?.[1] ?? ''
    const names = [...listed.matchAll(/^ {2}(\S+)/gm)].map((match) => [...above, match[1]])
    const below = await Promise.all(names.map((name) => commands(...name)))
    return [...names, ...below.flat()]
}

test('every command has help with examples', async () => {
    const all = await commands()
    assert.ok(all.length > 30, `${all.length} commands found`)
    for (const command of all) {
        const { code, stdout } = await run(...command, '--help')
        assert.equal(code, 0, command.join(' '))
        assert.match(stdout, /Examples:/, command.join(' '))
        assert.match(stdout, new RegExp(`stoker ${command.join(' ')}`), command.join(' '))
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

test('a command that is not there is said to be none, with the near one', async () => {
    const near = await run('replica')
    assert.equal(near.code, 2)
    assert.equal(near.stderr, "stoker: there is no command 'replica'; did you mean 'replicas'?\n`stoker --help` lists them.\n")
    const nested = await run('cache', 'shwo')
    assert.equal(nested.code, 2)
    assert.match(nested.stderr, /^stoker cache: there is no command 'shwo'; did you mean 'show'\?/)
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
