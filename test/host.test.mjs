// This machine as Stoker measures it beside Debian's node_exporter: the same names, labels and types; values equal, or
// between those of two reads of node_exporter around Stoker's. What is left out on purpose stands in docs/host.md.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, openSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { freePort, getJson, root, startSim, startStoker, stopAll, temporaryDirectory, until } from './lib/stoker.mjs'

const skip = spawnSync('prometheus-node-exporter', ['--version']).error ? 'prometheus-node-exporter is not installed' : false

// Rows of the table between the two marks of docs/host.md: "| `collector` | `metric`, `metric*` | why |".
function leftOut() {
    const page = readFileSync(join(root, 'docs/host.md'), 'utf8')
    const table = page.split('<!-- left out -->')[1].split('<!-- end -->')[0]
    const rows = table.split('\n').filter((line) => line.startsWith('| ') && line.includes('`'))
    const ticked = (cell) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1])
    return {
        collectors: new Set(rows.flatMap((row) => ticked(row.split('|')[1]))),
        metrics: rows.flatMap((row) => ticked(row.split('|')[2])).map((glob) => new RegExp(`^${glob.replaceAll('*', '.*')}$`)),
    }
}

// An exposition as { series: Map of `name{labels}` to { value, at }, types: Map }. Empty labels and those in `drop` are left out.
function parse(text, drop = []) {
    const series = new Map()
    const types = new Map()
    for (const line of text.split('\n')) {
        const type = /^# TYPE (\S+) (\S+)/.exec(line)
        if (type) types.set(type[1], type[2])
        const sample = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: (\d+))?$/.exec(line)
        if (!sample) continue
        const labels = [...(sample[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)]
            .filter((label) => label[2] !== '' && !drop.includes(label[1]))
            .map((label) => `${label[1]}="${label[2]}"`)
            .sort()
        series.set(`${sample[1]}{${labels.join(',')}}`, { value: Number(sample[3]), at: Number(sample[4] ?? 0) })
    }
    return { series, types }
}

