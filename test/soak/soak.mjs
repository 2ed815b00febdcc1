#!/usr/bin/env node
// Mixed load with random faults and reloads, for as long as asked, and then the books: every request ended, none was wrong,
// every one has a record that says what its client saw, the three ledgers of tokens agree, and nothing grew.
//
//   test/soak/soak.mjs [--minutes 30] [--seed N] [--clients 24] [--report FILE]
//
// Prints a line every ten seconds and ends with what it found, which is also written to FILE as JSON
// (build/soak-report.json); exit 1 if anything was wrong.
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { getJson, root, startSim, startStoker, stopAll, until } from '../lib/stoker.mjs'
import { breakEngines } from './faults.mjs'
import { ask, kindNames } from './requests.mjs'
import { growth, sample } from './watch.mjs'

const { values: flags } = parseArgs({ options: { minutes: { type: 'string', default: '30' }, seed: { type: 'string' }, clients: { type: 'string', default: '24' }, report: { type: 'string', default: join(root, 'build/soak-report.json') } } })
const seed = Number(flags.seed ?? Date.now() % 1_000_000_007)
const keys = { acme: 'soak-key-of-acme', beta: 'soak-key-of-beta', gamma: 'soak-key-of-gamma' }
const gammaPerMinute = 120 // Fewer than its clients would send.
const mostUnmetered = 0.005
const mostErrors = 0.02 // Of all requests. One engine is always well, but a request may meet broken ones three times in a row.
// Ledgers. The gateway's own two are of the same events and differ by nothing. The engine that is always well computed some
// tokens more than anybody got: those of clients that left and of attempts that were cut off.
const mostBetweenOwn = 0.001
const mostOfEngine = { share: 0.05, tokens: 2000 }
const mostGrowth = { rss: 1.25, threads: 1.2, descriptors: 1.5 }

class Random {
    constructor(start) {
        this.state = start >>> 0
    }
    real() {
        // mulberry32: small, seeded, good enough to choose by.
        this.state = (this.state + 0x6d2b79f5) >>> 0
        let t = this.state
        t = Math.imul(t ^ (t >>> 15), t | 1)
        t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
        return ((t ^ (t >>> 14)) >>> 0) / 4294967296
    }
    int(below) {
        return Math.floor(this.real() * below)
    }
    chance(share) {
        return this.real() < share
    }
}

const sha256 = (text) => createHash('sha256').update(text).digest('hex')

// Each reload changes what requests under way are built on: limits, aliases, deadlines, keys' metadata, and a replica that goes and comes.
const config = (engines, embedder, turn) => `
auth:
  required: true
  tenants: [{name: acme}, {name: beta}, {name: gamma}]
  keys:
${Object.entries(keys).map(([name, key]) => `    - {id: ${name}-1, tenant: ${name}, sha256: ${sha256(key)}}`).join('\n')}
limits:
  tenants:
    - {name: beta, requests_per_minute: ${turn % 2 ? 600000 : 500000}}
    - {name: gamma, requests_per_minute: ${gammaPerMinute}}
cache:
  rules: [{models: [kept], ttl: ${turn % 2 ? 5 : 6}s}]
batching:
  - {models: [embed], max_inputs: 16, max_wait: 5ms}
routing:
  aliases: [{name: story, to: chat}${turn % 3 ? ', {name: other, to: chat}' : ''}]
pools:
  - name: chat
    models: [chat, kept]
    replicas: [${engines.filter((_, at) => turn % 4 !== 3 || at !== 1).map((engine) => `{url: ${engine.url}, model: sim}`).join(', ')}]
    health: {interval: 200ms, unhealthy_after: 3, stall_after: 3s}
    deadlines: {first_byte: ${turn % 2 ? 1500 : 1600}ms, whole: 4s, between: 1200ms, total: 20s}
  - name: embeddings
    models: [embed]
    replicas: [{url: ${embedder.url}, model: sim}]
collect: {scrape_interval: 2s, host: false}
`

async function reloads({ stoker, engines, embedder, stopped, random }) {
    let turn = 0
    while (!stopped()) {
        await new Promise((done) => setTimeout(done, 3000 + random.int(6000)))
        writeFileSync(stoker.configFile, config(engines, embedder, ++turn))
        const answer = await fetch(`${stoker.console}/api/v1/config/reload`, { method: 'POST' })
        if (!answer.ok) throw new Error(`reload refused: ${await answer.text()}`)
    }
    return turn
}

const books = new Map() // By request id: what its client saw.
const counts = { ok: 0, refused: 0, broken: 0, unmetered: 0, limited: 0, left: 0, wrong: 0 }
const caches = {} // How many were answered how.
const errorCodes = {}
const wrongs = []
const said = (text) => console.log(`${new Date().toISOString().slice(11, 19)} ${text}`)

