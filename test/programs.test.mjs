// Collectors that operators bring: programs and text files. One that hangs, fails or lies spoils nothing but itself.
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { getJson, root, run, startStoker, stopAll, temporaryDirectory, until } from './lib/stoker.mjs'

const dir = temporaryDirectory()
const texts = join(dir, 'texts')
let stoker

const query = async (text) => (await getJson(`${stoker.console}/api/v1/query?query=${encodeURIComponent(text)}`)).data.result
const value = async (text) => (await query(text))[0]?.value[1]

function script(name, body) {
    const path = join(dir, name)
    writeFileSync(path, `#!/bin/sh\n${body}\n`)
    chmodSync(path, 0o755)
    return path
}

before(async () => {
    mkdirSync(texts)
    writeFileSync(join(texts, 'backup.prom'), '# HELP backup_size_bytes How large.\n# TYPE backup_size_bytes gauge\nbackup_size_bytes{set="home"} 42\n')
    // The example of docs/extending.md, as it stands there.
    const example = readFileSync(join(root, 'docs/extending.md'), 'utf8').match(/```sh\n#!\/bin\/sh\n([^]*?)```/)[1]
    stoker = await startStoker({
        dir,
        config: `
collect:
  host: false
  discovery: {enabled: false}
  scrape_interval: 1s
  scrape_timeout: 1s
  textfiles: [texts]
  programs:
    - {name: example, command: ["${script('example', example)}", "/"], interval: 1s, timeout: 1s}
    - {name: hangs, command: ["${script('hangs', 'echo "half 1"; sleep 600')}"], interval: 1s, timeout: 500ms}
    - {name: fails, command: ["${script('fails', 'echo "half 1"; echo "no such disk" >&2; exit 3')}"], interval: 1s, timeout: 1s}
    - {name: floods, command: [yes, "flood 1"], interval: 1s, timeout: 1s, max_output: 100KiB}
    - {name: gone, command: [/no/such/program], interval: 1s, timeout: 1s}
    - {name: secretive, command: ["${script('secretive', 'env | grep -c STOKER_SECRET | sed "s/^/seen_secrets /"')}"], interval: 1s, timeout: 1s}
`,
        env: { STOKER_SECRET: 'x' },
    })
})
after(stopAll)

test("a program's samples are series, with metadata", { timeout: 60_000 }, async () => {
    await until('the example is there', async () => Number(await value('directory_files{program="example"}')) > 0, 20_000, 200)
    const [series] = await query('directory_files')
    assert.equal(series.metric.job, 'program')
    assert.equal(series.metric.directory, '/')
    assert.equal((await getJson(`${stoker.console}/api/v1/metadata?metric=directory_files`)).data.directory_files[0].type, 'gauge')
    assert.equal(await value('up{program="example"}'), '1')
    await until('nothing of ours is in its environment', async () => (await value('seen_secrets')) === '0', 20_000, 200)
})

test('bad ones say so and spoil nobody else', { timeout: 60_000 }, async () => {
    for (const [program, result] of [['hangs', 'timeout'], ['fails', 'failed'], ['floods', 'too_large'], ['gone', 'not_started']]) {
        await until(`${program} is counted`, async () => Number(await value(`stoker_program_runs_total{program="${program}",result="${result}"}`)) >= 2, 30_000, 200)
        assert.equal(await value(`up{program="${program}"}`), '0')
    }
    assert.deepEqual(await query('half'), [])
    assert.deepEqual(await query('flood'), [])
    const good = Number(await value('stoker_program_runs_total{program="example",result="ok"}'))
    await until('the example goes on', async () => Number(await value('stoker_program_runs_total{program="example",result="ok"}')) > good, 20_000, 200)
    assert.match(stoker.log(), /exited with 3: no such disk/)
})

test('text files are read as node_exporter does', { timeout: 60_000 }, async () => {
    await until('the file is there', async () => (await value('backup_size_bytes{set="home",job="node"}')) === '42', 20_000, 200)
    assert.equal((await query('node_textfile_mtime_seconds'))[0].metric.file, join(texts, 'backup.prom'))
    assert.equal(await value('node_textfile_scrape_error'), '0')
    writeFileSync(join(texts, 'bad.prom'), 'this is no metric\n')
    await until('the bad file is told', async () => (await value('node_textfile_scrape_error')) === '1', 20_000, 200)
    assert.equal(await value('backup_size_bytes'), '42')
    rmSync(join(texts, 'bad.prom'))
    writeFileSync(join(texts, 'new'), 'backup_size_bytes{set="home"} 43\n')
    renameSync(join(texts, 'new'), join(texts, 'backup.prom'))
    await until('it is new', async () => (await value('backup_size_bytes')) === '43' && (await value('node_textfile_scrape_error')) === '0', 20_000, 200)
    rmSync(join(texts, 'backup.prom'))
    await until('its series end', async () => (await query('backup_size_bytes')).length === 0, 20_000, 200)
})

test('mistakes in the configuration are named', { timeout: 30_000 }, async () => {
    const file = join(dir, 'bad.yaml')
    writeFileSync(file, 'collect:\n  programs:\n    - {name: a b, command: [x]}\n    - {name: c, command: [], timeout: 2m}\n')
    const checked = await run('config', 'check', file)
    assert.notEqual(checked.code, 0)
    const said = checked.stdout + checked.stderr
    assert.match(said, /bad\.yaml:3:\d+: collect\.programs\[0\]\.name: must be 1 to 64 letters/)
    assert.match(said, /bad\.yaml:4:\d+: collect\.programs\[1\]\.command: must name a program/)
    assert.match(said, /collect\.programs\[1\]\.timeout: must not be longer than `interval`/)
})

test('Stoker stops in time while programs run', { timeout: 30_000 }, async () => {
    await stoker.stop()
})
