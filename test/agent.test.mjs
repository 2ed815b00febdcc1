// The node agent against real servers: an outage, its own death, client certificates, two destinations.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:https'
import { connect, createServer as createTcpServer } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { samples, startAgent, stopAgents } from './lib/agent.mjs'
import { getJson, run, startStoker, stopAll, temporaryDirectory, until } from './lib/stoker.mjs'

after(async () => {
    stopAgents()
    await stopAll()
})

const load = 'node_load1{instance="node-7"}'
const destination = (name, stoker) => `- {name: ${name}, url: "${stoker.console}/api/v1/write"}`

test('an outage of the server and the death of the agent lose nothing', { timeout: 60_000 }, async (t) => {
    // The server's address stays while the server, with a port of its own each time, comes and goes behind it.
    let stoker = await startStoker()
    const door = createTcpServer((socket) => {
        const onward = connect(new URL(stoker.console).port, '127.0.0.1')
        for (const [one, other] of [[socket, onward], [onward, socket]]) {
            one.on('error', () => other.destroy())
            one.on('close', () => other.destroy())
            one.pipe(other)
        }
    })
    await new Promise((done) => door.listen(0, '127.0.0.1', done))
    t.after(() => door.close())
    const config = `destinations:\n- {name: main, url: "http://127.0.0.1:${door.address().port}/api/v1/write"}\n`
    let agent = startAgent(config)
    await until('samples arrive', async () => (await samples(stoker.console, load)).length > 3)
    const families = await getJson(`${stoker.console}/api/v1/query?query=stoker_agent_info`)
    assert.equal(families.data.result[0].metric.instance, 'node-7')

    await stoker.kill()
    const lostAt = Date.now()
    await until('the agent notices', () => agent.status().senders[0].last_error !== '', 20_000)
    await until('a good deal waits', () => agent.status().senders[0].waiting_records > 20, 20_000)
    const killedAt = agent.status().at_ms
    await agent.end('SIGKILL')
    agent = startAgent(config, { dir: agent.dir })

    stoker = await startStoker({ dir: stoker.dir })
    await until('it has caught up', async () => (await samples(stoker.console, load)).at(-1)?.[0] * 1000 > Date.now() - 2_000, 20_000)
    const all = await samples(stoker.console, load)
    const times = all.map(([time]) => time * 1000)
    assert.deepEqual(times, [...new Set(times)].sort((a, b) => a - b))
    // What waited when it was killed; a busy machine may skip a round now and then.
    const meanwhile = times.filter((time) => time > lostAt - 500 && time <= killedAt)
    const rounds = Math.floor((killedAt - lostAt) / 200)
    assert.ok(meanwhile.length > rounds / 2, `${meanwhile.length} of ${rounds}`)
    // Between the outage and the kill no gap is wider than a busy machine explains.
    for (let i = 1; i < meanwhile.length; ++i) assert.ok(meanwhile[i] - meanwhile[i - 1] < 3_000, `${meanwhile[i] - meanwhile[i - 1]} ms`)
    const missed = await getJson(`${stoker.console}/api/v1/query?query=stoker_agent_missed_records_total`)
    assert.deepEqual(missed.data.result, [])

    const shown = await run('agent', 'status', agent.file)
    assert.equal(shown.code, 0, shown.stderr)
    assert.match(shown.stdout, /destination {2}main: \d+ batches wait/)
    assert.deepEqual(await agent.end(), { code: 0, signal: null })
})

test('two destinations get everything, or one after the other', { timeout: 60_000 }, async () => {
    const [first, second] = [await startStoker(), await startStoker()]
    const both = startAgent(`destinations:\n${destination('a', first)}\n${destination('b', second)}\n`)
    await until('both have it', async () => (await samples(first.console, load)).length > 3 && (await samples(second.console, load)).length > 3)
    await both.end()
    const [one, other] = [await samples(first.console, load), await samples(second.console, load)]
    const shared = Math.min(one.length, other.length)
    assert.deepEqual(one.slice(0, shared), other.slice(0, shared))

    const failing = startAgent(`mode: failover\nlabels: {turn: "2"}\ndestinations:\n${destination('a', first)}\n${destination('b', second)}\n`)
    const turn = 'node_load1{turn="2"}'
    await until('the first has it', async () => (await samples(first.console, turn)).length > 3)
    assert.deepEqual(await samples(second.console, turn), [])
    const before = await samples(first.console, turn)
    await first.kill()
    await until('the second takes over', async () => (await samples(second.console, turn)).length > 3, 20_000)
    const afterwards = await samples(second.console, turn)
    // It goes on where the first stopped: nothing lost between the two.
    const gap = afterwards[0][0] - before.at(-1)[0]
    assert.ok(gap < 3, `${gap} s between the two`)
    await failing.end()
})

