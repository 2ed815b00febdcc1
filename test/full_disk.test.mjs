// The disk of the data folder fills up under a running Stoker: requests are served all the same, health says what is
// wrong, and once there is room again samples and records are stored without a restart. What was stored stays.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { getJson, startSim, startStoker, stopAll, temporaryDirectory, until } from './lib/stoker.mjs'

const disk = temporaryDirectory()
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=192m', 'tmpfs', disk])
const skip = mounted.status === 0 ? false : 'mounting a small disk is not allowed here'

after(async () => {
    await stopAll()
    if (!skip) spawnSync('umount', ['-l', disk])
})

// Writes zeros until the disk refuses them.
function fill(file) {
    const handle = openSync(file, 'w')
    for (let size = 1 << 20; size >= 1; size >>= 1) {
        try {
            for (;;) writeSync(handle, Buffer.alloc(size))
        } catch (error) {
            assert.equal(error.code, 'ENOSPC')
        }
    }
    closeSync(handle)
}

test('requests go on, and collection comes back with the room', { skip, timeout: 90_000 }, async () => {
    const sim = await startSim({ model: 'sim-model', profile: 'instant' })
    const stoker = await startStoker({
        dir: disk,
        config: `
pools:
  - name: chat
    models: [tiny]
    replicas: [{url: "${sim.url}", model: sim-model}]
collect: {scrape_interval: 1s}
`,
    })
    const ask = async () => {
        const response = await fetch(`${stoker.gateway}/v1/chat/completions`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ model: 'tiny', max_tokens: 4, messages: [{ role: 'user', content: 'x' }] }),
        })
        assert.equal(response.status, 200, await response.text())
        return response.headers.get('x-request-id')
    }
    const recorded = async (id) => (await getJson(`${stoker.console}/api/v1/requests?last=1h&limit=1000`)).requests.some((each) => each.id === id)
    const samplesAfter = async (time) => {
        const { data } = await getJson(`${stoker.console}/api/v1/query?query=${encodeURIComponent('max(timestamp(node_time_seconds))')}`)
        return data.result.length > 0 && Number(data.result[0].value[1]) > time
    }
    const healthy = async () => (await fetch(`${stoker.console}/-/healthy`)).status === 200

    const first = await ask()
    await until('the first record', () => recorded(first), 20_000)
    await until('the first samples', () => samplesAfter(0), 20_000)

    const ballast = join(disk, 'ballast')
    fill(ballast)
    await until('health says that the disk is full', async () => {
        await ask() // Served, whatever becomes of its record.
        const answer = await fetch(`${stoker.console}/-/healthy`)
        return answer.status === 503 && /space|full/i.test(await answer.text())
    }, 30_000)
    for (let i = 0; i < 20; i++) await ask()

    rmSync(ballast)
    const freed = Date.now() / 1000
    await until('samples after the disk had room again', () => samplesAfter(freed), 30_000)
    await until('a record after the disk had room again', async () => recorded(await ask()), 30_000, 500)
    await until('health is good again', healthy, 30_000)
    assert.ok(await recorded(first), 'what was stored before is gone')
    await stoker.stop()
})
