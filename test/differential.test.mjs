// PromQL against the real Prometheus: random series, random queries, the same answers to the last bit.
//
//   node test/differential.test.mjs [--seed N] [--queries N] [--only N]     --only: just that query of the seed
//
// What is generated, and what may differ and why: docs/decisions/005-differential-test.md.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { parseArgs } from 'node:util'
import { noPrometheus, startPrometheus } from './lib/prometheus.mjs'
import { difference } from './lib/promql_answers.mjs'
import { PrometheusClient } from './lib/promql_client.mjs'
import { batches, randomSeries } from './lib/promql_data.mjs'
import { Grammar } from './lib/promql_grammar.mjs'
import { shrink } from './lib/promql_node.mjs'
import { Random } from './lib/random.mjs'
import { remoteWrite } from './lib/remote_write.mjs'
import { startStoker, stopAll } from './lib/stoker.mjs'

const number = (text) => (text === undefined ? undefined : Number(text))
const { values: options } = parseArgs({
    options: { seed: { type: 'string' }, queries: { type: 'string', default: '6000' }, only: { type: 'string' }, failures: { type: 'string', default: '5' } },
})
const seed = number(options.seed) ?? Math.floor(Math.random() * 1e9)
const queries = number(options.queries)
const only = number(options.only)
const atOnce = 8

let prometheus
let stoker
const clients = {}

before(async () => {
    if (noPrometheus) return
    prometheus = await startPrometheus()
    stoker = await startStoker({ config: 'storage: {metrics: {retention: 20y}}\nquery: {experimental: true}\n' })
    clients.prometheus = new PrometheusClient(prometheus.url, atOnce)
    clients.stoker = new PrometheusClient(stoker.console, atOnce)
    for (const batch of batches(randomSeries(new Random(seed)))) {
        await remoteWrite(`${prometheus.url}/api/v1/write`, batch)
        await remoteWrite(`${stoker.console}/api/v1/write`, batch)
    }
})
after(async () => {
    prometheus?.stop()
    await stopAll()
})

async function compare({ expr, ...when }) {
    const [theirs, ours] = await Promise.all([
        clients.prometheus.ask({ query: expr.text('prometheus'), ...when }),
        clients.stoker.ask({ query: expr.text('stoker'), ...when }),
    ])
    return { theirs, ours, difference: difference(theirs, ours, expr.bound) }
}

async function report(index, query) {
    const differs = async (expr) => (await compare({ ...query, expr })).difference
    const expr = await shrink(query.expr, differs)
    const { theirs, ours, difference: what } = await compare({ ...query, expr })
    const { start, end, step } = query
    const when = step ? `from ${start} to ${end} step ${step}` : `at ${start}`
    return [
        `query ${index} (--seed ${seed} --only ${index}): ${what}`,
        `  as generated: ${query.expr.text('stoker')}`,
        `  shrunk:       ${expr.text('stoker')}   ${when}`,
        `  Prometheus:   ${JSON.stringify(theirs).slice(0, 260)}`,
        `  Stoker:       ${JSON.stringify(ours).slice(0, 260)}`,
    ].join('\n')
}

test(`${queries} random queries, seed ${seed}`, { skip: noPrometheus }, async () => {
    const failures = []
    const seen = { answers: 0, empty: 0, errors: 0 }
    let next = only ?? 0
    const end = only === undefined ? queries : only + 1
    const worker = async () => {
        while (next < end && failures.length < number(options.failures)) {
            const index = next++
            const query = new Grammar(new Random(seed, index)).query()
            const { theirs, difference: what } = await compare(query)
            ++seen[theirs.error !== undefined ? 'errors' : theirs.result.length === 0 ? 'empty' : 'answers']
            if (what) failures.push(await report(index, query))
        }
    }
    await Promise.all(Array.from({ length: atOnce }, worker))
    console.log(`seed ${seed}: ${next} queries; ${seen.answers} with an answer, ${seen.empty} empty, ${seen.errors} refused by both`)
    assert.equal(failures.length, 0, `\n${failures.join('\n\n')}`)
    if (only === undefined && queries >= 1000) {
        assert.ok(seen.answers > queries / 2, 'most queries should find something')
        assert.ok(seen.errors > queries / 100, 'some queries should be wrong')
    }
})