test('a client certificate is shown to the server', { timeout: 60_000 }, async (t) => {
    if (spawnSync('openssl', ['version']).error) return t.skip('openssl is not installed')
    const stoker = await startStoker()
    const dir = temporaryDirectory()
    const openssl = (...args) => assert.equal(spawnSync('openssl', args, { cwd: dir }).status, 0, args.join(' '))
    const make = (name, subject) => {
        openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', subject)
        writeFileSync(join(dir, 'ext'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n')
        openssl('x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'ext', '-out', `${name}.crt`)
    }
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=test CA', '-days', '2')
    make('server', '/CN=localhost')
    make('agent', '/CN=node-7')
    const read = (name) => readFileSync(join(dir, name))
    const clients = new Set()
    // A proxy that lets only certificates of its CA through.
    const proxy = createServer({ key: read('server.key'), cert: read('server.crt'), ca: read('ca.crt'), requestCert: true, rejectUnauthorized: true }, (incoming, outgoing) => {
        clients.add(incoming.socket.getPeerCertificate().subject.CN)
        const upstream = request(`${stoker.console}${incoming.url}`, { method: incoming.method, headers: incoming.headers }, (answer) => {
            outgoing.writeHead(answer.statusCode, answer.headers)
            answer.pipe(outgoing)
        })
        upstream.on('error', () => outgoing.destroy())
        incoming.pipe(upstream)
    })
    await new Promise((done) => proxy.listen(0, '127.0.0.1', done))
    t.after(() => proxy.closeAllConnections?.())
    t.after(() => proxy.close())
    const url = `https://localhost:${proxy.address().port}/api/v1/write`
    const without = startAgent(`destinations:\n- {name: main, url: "${url}", tls: {ca_file: ${dir}/ca.crt}}\n`)
    await until('it is refused', () => existsSync(join(without.dir, 'data', 'status.json')) && without.status().senders[0].last_error !== '', 20_000)
    assert.equal(without.status().senders[0].sent_samples, 0)
    await without.end()
    const agent = startAgent(`destinations:\n- {name: main, url: "${url}", tls: {ca_file: ${dir}/ca.crt, certificate: ${dir}/agent.crt, key: ${dir}/agent.key}}\n`)
    await until('samples arrive', async () => (await samples(stoker.console, load)).length > 3, 20_000)
    assert.deepEqual([...clients], ['node-7'])
    await agent.end()
})

test('a token lets an agent in until it is revoked, and a new one goes on where it stopped', { timeout: 60_000 }, async () => {
    const stoker = await startStoker({ config: 'ingest: {require_token: true}\n' })
    const server = ['--server', stoker.console]
    const make = async () => {
        const made = await run('agents', 'token', 'create', '--name', 'rack-12', ...server)
        assert.equal(made.code, 0, made.stderr)
        return made.stdout
    }
    const dir = temporaryDirectory()
    const agent = startAgent(`destinations:\n- {name: main, url: "${stoker.console}/api/v1/write", token_file: token}\n`, { dir })
    await until('it says that there is no token', () => existsSync(join(dir, 'data', 'status.json')) && agent.status().senders[0].last_error.includes('token'), 20_000)
    writeFileSync(join(dir, 'token'), await make())
    await until('samples arrive', async () => (await samples(stoker.console, load)).length > 3, 20_000)
    const [listed] = (await getJson(`${stoker.console}/api/v1/agents`)).agents
    assert.equal(listed.name, 'node-7')
    assert.equal(listed.state, 'sending')
    const { tokens } = JSON.parse((await run('agents', 'token', 'list', '--json', ...server)).stdout)
    assert.equal(tokens[0].id, listed.token)

    const revoked = await run('agents', 'token', 'revoke', listed.token, ...server)
    assert.match(revoked.stdout, /revoked/)
    await until('it is refused', () => agent.status().senders[0].last_error.includes('revoked'), 20_000)
    await until('a good deal waits', () => agent.status().senders[0].waiting_records > 15, 20_000)
    const until_ = (await samples(stoker.console, load)).at(-1)[0]
    writeFileSync(join(dir, 'token'), await make())
    await until('it goes on', async () => (await samples(stoker.console, load)).at(-1)[0] * 1000 > Date.now() - 2_000, 20_000)
    const times = (await samples(stoker.console, load)).map(([time]) => time).filter((time) => time >= until_)
    for (let i = 1; i < times.length; ++i) assert.ok(times[i] - times[i - 1] < 3, `${times[i] - times[i - 1]} s`)
    await agent.end()
    assert.match((await run('agents', ...server)).stdout, /node-7 +sending/)
    assert.equal((await run('agents', 'forget', 'node-7', ...server)).code, 0)
    assert.deepEqual((await getJson(`${stoker.console}/api/v1/agents`)).agents, [])
})

test('what is wrong with a configuration is said with its line', async () => {
    const dir = temporaryDirectory()
    mkdirSync(dir, { recursive: true })
    const file = join(dir, 'agent.yaml')
    writeFileSync(file, 'interval: 1s\ndestinatons: []\n')
    const bad = await run('agent', 'check', file)
    assert.equal(bad.code, 1)
    assert.match(bad.stderr, /agent\.yaml:2.*destinations/)
    const json = await run('agent', 'check', file, '--json')
    assert.ok(JSON.parse(json.stdout).problems.length > 0)
    const help = await run('agent', '--help')
    assert.match(help.stdout, /run[\s\S]*check[\s\S]*status/)
    const docs = await run('agent', 'config', 'docs')
    assert.equal(docs.stdout, readFileSync(new URL('../docs/agent-configuration.md', import.meta.url), 'utf8'))
})