async function client({ number, stoker, random, stopped }) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    for (let turn = 0; !stopped(); turn++) {
        const tenant = number % 8 === 7 ? 'gamma' : number % 2 ? 'acme' : 'beta'
        const stream = random.chance(0.7)
        const kind = random.chance(0.5) ? 'chat' : kindNames[random.int(kindNames.length)]
        const id = `soak-${seed}-${number}-${turn}`
        const seen = await ask({
            gateway: stoker.gateway, agent, key: keys[tenant], id, kind, stream, random,
            model: random.chance(0.2) ? 'story' : 'chat', tokens: 1 + random.int(80),
            leaveAfter: stream && random.chance(0.05) ? 1 + random.int(20) : undefined, deadline: 45_000,
        })
        counts[seen.outcome]++
        books.set(id, { outcome: seen.outcome, status: seen.status, words: seen.words ?? 0, cached: seen.cache === 'hit' || seen.cache === 'coalesced' })
        if (seen.cache) caches[seen.cache] = (caches[seen.cache] ?? 0) + 1
        if (seen.outcome === 'refused' || seen.outcome === 'broken') {
            const code = seen.error.code ?? seen.error.type
            errorCodes[code] = (errorCodes[code] ?? 0) + 1
        }
        // As a client that minds being refused: what is wrong now is not right at once.
        if (seen.outcome === 'refused' || seen.outcome === 'limited') await new Promise((done) => setTimeout(done, 200))
        if (seen.outcome === 'wrong') wrongs.push(`${id} (${kind}${stream ? ', stream' : ''}): ${seen.why}`)
    }
    agent.destroy()
}

// Each request's record against what its client saw.
async function compareRecords(stoker) {
    const differences = []
    const found = new Set()
    const total = async () => (await sql(stoker, `SELECT count(*) FROM requests WHERE id LIKE 'soak-${seed}-%'`))[0][0]
    await until('every request has its record', async () => Number(await total()) >= books.size, 60_000, 500)
    for (let offset = 0; ; offset += 10_000) {
        const rows = await sql(stoker, `SELECT id, status, outcome, completion_tokens, usage_source FROM requests WHERE id LIKE 'soak-${seed}-%' ORDER BY sequence LIMIT 10000 OFFSET ${offset}`)
        for (const [id, status, outcome, tokens, source] of rows) {
            const seen = books.get(id)
            if (found.has(id)) differences.push(`${id} has two records`)
            found.add(id)
            if (!seen) differences.push(`${id}: nobody sent it`)
            else if (seen.cached) {
                // Nothing was made for it, so nothing is charged.
                if (Number(tokens) !== 0) differences.push(`${id}: it was answered by the cache, the record says ${tokens} tokens`)
            } else if (seen.outcome === 'ok' && (outcome !== 'ok' || Number(tokens) !== seen.words)) differences.push(`${id}: its client had ${seen.words} tokens, the record says ${outcome}, ${tokens}`)
            else if (seen.outcome === 'unmetered' && (outcome !== 'ok' || source !== 'estimated' || Number(tokens) !== seen.words)) differences.push(`${id}: its client had ${seen.words} tokens and no usage, the record says ${outcome}, ${tokens} by ${source}`)
            else if ((seen.outcome === 'refused' || seen.outcome === 'limited') && Number(status) !== seen.status) differences.push(`${id}: its client had ${seen.status}, the record says ${status}`)
            else if (seen.outcome === 'broken' && outcome !== 'truncated') differences.push(`${id}: its client had an error event, the record says ${outcome}`)
        }
        if (rows.length < 10_000) break
    }
    for (const id of books.keys()) if (!found.has(id)) differences.push(`${id} has no record`)
    return differences
}

async function sql(stoker, query) {
    const answer = await getJson(`${stoker.console}/api/v1/sql`, { method: 'POST', body: JSON.stringify({ query, max_rows: 10_000 }) })
    if (!answer.rows) throw new Error(JSON.stringify(answer))
    return answer.rows
}

async function inFlight(stoker) {
    const text = await (await fetch(`${stoker.console}/metrics`)).text()
    const values = [...text.matchAll(/^stoker_gateway_replica_outstanding(?:\{[^}]*\})? (\S+)$/gm)].map((match) => Number(match[1]))
    if (values.length === 0) throw new Error('no gauge of what is under way')
    return values.reduce((sum, value) => sum + value, 0)
}

// The three ledgers over the whole run; what differs by more than it may is a problem.
async function compareLedgers(stoker, minutes, engines, problems) {
    const { replicas, waste } = await getJson(`${stoker.console}/api/v1/ledgers?last=${Math.ceil(minutes * 60) + 120}s`)
    for (const { replica, completion } of replicas) {
        const own = completion.usage.stream + completion.unreported
        if (Math.abs(completion.counted - own) > mostBetweenOwn * own + 50) {
            problems.push(`${replica}: ${completion.counted} tokens were counted in streams, and usage and what went unreported add up to ${own}`)
        }
        if (!replica.endsWith(`:${engines[2].port}`)) continue
        const difference = completion.engine - (completion.known - completion.unseen)
        if (Math.abs(difference) > mostOfEngine.share * completion.known + mostOfEngine.tokens) {
            problems.push(`${replica}: its engine counts ${completion.engine} tokens, the gateway knows of ${completion.known}`)
        }
    }
    return { replicas, waste }
}

const settledLedgers = async (stoker) => JSON.stringify((await getJson(`${stoker.console}/api/v1/ledgers?last=1h`)).replicas)