// A control group as Docker makes one, with a process in it that uses CPU; null where this machine does not let us.
const containerId = 'c0ffee5e'.repeat(8)
function makeContainer() {
    const unified = existsSync('/sys/fs/cgroup/cgroup.controllers')
    const folders = (unified ? [''] : ['memory', 'cpuacct', 'cpu', 'blkio', 'pids']).map((name) => join('/sys/fs/cgroup', name, 'docker', containerId))
    const child = spawn('sh', ['-c', 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; exec sleep 120'], { stdio: 'ignore' })
    const remove = async () => {
        child.kill('SIGKILL')
        for (const folder of folders) {
            await until(`${folder} can be removed`, () => {
                try {
                    rmdirSync(folder)
                } catch (error) {
                    if (error.code !== 'ENOENT') throw error
                }
                return true
            })
            try {
                rmdirSync(join(folder, '..')) // Stays if it is somebody's.
            } catch {}
        }
    }
    try {
        for (const folder of folders) {
            mkdirSync(folder, { recursive: true })
            writeFileSync(join(folder, 'cgroup.procs'), String(child.pid))
        }
        return { remove, cpuFile: join(folders[unified ? 0 : 1], unified ? 'cpu.stat' : 'cpuacct.usage'), memoryFile: join(folders[0], unified ? 'memory.current' : 'memory.usage_in_bytes') }
    } catch {
        return remove().catch(() => {}).then(() => null)
    }
}

let stoker, exporter, exporterUrl, container
before(async () => {
    if (skip) return
    container = await makeContainer()
    const port = await freePort()
    const log = openSync(join(temporaryDirectory(), 'log'), 'a')
    // What Debian's package leaves out beyond node_exporter's own defaults is put back, and tcpstat switched on.
    exporter = spawn('prometheus-node-exporter', [`--web.listen-address=127.0.0.1:${port}`,
        '--collector.filesystem.mount-points-exclude=^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)',
        '--collector.diskstats.device-exclude=^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\\d+n\\d+p)\\d+$',
        '--collector.netdev.device-exclude=^$', '--collector.netclass.ignore-invalid-speed', '--collector.tcpstat'], { stdio: ['ignore', log, log] })
    exporterUrl = `http://127.0.0.1:${port}/metrics`
    stoker = await startStoker({ config: 'collect: {scrape_interval: 250ms, discovery: {enabled: false}}\n' })
})
after(async () => {
    exporter?.kill('SIGKILL')
    await stopAll()
    await container?.remove()
})

const theirs = async () => parse(await (await fetch(exporterUrl)).text())
const ours = async () => parse(await (await fetch(`${stoker.console}/federate?match[]=${encodeURIComponent('{job="node"}')}`)).text(), ['job', 'instance'])

test('the same series with the same types and values as node_exporter', { skip, timeout: 120_000 }, async (t) => {
    await until('node_exporter answers', async () => (await theirs()).series.size > 0)
    await until('Stoker measures this machine', async () => (await ours()).series.size > 100)
    const out = leftOut()
    assert.ok(out.collectors.size > 5 && out.metrics.length > 5, 'docs/host.md names what is left out')
    const counted = (name) => name.startsWith('node_') && !out.metrics.some((glob) => glob.test(name.slice(0, name.indexOf('{'))))
    const wanted = (name) => counted(name) && ![...out.collectors].some((collector) => name.includes(`{collector="${collector}"}`))
    // How long a collector took is its own business in each.
    const compared = (name) => wanted(name) && !name.startsWith('node_scrape_collector_duration_seconds')

    // Both sides' series; those that come and go meanwhile (a connection to a new neighbour) settle within a few rounds.
    await until('both have the same series', async () => {
        const [a, b] = [await theirs(), await ours()]
        const missing = [...a.series.keys()].filter((name) => wanted(name) && !b.series.has(name))
        // node_exporter leaves a state without connections out; here it is 0.
        const isZeroState = (name) => name.startsWith('node_tcp_connection_states') && b.series.get(name).value === 0
        const extra = [...b.series.keys()].filter((name) => wanted(name) && !a.series.has(name) && !isZeroState(name))
        assert.deepEqual({ missing, extra }, { missing: [], extra: [] })
        return true
    }, 15_000, 300)

    const metadata = (await getJson(`${stoker.console}/api/v1/metadata`)).data
    const { types } = await theirs()
    const wrong = []
    let families = 0
    for (const [name, type] of types) {
        if (!counted(`${name}{`) || !metadata[name]) continue
        families++
        const said = metadata[name][0].type
        if (said !== (type === 'untyped' ? 'unknown' : type)) wrong.push(`${name}: ${said}, node_exporter says ${type}`)
    }
    assert.deepEqual(wrong, [])
    assert.ok(families > 150, `${families} families compared`)

    // Stoker's sample was taken between two reads of node_exporter. A counter lies between them; a gauge within the range
    // that it moved over, widened by as much again, since it may turn in between. Each series once at least.
    const pending = new Set([...(await theirs()).series.keys()].filter(compared))
    const all = pending.size
    let last = new Map()
    const end = Date.now() + 40_000
    let rounds = 0
    while (pending.size > 0 && Date.now() < end) {
        rounds++
        const begin = await theirs()
        const since = Date.now()
        const middle = await until('a newer sample of everything', async () => {
            const now = await ours()
            return [...now.series.values()].every((sample) => sample.at >= since) && now
        }, 5_000, 20).catch(ours)
        const final = await theirs()
        last = new Map()
        for (const name of [...pending]) {
            const [a, s, b] = [begin.series.get(name), middle.series.get(name), final.series.get(name)]
            if (!a || !b) {
                pending.delete(name) // Gone meanwhile.
                continue
            }
            if (!s || s.at < since) continue
            const moved = Math.abs(b.value - a.value)
            const slack = types.get(name.slice(0, name.indexOf('{'))) === 'counter' ? 0 : moved
            const rounding = 1e-9 * Math.max(Math.abs(a.value), Math.abs(b.value))
            const good = s.value >= Math.min(a.value, b.value) - slack - rounding && s.value <= Math.max(a.value, b.value) + slack + rounding
            if (good) pending.delete(name)
            else last.set(name, [a.value, s.value, b.value])
        }
    }
    t.diagnostic(`${all} series of ${families} families agree after ${rounds} rounds`)
    assert.deepEqual([...last], [], 'node_exporter, Stoker, node_exporter')
    assert.equal(pending.size, 0, [...pending].join('\n'))
})

test('each source says what it costs', { skip, timeout: 30_000 }, async () => {
    const text = await until('all sources were read', async () => {
        const now = await (await fetch(`${stoker.console}/metrics`)).text()
        return ['host', 'sensors', 'filesystem', 'containers', 'processes'].every((name) => new RegExp(`stoker_source_rounds_total{source="${name}",result="ok"} [1-9]`).test(now)) && now
    })
    for (const name of ['duration_seconds', 'cpu_seconds_total', 'samples', 'memory_bytes', 'last_success_timestamp_seconds', 'hung', 'skipped_rounds_total']) {
        assert.match(text, new RegExp(`^stoker_source_${name}\\{source="host"\\} \\S+$`, 'm'))
    }
})

// The newest value of a series, or undefined.
const value = async (query) => {
    const { result } = (await getJson(`${stoker.console}/api/v1/query?query=${encodeURIComponent(query)}`)).data
    return result.length === 1 ? Number(result[0].value[1]) : undefined
}

test('a control group that Docker would make is a container', { skip, timeout: 60_000 }, async (t) => {
    if (!container) return t.skip('control groups of this machine are not ours to make')
    const group = `{id="/docker/${containerId}",name="c0ffee5ec0ff",job="cadvisor"}`
    const cpu = () => {
        const text = readFileSync(container.cpuFile, 'utf8')
        return text.includes('usage_usec') ? Number(/usage_usec (\d+)/.exec(text)[1]) / 1e6 : Number(text) / 1e9
    }
    // Between two reads of the kernel's own file.
    await until('its CPU time is the kernel\'s', async () => {
        const begin = cpu()
        const since = Date.now() / 1000
        const said = await until('a newer sample', async () => ((await value(`timestamp(container_cpu_usage_seconds_total${group})`)) > since) && value(`container_cpu_usage_seconds_total${group}`), 15_000)
        return begin > 0 && said >= begin && said <= cpu()
    }, 30_000)
    if (!existsSync(container.memoryFile)) return
    await until('its memory is the kernel\'s', async () => (await value(`container_memory_usage_bytes${group}`)) === Number(readFileSync(container.memoryFile, 'utf8')))
    await container.remove()
    container = null
    await until('it ends with its group', async () => (await value(`container_memory_usage_bytes${group}`)) === undefined)
})

test('engine processes are known by their command lines', { skip, timeout: 60_000 }, async () => {
    const sim = await startSim({ model: 'm' })
    const group = '{groupname="stoker",job="process"}'
    const resident = (pid) => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024
    await until('both processes are seen', async () => (await value(`namedprocess_namegroup_num_procs${group}`)) >= 2)
    const memory = await value('namedprocess_namegroup_memory_bytes{groupname="stoker",memtype="resident"}')
    assert.ok(memory > 0.5 * (resident(stoker.pid) + resident(sim.pid)), `${memory} bytes`)
    assert.ok((await value('namedprocess_namegroup_oldest_start_time_seconds{groupname="stoker"}')) < Date.now() / 1000)
    assert.ok((await value('namedprocess_namegroup_cpu_seconds_total{groupname="stoker",mode="user"}')) > 0)
})
