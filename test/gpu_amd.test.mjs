// AMD's GPUs: the whole binary beside a stand-in for AMD's library that lies, fails, hangs and loses one.
import assert from 'node:assert/strict'
import { existsSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { binary, getJson, run, startSim, startStoker, stopAll, temporaryDirectory, until } from './lib/stoker.mjs'

const library = join(dirname(binary), 'libfake_rocm.so')
const dir = temporaryDirectory()
const state = join(dir, 'gpus')
let stoker, sim

// What the library does from now on; replaced in one step, since it may be reading.
const tell = (lines) => {
    writeFileSync(`${state}.new`, lines)
    renameSync(`${state}.new`, state)
}

// The one value of a query, or null.
const value = async (query) => {
    const answer = await getJson(`${stoker.console}/api/v1/query?query=${encodeURIComponent(query)}`)
    const result = answer.data.result
    return result.length === 1 ? Number(result[0].value[1]) : null
}
const becomes = (query, wanted) => until(`${query} is ${wanted}`, async () => (await value(query)) === wanted, 15_000)

before(async () => {
    assert.ok(existsSync(library), `${library} is not built: ninja fake_rocm`)
    sim = await startSim()
    tell(`gpus=2\nbusy=87\nprocesses=${sim.pid}:1:1024\n`)
    stoker = await startStoker({
        config: `
pools: [{name: chat, models: [sim], replicas: [{url: ${sim.url}}]}]
collect: {scrape_interval: 500ms, gpu: {library: ${dir}/no-nvml.so, rocm_library: ${library}, interval: 200ms, kernel_log: ''}}
`,
        env: { STOKER_FAKE_ROCM: state },
    })
})
after(stopAll)

test("each GPU by the names that NVIDIA's have, and by none of DCGM's", async () => {
    await becomes('gpu_utilization_ratio{gpu="0",uuid="GPU-0000000000001000"}', 0.87)
    assert.equal(await value('count(gpu_info{vendor="amd",name="AMD Instinct MI300X"})'), 2)
    assert.equal(await value('gpu_clock_hertz{gpu="1",clock="sm"}'), 1.4e9)
    assert.equal(await value('count({__name__=~"DCGM_.*"})'), null)
})

test('a process on a GPU is joined with the engine that it is', async () => {
    await becomes(`gpu_process_memory_bytes{gpu="1",replica="chat/${new URL(sim.url).host}"}`, 1024 * 1024 * 1024)
    const { gpus, readers } = await getJson(`${stoker.console}/api/v1/gpus`)
    assert.deepEqual(readers.map((each) => each.reader), ['nvml', 'rocm_smi'])
    assert.match(readers[0].error, /no-nvml\.so/)
    assert.equal(gpus[1].vendor, 'amd')
    assert.equal(gpus[1].processes[0].pid, sim.pid)
    const shown = await run('gpus', '--server', stoker.console)
    assert.match(shown.stdout, /\n0 +AMD Instinct MI300X +100 +87% /)
})

test('what can not be true is absent and told', async () => {
    tell('gpus=2\n0.busy=65535\n')
    await becomes('count(gpu_utilization_ratio)', 1)
    await becomes('gpu_health_finding{gpu="0",finding="unreadable"}', 5)
})

test('a lost GPU is told, its values end, and the other goes on', async () => {
    tell('gpus=2\n1.lost=1\n')
    await becomes('gpu_up{gpu="1"}', 0)
    await becomes('count(gpu_power_watts)', 1)
    tell('gpus=2\n')
    await becomes('count(gpu_power_watts)', 2)
})

test('a driver that hangs is told, and delays nobody', async () => {
    tell('gpus=2\nhang=1\n')
    await becomes('stoker_source_hung{source="rocm_smi"}', 1)
    assert.equal(await value('stoker_source_hung{source="nvml"}'), 0)
    tell('gpus=2\npower=222\n')
    await becomes('gpu_power_watts{gpu="0"}', 222)
})