async function main() {
    const minutes = Number(flags.minutes)
    const began = Date.now()
    const engines = []
    for (let i = 0; i < 3; i++) engines.push(Object.assign(await startSim({ profile: 'h100-8b' }), { profile: 'h100-8b' }))
    const embedder = await startSim({ profile: 'h100-8b' })
    const stoker = await startStoker({ config: config(engines, embedder, 0) })
    said(`soak of ${minutes} minutes, ${flags.clients} clients, seed ${seed}, data in ${stoker.data}`)
    const stopped = () => Date.now() - began > minutes * 60_000 || stoker.exit
    const samples = []
    const watching = setInterval(() => {
        if (stoker.exit) return
        samples.push(sample(stoker.pid))
        const { rss, threads, descriptors } = samples.at(-1)
        said(`${JSON.stringify(counts)} ${rss.toFixed(0)} MiB, ${threads} threads, ${descriptors} descriptors`)
    }, 10_000)
    const clients = Array.from({ length: Number(flags.clients) }, (_, number) => client({ number, stoker, random: new Random(seed + number + 1), stopped }))
    const [faults, reloaded] = await Promise.all([
        breakEngines({ engines, random: new Random(seed), stopped, told: said }),
        reloads({ stoker, engines, embedder, stopped, random: new Random(seed + 1000) }),
        ...clients,
    ])
    clearInterval(watching)

    const problems = [...wrongs]
    let ledgers = null
    let stuck = null
    let stopMs = null
    if (stoker.exit) problems.push(`Stoker ended: ${JSON.stringify(stoker.exit)}`)
    else {
        await until('nothing is under way any more', async () => (await inFlight(stoker)) === 0, 30_000, 200).catch((error) => problems.push(error.message))
        stuck = await inFlight(stoker)
        problems.push(...(await compareRecords(stoker).catch((error) => [error.message])))
        // Until the last scrape has seen the last token.
        let before = ''
        await until('the ledgers stand still', async () => {
            const now = await settledLedgers(stoker)
            const still = now === before
            before = now
            return still
        }, 30_000, 5_000).catch((error) => problems.push(error.message))
        ledgers = await compareLedgers(stoker, minutes, engines, problems)
        const quiet = await ask({ gateway: stoker.gateway, key: keys.acme, id: `soak-${seed}-last`, kind: 'chat', model: 'chat', stream: true, tokens: 20, random: new Random(1), deadline: 10_000 })
        if (quiet.outcome !== 'ok') problems.push(`afterwards: ${quiet.outcome} ${quiet.why}`)
    }
    const errors = (counts.refused + counts.broken) / books.size
    if (errors > mostErrors) problems.push(`${(100 * errors).toFixed(2)} % of the requests ended in errors, with one engine always well`)
    if (counts.unmetered / books.size > mostUnmetered) problems.push(`${counts.unmetered} streams without their usage`)
    const grew = {}
    for (const [name, most] of Object.entries(mostGrowth)) {
        const grown = growth(samples, name)
        grew[name] = grown
        if (grown && grown.factor > most) problems.push(`${name} grew from ${grown.early.toFixed(0)} to ${grown.late.toFixed(0)}`)
        if (grown) said(`${name}: ${grown.early.toFixed(0)} in the second quarter, ${grown.late.toFixed(0)} in the last`)
    }
    if (!stoker.exit) {
        const stopping = Date.now()
        stoker.child.kill('SIGTERM')
        await until('Stoker ends', () => stoker.exit, 30_000).catch((error) => problems.push(error.message))
        if (stoker.exit && stoker.exit.code !== 0) problems.push(`Stoker ended with ${JSON.stringify(stoker.exit)}`)
        stopMs = Date.now() - stopping
        said(`stopped in ${stopMs} ms`)
    }
    said(`${books.size} requests: ${JSON.stringify(counts)}; ${(100 * errors).toFixed(2)} % errors; ${reloaded} reloads; faults ${JSON.stringify(faults)}`)
    for (const { replica, completion, drifts } of ledgers?.replicas ?? []) {
        said(`ledgers of ${replica}: counted ${completion.counted}, usage ${completion.usage.stream} + ${completion.usage.whole}, unreported ${completion.unreported}, engine ${completion.engine}${drifts.length ? `, drifts ${drifts.join(' ')}` : ''}`)
    }
    said(`errors ${JSON.stringify(errorCodes)}; cache ${JSON.stringify(caches)}`)
    const report = { seed, minutes, clients: Number(flags.clients), requests: books.size, counts, errors, errorCodes, cache: caches, reloads: reloaded, faults, growth: grew, stuck, stopMs, ledgers, samples, problems }
    mkdirSync(dirname(flags.report), { recursive: true })
    writeFileSync(flags.report, JSON.stringify(report, null, 1) + '\n')
    said(`report in ${flags.report}`)
    for (const problem of problems.slice(0, 50)) console.log(`  ${problem}`)
    console.log(`soak: ${problems.length ? `${problems.length} problems` : 'nothing wrong'}`)
    return problems.length ? 1 : 0
}

process.exitCode = await main().finally(stopAll)
