// GPUs: the whole binary beside a stand-in for NVIDIA's library that lies, fails, hangs and loses one;
// XIDs from the driver and the kernel; engines joined with what they hold.
import assert from 'node:assert/strict'
import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { binary, getJson, run, startSim, startStoker, stopAll, temporaryDirectory, until } from './lib/stoker.mjs'

const library = join(dirname(binary), 'libfake_nvml.so')
const dir = temporaryDirectory()
const state = join(dir, 'gpus')
const kernelLog = join(dir, 'kmsg')
let stoker, sim

// The kernel's clock is that of /proc/uptime.
const kernelSays = (message) => appendFileSync(kernelLog, `4,1,${Math.round(parseFloat(readFileSync('/proc/uptime', 'utf8')) * 1e6)},-;${message}\n`)

// What the library does from now on; replaced in one step, since it may be reading.
const tell = (lines) => {
    writeFileSync(`${state}.new`, lines)
    renameSync(`${state}.new`, state)
}

// The value of a query that gives one series; null if there is none.
const value = async (query) => {
    const answer = await getJson(`${stoker.console}/api/v1/query?query=${encodeURIComponent(query)}`)
    assert.equal(answer.status, 'success', JSON.stringify(answer))
    return answer.data.result.length === 0 ? null : Number(answer.data.result[0].value[1])
}
const becomes = (query, wanted) => until(`${query} is ${wanted}`, async () => (await value(query)) === wanted, 15_000)

before(async () => {
    assert.ok(existsSync(library), `${library} is not built: ninja fake_nvml`)
    tell('gpus=2\npower=345.5\n')
    writeFileSync(kernelLog, '')
    sim = await startSim()
    stoker = await startStoker({
        config: `
pools: [{name: chat, models: [sim], replicas: [{url: ${sim.url}}]}]
rules: {interval: 1s}
collect: {scrape_interval: 500ms, gpu: {library: ${library}, interval: 200ms, kernel_log: ${kernelLog}}}
`,
        env: { STOKER_FAKE_NVML: state },
    })
})
after(stopAll)

test('each GPU by its own name, and by DCGM\'s', async () => {
    await becomes('gpu_power_watts{gpu="1"}', 345.5)
    await becomes('DCGM_FI_DEV_POWER_USAGE{gpu="0"}', 345.5)
    await becomes('count(gpu_up == 1)', 2)
    await becomes('gpu_sm_active_ratio{gpu="0"}', 0.12)
    assert.equal(await value('gpu_memory_total_bytes{gpu="0"}'), 81920 * 1024 * 1024)
    const metadata = await getJson(`${stoker.console}/api/v1/metadata?metric=gpu_energy_joules_total`)
    assert.equal(metadata.data.gpu_energy_joules_total[0].type, 'counter')
})

test('what a GPU says it cannot do is absent, what fails comes back', async () => {
    tell('gpus=2\npower=345.5\n0.fail.temperature=999\n')
    await becomes('absent(gpu_temperature_celsius{gpu="0"})', 1)
    await becomes('gpu_temperature_celsius{gpu="1"}', 61)
    tell('gpus=2\npower=345.5\n')
    await becomes('gpu_temperature_celsius{gpu="0"}', 61)
})

test('a lost GPU is told, its values end, and the other goes on', async () => {
    tell('gpus=2\npower=111\n0.lost=1\n')
    await becomes('gpu_up{gpu="0"}', 0)
    await becomes('absent(gpu_power_watts{gpu="0"})', 1)
    await becomes('gpu_power_watts{gpu="1"}', 111)
    tell('gpus=2\npower=222\n')
    await becomes('gpu_power_watts{gpu="0"}', 222)
    await becomes('gpu_up{gpu="0"}', 1)
})

