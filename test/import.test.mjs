// `stoker import` into a folder, and a Stoker started on it: history is there, and what was refused was told.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { getJson, run, startStoker, stopAll, temporaryDirectory } from './lib/stoker.mjs'

after(stopAll)

const hour = 3600
const now = Math.floor(Date.now() / 1000 / hour) * hour
const config = 'collect: {host: false, discovery: {enabled: false}}\n'

test('history of two days is imported and asked', { timeout: 60_000 }, async () => {
    const dir = temporaryDirectory()
    const data = join(dir, 'data')
    // A counter a minute that is reset at half time, with exemplars, and a gauge as plain text that ends the day before.
    const start = now - 48 * hour
    const lines = ['# HELP jobs What was done.', '# TYPE jobs counter']
    for (let i = 0; i <= 48 * 60; i++) {
        const value = i < 1440 ? i : i - 1440
        lines.push(`jobs_total{queue="a"} ${value} ${start + i * 60}${i % 600 === 0 ? ' # {trace_id="t"} 1' : ''}`)
    }
    const history = join(dir, 'history.om.gz')
    writeFileSync(history, gzipSync(lines.join('\n') + '\n# EOF\n'))
    const gauge = join(dir, 'gauge.txt')
    writeFileSync(gauge, Array.from({ length: 24 }, (_, i) => `depth ${i} ${(start + i * hour) * 1000}\n`).join(''))

    const first = await run('import', '--data-dir', data, '--label', 'cluster=eu', '--output', 'json', history, gauge)
    assert.equal(first.code, 0, first.stdout + first.stderr)
    assert.deepEqual(JSON.parse(first.stdout).files.map((file) => [file.samples, file.duplicates]), [[48 * 60 + 1, 0], [24, 0]])
    const again = await run('import', '--data-dir', data, '--label', 'cluster=eu', '--output', 'json', history)
    assert.equal(again.code, 0, again.stdout + again.stderr)
    assert.deepEqual(JSON.parse(again.stdout).files.map((file) => [file.samples, file.duplicates]), [[0, 48 * 60 + 1]])

    const stoker = await startStoker({ dir, config })
    const value = async (query, time) => {
        const { data } = await getJson(`${stoker.console}/api/v1/query?query=${encodeURIComponent(query)}&time=${time}`)
        return data.result.map(({ metric, value }) => [metric, Number(value[1])])
    }
    assert.deepEqual(await value('jobs_total', now), [[{ __name__: 'jobs_total', cluster: 'eu', queue: 'a' }, 1440]])
    assert.deepEqual(await value('count_over_time(jobs_total[2d])', now), [[{ cluster: 'eu', queue: 'a' }, 48 * 60]])
    assert.deepEqual(await value('resets(jobs_total[49h])', now), [[{ cluster: 'eu', queue: 'a' }, 1]])
    assert.deepEqual(await value('depth', start + 23 * hour), [[{ __name__: 'depth', cluster: 'eu' }, 23]])
    const metadata = await getJson(`${stoker.console}/api/v1/metadata?metric=jobs`)
    assert.equal(metadata.data.jobs?.[0].help, 'What was done.')
})

test('what is refused is counted and named, and the rest is taken', { timeout: 60_000 }, async () => {
    const dir = temporaryDirectory()
    const data = join(dir, 'data')
    const file = join(dir, 'mixed.txt')
    writeFileSync(file, `good 1 ${now * 1000}\nno number here\nold 1 ${(now - 90 * 24 * hour) * 1000}\ngood 2 ${(now + 60) * 1000}\n`)
    const mixed = await run('import', '--data-dir', data, '--output', 'json', file)
    assert.equal(mixed.code, 1)
    const [told] = JSON.parse(mixed.stdout).files
    assert.equal(told.samples, 2)
    assert.deepEqual(told.refused, { bad_line: 1, past_retention: 1 })
    assert.ok(told.problems.some((problem) => problem.startsWith('line 2: ')) && told.problems.some((problem) => problem.startsWith('line 3: ')), told.problems.join('\n'))

    const open = join(dir, 'open.om')
    writeFileSync(open, `# TYPE a gauge\na 1 ${now}\n`)
    const unended = await run('import', '--data-dir', data, '--format', 'openmetrics', open)
    assert.equal(unended.code, 1)
    assert.match(unended.stdout + unended.stderr, /# EOF/)
    assert.equal((await run('import', '--data-dir', data, join(dir, 'missing.txt'))).code, 1)

    const stoker = await startStoker({ dir, config })
    const inUse = await run('import', '--data-dir', data, file)
    assert.notEqual(inUse.code, 0)
    assert.match(inUse.stderr, /runs|in use|stop/i)
    assert.equal((await getJson(`${stoker.console}/api/v1/query?query=good&time=${now + 60}`)).data.result[0].value[1], '2')
})
