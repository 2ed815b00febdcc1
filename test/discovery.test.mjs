// Targets from scrape configurations: beside Debian's Prometheus with the same file, from sources that change and fail,
// and what is stored of them.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { renameSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { noPrometheus, startPrometheus } from './lib/prometheus.mjs'
import { getJson, run, startStoker, stopAll, temporaryDirectory, until } from './lib/stoker.mjs'

// An exporter that tells how it was asked, and the list of an http_sd.
let asked, list, listStatus
const exporter = createServer((request, response) => {
    asked.push({ url: request.url, headers: request.headers })
    if (request.url === '/sd') {
        response.writeHead(listStatus, { 'content-type': 'application/json' })
        return response.end(JSON.stringify(list))
    }
    const page = '# TYPE a_total counter\na_total{path="/x"} 5\nnoise_total 1\nsecret_bytes{job="page"} 7\n'
    const zip = /gzip/.test(request.headers['accept-encoding'] ?? '')
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4', ...(zip && { 'content-encoding': 'gzip' }) })
    response.end(zip ? gzipSync(page) : page)
})

let port, dir, prometheus
before(async () => {
    asked = []
    list = []
    listStatus = 200
    await new Promise((done) => exporter.listen(0, '127.0.0.1', done))
    port = exporter.address().port
    dir = temporaryDirectory()
})
after(async () => {
    prometheus?.stop()
    exporter.close()
    exporter.closeAllConnections()
    await stopAll()
})

const targetsOf = async (base, query = '') => (await getJson(`${base}/api/v1/targets${query}`)).data
// Not discoveredLabels: Prometheus 2.42 shows labels in them that relabelling made.
const shape = (target) => ({ labels: target.labels, scrapePool: target.scrapePool, scrapeUrl: target.scrapeUrl, scrapeInterval: target.scrapeInterval, scrapeTimeout: target.scrapeTimeout })
const sorted = (targets) => targets.map(shape).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
const query = async (stoker, text) => (await getJson(`${stoker.console}/api/v1/query?query=${encodeURIComponent(text)}`)).data.result

const prometheusYml = () => `
global: {scrape_interval: 1s, evaluation_interval: 15s, external_labels: {cluster: eu}}
rule_files: []
scrape_configs:
  - job_name: plain
    static_configs:
      - {targets: ["127.0.0.1:${port}", "localhost:${port}"], labels: {zone: a}}
      - {targets: ["127.0.0.1:${port}"], labels: {zone: b, job: other}}
  - job_name: probe
    metrics_path: /probe
    scrape_interval: 2s
    scrape_timeout: 500ms
    params: {module: [http_2xx, "a b"], target: [x]}
    static_configs: [{targets: ["example.com:443", "drop.me:1", "example.org:80"]}]
    relabel_configs:
      - {source_labels: [__address__], regex: "drop.*", action: drop}
      - {source_labels: [__address__], target_label: __param_target}
      - {source_labels: [__param_target], target_label: instance}
      - {source_labels: [__address__], regex: "([^:]+):(\\\\d+)", target_label: host_port, replacement: "\${2}-$1"}
      - {source_labels: [instance], modulus: 7, target_label: __tmp_shard, action: hashmod}
      - {source_labels: [__tmp_shard], target_label: shard}
      - {source_labels: [host_port], target_label: loud, action: uppercase}
      - {target_label: __address__, replacement: "127.0.0.1:${port}"}
  - job_name: files
    file_sd_configs: [{files: ["targets-*.json", "targets-*.yml"], refresh_interval: 1s}]
    relabel_configs:
      - {regex: "__meta_(filepath)", action: labelmap, replacement: "from_$1"}
      - {regex: "unwanted|from_.*", action: labeldrop}
      - {source_labels: [keep], regex: "no", action: drop}
  - job_name: endpoint
    http_sd_configs: [{url: "http://127.0.0.1:${port}/sd", refresh_interval: 1s}]
    relabel_configs:
      - {source_labels: [a, b], separator: "/", target_label: both}
      - {source_labels: [a], target_label: b, action: dropequal}
`