test('a process on a GPU is joined with the engine that it is', async () => {
    tell(`gpus=2\n1.processes=${sim.pid}:1024\n`)
    await becomes('gpu_process_memory_bytes{gpu="1",replica!=""}', 1024 * 1024 * 1024)
    const gpus = (await getJson(`${stoker.console}/api/v1/gpus`)).gpus
    assert.equal(gpus[1].processes[0].engine, new URL(sim.url).host)
    assert.equal(gpus[1].processes[0].pid, sim.pid)
    assert.match(gpus[1].processes[0].name, /stoker/)
    assert.equal(await value(`count by (engine_instance) (gpu_process_memory_bytes{engine_instance="${new URL(sim.url).host}"})`), 1)
})

test('XIDs of the driver and of the kernel are one error, with what is to be done', async () => {
    tell('gpus=2\n')
    await becomes('gpu_health_score{gpu="1"}', 100)
    tell('gpus=2\nxid=1:79\n')
    kernelSays("NVRM: Xid (PCI:0000:3c:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.")
    kernelSays('NVRM: Xid (PCI:0000:3b:00): 31, pid=7, name=python')
    await becomes('gpu_xid_errors_total{gpu="1",xid="79",severity="critical",action="reboot"}', 1)
    await becomes('gpu_xid_errors_total{gpu="0",xid="31"}', 1)
    await becomes('gpu_health_score{gpu="1"}', 40)
    const { gpus, readers } = await getJson(`${stoker.console}/api/v1/gpus`)
    assert.equal(readers[0].reader, 'nvml')
    assert.equal(gpus[1].findings[0].id, 'xid_critical')
    assert.equal(gpus[1].xids[0].detail, "pid='<unknown>', name=<unknown>, GPU has fallen off the bus.")
    await until('the rule that ships fires', async () => (await value('ALERTS{alertname="GpuXidCritical",alertstate="firing",gpu="1"}')) === 1, 30_000)
    await becomes('gpu_xid_errors_total{gpu="1",xid="79"}', 1)
})

test('zeros beside a busy GPU are left out, and told', async () => {
    tell('gpus=2\n0.gpm_zero=1\nxid=1:79\n')
    await becomes('gpu_zero_but_busy{gpu="0"}', 1)
    await becomes('absent(gpu_sm_active_ratio{gpu="0"})', 1)
    await becomes('gpu_sm_active_ratio{gpu="1"}', 0.12)
})

test('stoker gpus', async () => {
    const shown = await run('gpus', '--server', stoker.console)
    assert.equal(shown.code, 0, shown.stderr)
    assert.match(shown.stdout, /GPU +NAME +HEALTH/)
    assert.match(shown.stdout, /\n1 +NVIDIA H100 80GB HBM3 +40 +90% /)
    assert.match(shown.stdout, /GPU 1: -60 +XID 79 \(the GPU has fallen off the bus\): reboot/)
    const json = await run('gpus', '--server', stoker.console, '--json')
    assert.equal(JSON.parse(json.stdout).gpus.length, 2)
})

test('a driver that hangs is told, and delays nobody', async () => {
    tell('gpus=2\npower=222\nhang=1\n')
    await becomes('stoker_source_hung{source="nvml"}', 1)
    const before = await value('node_time_seconds')
    await until('the host is still measured', async () => (await value('node_time_seconds')) > before, 15_000)
    tell('gpus=2\npower=333\n')
    await becomes('gpu_power_watts{gpu="0"}', 333)
    await becomes('stoker_source_hung{source="nvml"}', 0)
})

test('a table of XIDs that is wrong is refused with its place', async () => {
    writeFileSync(join(dir, 'xid.yaml'), 'xids:\n  - {codes: 9-3, meaning: x, action: watch, severity: info}\n')
    await assert.rejects(
        startStoker({ config: `collect: {gpu: {xid_table: ${join(dir, 'xid.yaml')}}}` }),
        /xid\.yaml:2:\d+: xids\[0\]\.codes: must be codes and ranges of them/,
    )
})

test('it stops in time while the driver hangs', async () => {
    tell('gpus=2\nhang=1\n')
    await becomes('stoker_source_hung{source="nvml"}', 1)
    await stoker.stop()
})
