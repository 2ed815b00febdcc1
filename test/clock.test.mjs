// The wall clock is set under a running Stoker (fake_clock), hours ahead and back again: samples, requests, traces and
// rules go on by the clock as it is, nobody's health is doubted for it, and nothing stored is lost.
import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { binary, getJson, startSim, startStoker, stopAll, temporaryDirectory, until } from './lib/stoker.mjs'

const library = join(dirname(binary), 'libfake_clock.so')
const hour = 3600

after(stopAll)

// A Stoker whose clock is `offset` seconds off, which set() changes while it runs; its steady clock runs on.
async function startWithClock(config) {
    assert.ok(existsSync(library), `${library} is not built: ninja fake_clock`)
    const file = join(temporaryDirectory(), 'clock')
    let offset = 0
    const set = (seconds) => {
        offset = seconds
        const bytes = Buffer.alloc(8)
        bytes.writeBigInt64LE(BigInt(seconds))
        writeFileSync(file, bytes, { flag: existsSync(file) ? 'r+' : 'w' }) // In place: it is mapped.
    }
    set(0)
    const env = { LD_PRELOAD: library, STOKER_TEST_CLOCK: file }
    const stoker = await startStoker({ config, env })
    return { stoker, set, clock: () => Date.now() / 1000 + offset }
}

test('samples, requests and traces go on over steps of hours', { timeout: 90_000 }, async () => {
    const sim = await startSim({ model: 'sim-model', profile: 'instant' })
    const { stoker, set, clock } = await startWithClock(`
pools:
  - name: chat
    models: [tiny]
    replicas: [{url: "${sim.url}", model: sim-model}]
collect: {scrape_interval: 1s}
`)
    const value = async (query, time) => {
        const { data } = await getJson(`${stoker.console}/api/v1/query?query=${encodeURIComponent(query)}&time=${time}`)
        return data.result.length ? Number(data.result[0].value[1]) : undefined
    }
    // Samples of the last five seconds, of what is scraped, read from this machine, and Stoker's own.
    const collected = async () => {
        const now = clock()
        for (const query of ['llm_engine_requests_running', 'node_time_seconds', 'stoker_tsdb_series']) {
            if (!((await value(`count(count_over_time(${query}[5s]))`, now)) >= 1)) return false
        }
        return true
    }
    const ask = async () => {
        const response = await fetch(`${stoker.gateway}/v1/chat/completions`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ model: 'tiny', max_tokens: 4, messages: [{ role: 'user', content: 'x' }] }),
        })
        assert.equal(response.status, 200, await response.text())
        return response.headers.get('x-request-id')
    }
    const recorded = async (id) => (await getJson(`${stoker.console}/api/v1/requests?from=${clock() - 60}&to=${clock() + 60}&limit=1000`)).requests.some((each) => each.id === id)

    await until('samples before any step', collected, 20_000)
    const before = clock()
    for (const offset of [2 * hour, 0, -3 * hour, 24 * hour * 400, 0]) {
        set(offset)
        await until(`samples with the clock ${offset} s off`, collected, 20_000)
        const id = await ask()
        await until(`the request of that time with the clock ${offset} s off`, () => recorded(id), 20_000)
        if (offset < 24 * hour) continue
        const maintained = await value('stoker_tsdb_maintain_seconds_count', clock())
        await until('what is past retention was looked for', async () => (await value('stoker_tsdb_maintain_seconds_count', clock())) > maintained + 1, 20_000)
    }
    assert.ok((await value('count_over_time(node_time_seconds[5s])', before)) >= 1, 'what was stored before is gone')
    const { incidents } = await getJson(`${stoker.console}/api/v1/incidents`)
    assert.deepEqual(incidents.map((each) => each.title ?? each.kind), [])
    await stoker.stop()
})