test('the same prometheus.yml has the same targets as in Prometheus', { skip: noPrometheus, timeout: 60_000 }, async () => {
    list = [{ targets: [`127.0.0.1:${port}`, '127.0.0.1:9'], labels: { a: '1', b: '2', __meta_x: 'y' } }, { targets: ['same:1'], labels: { a: '1', b: '1' } }]
    prometheus = await startPrometheus({ config: prometheusYml() })
    const write = (name, text) => {
        writeFileSync(join(prometheus.dir, `${name}.tmp`), text)
        renameSync(join(prometheus.dir, `${name}.tmp`), join(prometheus.dir, name))
    }
    write('targets-a.json', JSON.stringify([{ targets: ['f:1', `127.0.0.1:${port}`], labels: { unwanted: 'x', kept: 'y' } }, { targets: ['g:2'], labels: { keep: 'no' } }]))
    write('targets-b.yml', '- targets: ["h:3"]\n  labels: {__metrics_path__: /other, __scheme__: https, __scrape_interval__: 3s}\n')
    const stoker = await startStoker({ config: `collect: {host: false, discovery: {enabled: false}, scrape_config_files: ["${join(prometheus.dir, 'prometheus.yml')}"]}\n` })
    let ours, theirs
    await until('both have the same targets', async () => {
        theirs = await targetsOf(prometheus.url)
        ours = await targetsOf(stoker.console)
        return theirs.activeTargets.length === 10 && ours.activeTargets.length === 10
    }, 20_000, 100).catch(() => {})
    assert.equal(theirs.activeTargets.length, 10)
    assert.deepEqual(sorted(ours.activeTargets), sorted(theirs.activeTargets))
    // Those that were dropped too, and which of the targets answer.
    const labels = (targets) => targets.map((one) => one.discoveredLabels.__address__).sort()
    assert.deepEqual(labels(ours.droppedTargets), labels(theirs.droppedTargets))
    assert.deepEqual(ours.droppedTargetCounts, { endpoint: 1, files: 1, probe: 1 })
    const health = async (base) => (await targetsOf(base)).activeTargets.map((one) => `${one.scrapePool} ${one.scrapeUrl} ${one.health}`).sort()
    await until('both have scraped', async () => !(await health(stoker.console)).concat(await health(prometheus.url)).join().includes('unknown'), 30_000, 200)
    assert.deepEqual(await health(stoker.console), await health(prometheus.url))
    // A file that goes and one that breaks.
    write('targets-a.json', '[{"targets": ["new:1"]}]')
    write('targets-b.yml', '- targets: [broken')
    await until('the new file is taken, the broken one stays', async () => {
        const urls = (await targetsOf(stoker.console)).activeTargets.filter((one) => one.scrapePool === 'files').map((one) => one.scrapeUrl)
        return urls.join() === 'http://new:1/metrics,https://h:3/other'
    }, 10_000)
    const source = (await targetsOf(stoker.console)).discovery.find((one) => one.scrapePool === 'files')
    assert.match(source.lastError, /targets-b\.yml:1:/)
    await prometheus.stop()
    await stoker.stop()
})

