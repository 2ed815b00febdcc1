// Stoker killed with SIGKILL under load: nothing that it acknowledged is missing afterwards, and it is back in 3 s.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { getJson, startSim, startStoker, stopAll, until } from './lib/stoker.mjs'

after(stopAll)

test('no completed request and no sample is lost', { timeout: 120_000 }, async () => {
    const sim = await startSim({ model: 'sim-model', profile: 'instant' })
    const config = `
pools:
  - name: chat
    models: [tiny]
    replicas: [{url: "${sim.url}", model: sim-model}]
collect: {scrape_interval: 1s}
`
    let stoker = await startStoker({ config })
    for (let round = 0; round < 3; round++) {
        const completed = new Set()
        let killed = false
        const worker = async () => {
            while (!killed) {
                try {
                    const response = await fetch(`${stoker.gateway}/v1/chat/completions`, {
                        method: 'POST',
                        headers: { 'content-type': 'application/json' },
                        body: JSON.stringify({ model: 'tiny', max_tokens: 4, messages: [{ role: 'user', content: 'x' }] }),
                    })
                    const answer = await response.json()
                    if (response.ok && answer.usage) completed.add(response.headers.get('x-request-id'))
                } catch {
                    if (!killed) throw new Error('a request failed before the kill')
                }
            }
        }
        const workers = Array.from({ length: 16 }, worker)
        await until('a few hundred requests', () => completed.size > 300 + 200 * round, 20_000, 5)
        // Samples that a query shows now were acknowledged to their collector.
        const shown = await samples(stoker)
        killed = true
        await stoker.kill('SIGKILL')
        await Promise.all(workers)

        stoker = await startStoker({ dir: stoker.dir, config: readFileSync(stoker.configFile, 'utf8') })
        assert.ok(stoker.readyAfter < 3_000, `ready after ${stoker.readyAfter} ms`)
        const found = new Set()
        for (let offset = 0; ; offset += 10_000) {
            const page = await getJson(`${stoker.console}/api/v1/requests?last=1h&limit=10000&offset=${offset}`)
            for (const record of page.requests) {
                assert.ok(!found.has(record.id), `${record.id} stands twice`)
                found.add(record.id)
            }
            if (page.requests.length < 10_000) break
        }
        const missing = [...completed].filter((id) => !found.has(id))
        assert.deepEqual(missing, [], `${missing.length} of ${completed.size} completed requests are missing`)
        const again = await samples(stoker)
        for (const [series, points] of shown) {
            const kept = again.get(series) ?? new Set()
            for (const point of points) assert.ok(kept.has(point), `${series} lost ${point}`)
        }
    }
    await stoker.stop()
})

// series -> set of "time value", of a minute of the host's and the engine's series.
async function samples(stoker) {
    const answer = await getJson(`${stoker.console}/api/v1/query?query=${encodeURIComponent('{__name__=~"node_load1|up|vllm:.*_total"}[10m]')}`)
    return new Map(answer.data.result.map((series) => [JSON.stringify(series.metric), new Set(series.values.map(([time, value]) => `${time} ${value}`))]))
}
