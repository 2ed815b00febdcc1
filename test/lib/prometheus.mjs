// Starts Debian's Prometheus for a test: empty, with its remote write receiver on.
import { spawn, spawnSync } from 'node:child_process'
import { openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, temporaryDirectory, until } from './stoker.mjs'

export const noPrometheus = spawnSync('prometheus', ['--version']).error ? 'prometheus is not installed' : false

// `scrape_configs` and the like go into `config`, as YAML.
export async function startPrometheus({ config = '', args = [] } = {}) {
    const dir = temporaryDirectory()
    const port = await freePort()
    writeFileSync(join(dir, 'prometheus.yml'), config)
    const log = openSync(join(dir, 'prometheus.log'), 'a')
    const child = spawn(
        'prometheus',
        [
            `--config.file=${join(dir, 'prometheus.yml')}`,
            `--storage.tsdb.path=${join(dir, 'data')}`,
            `--web.listen-address=127.0.0.1:${port}`,
            '--web.enable-remote-write-receiver',
            '--log.level=warn',
            ...args,
        ],
        { stdio: ['ignore', log, log] },
    )
    const prometheus = { child, pid: child.pid, url: `http://127.0.0.1:${port}`, dir, exit: null }
    child.once('exit', (code, signal) => (prometheus.exit = { code, signal }))
    prometheus.stop = () => {
        if (!prometheus.exit) child.kill('SIGKILL')
    }
    await until('Prometheus is ready', async () => {
        if (prometheus.exit) throw new Error(readFileSync(join(dir, 'prometheus.log'), 'utf8').slice(-2000))
        return (await fetch(`${prometheus.url}/-/ready`)).ok
    }, 20_000)
    return prometheus
}