test('what is scraped is stored, relabelled, and ends when its target does', { timeout: 60_000 }, async () => {
    list = [{ targets: [`127.0.0.1:${port}`], labels: { zone: 'z' } }]
    listStatus = 200
    asked.length = 0
    writeFileSync(join(dir, 'password'), 'first\n')
    const stoker = await startStoker({
        dir,
        config: `
collect:
  host: false
  discovery: {enabled: false}
  scrape_interval: 500ms
  scrape_configs:
    - job_name: web
      http_sd_configs: [{url: "http://127.0.0.1:${port}/sd", refresh_interval: 500ms, bearer_token: sd}]
      basic_auth: {username: u, password_file: password}
      metric_relabel_configs:
        - {source_labels: [__name__], regex: "noise_.*", action: drop}
        - {source_labels: [path], regex: "/(.*)", target_label: path, replacement: "p-\${1}"}
`,
    })
    const seen = await until('samples are there', async () => {
        const result = await query(stoker, 'a_total')
        return result.length > 0 && result
    })
    assert.deepEqual(seen.map((one) => one.metric), [{ __name__: 'a_total', instance: `127.0.0.1:${port}`, job: 'web', path: 'p-x', zone: 'z' }])
    assert.equal((await query(stoker, 'noise_total')).length, 0)
    assert.deepEqual((await query(stoker, 'secret_bytes'))[0].metric.exported_job, 'page')
    assert.equal((await query(stoker, 'up{job="web"}'))[0].value[1], '1')
    assert.equal((await query(stoker, 'scrape_samples_scraped{job="web"}'))[0].value[1], '3')
    assert.equal((await query(stoker, 'scrape_samples_post_metric_relabeling{job="web"}'))[0].value[1], '2')
    assert.equal((await query(stoker, 'llm_engine_up{job="web"}')).length, 0)
    const sentFor = (path) => asked.findLast((one) => one.url === path).headers
    assert.equal(sentFor('/metrics').authorization, `Basic ${Buffer.from('u:first').toString('base64')}`)
    assert.equal(sentFor('/sd').authorization, 'Bearer sd')
    // A password that changed is read again.
    writeFileSync(join(dir, 'password'), 'second\n')
    await until('the new password is sent', () => sentFor('/metrics').authorization === `Basic ${Buffer.from('u:second').toString('base64')}`)
    // A source that fails keeps its targets, and says so.
    listStatus = 503
    const failed = await until('the source is down', async () => {
        const source = (await targetsOf(stoker.console)).discovery[0]
        return source.lastError && source
    })
    assert.match(failed.lastError, /HTTP status 503/)
    assert.equal((await targetsOf(stoker.console)).activeTargets.filter((one) => one.scrapePool === 'web').length, 1)
    const metrics = await (await fetch(`${stoker.console}/metrics`)).text()
    assert.match(metrics, /stoker_discovery_up\{job="web",source="http"\} 0/)
    assert.match(metrics, /stoker_scrape_pool_targets\{job="web",state="active"\} 1/)
    // A target that is gone ends at once.
    listStatus = 200
    list = []
    await until('its series ended', async () => (await query(stoker, 'a_total')).length === 0)
    assert.deepEqual((await targetsOf(stoker.console)).activeTargets.filter((one) => one.scrapePool === 'web'), [])
    await stoker.stop()
})

test('stoker scrape check', async () => {
    const good = join(dir, 'prometheus.yml')
    writeFileSync(good, prometheusYml())
    const checked = await run('scrape', 'check', '--targets', good)
    assert.equal(checked.code, 0, checked.stderr)
    assert.match(checked.stdout, /good, 4 jobs/)
    assert.match(checked.stdout, /probe: static; 2 targets known here, 1 dropped/)
    assert.match(checked.stdout, /http:\/\/127\.0\.0\.1:\d+\/probe\?module=http_2xx&module=a\+b&target=example\.com%3A443 .*shard=\d/)
    const json = JSON.parse((await run('scrape', 'check', '--json', good)).stdout)
    assert.equal(json.ok, true)
    assert.deepEqual(json.files[0].jobs.map((job) => job.job), ['plain', 'probe', 'files', 'endpoint'])
    const bad = join(dir, 'bad.yml')
    writeFileSync(bad, 'scrape_configs:\n  - job_name: x\n    http_headers: {y: {values: [z]}}\n    ec2_sd_configs: []\n')
    const refused = await run('scrape', 'check', bad)
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /bad\.yml:3:\d+: scrape_configs\[0\]\.http_headers: is not supported/)
    assert.match(refused.stderr, /bad\.yml:4:\d+: scrape_configs\[0\]\.ec2_sd_configs: is not supported/)
})
