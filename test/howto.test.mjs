// The how-tos in docs/gateway.md as an operator would follow them: their configuration is put together and run, and each
// command line is run as it stands there, but for the addresses.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { binary, root, startSim, startStoker, stopAll, temporaryDirectory } from './lib/stoker.mjs'

const page = readFileSync(join(root, 'docs/gateway.md'), 'utf8')
const section = page.slice(page.indexOf('\n## How do I'), page.indexOf('\n## Errors'))
const blocks = (language) => [...section.matchAll(new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``, 'g'))].map((match) => match[1])

// Pieces that begin with the same word are one list, or one object, in the file.
function merged(pieces) {
    const parts = new Map()
    let at
    for (const line of pieces.join('').split('\n')) {
        if (/^\w+:/.test(line)) {
            at = line.split('#')[0].trim()
            if (!parts.has(at)) parts.set(at, [])
        } else if (line.trim()) parts.get(at).push(line)
    }
    return [...parts].map(([head, lines]) => `${head}\n${lines.join('\n')}\n`).join('')
}

let stoker
const dir = temporaryDirectory()
const addresses = new Map()
const here = (text) => [...addresses].reduce((all, [there, address]) => all.replaceAll(there, address), text)

// As in a shell on the machine where Stoker runs.
function shell(script) {
    return new Promise((done) => {
        const prelude = `stoker() { if [ "$1" = config ]; then "${binary}" "$@"; else "${binary}" "$@" --server ${stoker.console}; fi; }\n`
        const child = spawn('bash', ['-c', prelude + here(script)], { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] })
        let output = ''
        for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data))
        child.once('exit', (code) => done({ code, output }))
    })
}

before(async () => {
    for (const port of [9001, 9002, 9003]) addresses.set(`127.0.0.1:${port}`, (await startSim({ model: port === 9003 ? 'llama-green' : 'llama' })).url.slice('http://'.length))
    writeFileSync(join(dir, 'openai.key'), 'sk-of-theirs\n')
    stoker = await startStoker({ dir, config: here(merged(blocks('yaml'))) })
    addresses.set('127.0.0.1:8701', stoker.console.slice('http://'.length))
    for (let i = 0; i < 5; i++) {
        const answer = await fetch(`${stoker.gateway}/v1/chat/completions`, { method: 'POST', body: JSON.stringify({ model: 'llama', max_tokens: 2, messages: [{ role: 'user', content: 'hi' }] }) })
        assert.equal(answer.status, 200, await answer.text())
    }
})
after(stopAll)

for (const block of blocks('sh')) {
    for (const line of block.trim().split('\n')) {
        test(line.split(' #')[0].trim(), async () => {
            const { code, output } = await shell(line)
            assert.equal(code, 0, output)
            assert.notEqual(output.trim(), '')
        })
    }
}

test('the index leads to sections that are there', () => {
    const anchors = new Set([...page.matchAll(/^#+ (.*)$/gm)].map((match) => match[1].toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-')))
    const linked = [...page.matchAll(/\]\(#([^)]*)\)/g)].map((match) => match[1])
    assert.ok(linked.length > 20)
    for (const anchor of linked) assert.ok(anchors.has(anchor), anchor)
})
