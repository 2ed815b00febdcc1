// Targets from Kubernetes: a scripted API server for what goes wrong, and the real one for what its objects look like.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, openSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { request } from 'node:https'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { freePort, getJson, root, startStoker, stopAll, temporaryDirectory, until } from './lib/stoker.mjs'

let cluster
after(async () => {
    cluster?.stop()
    await stopAll()
})

const pod = (name, ip, version, labels = {}) => ({
    metadata: { namespace: 'd', name, uid: `uid-${name}`, resourceVersion: String(version), labels },
    spec: { containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 8000, protocol: 'TCP' }] }] },
    status: { podIP: ip, phase: 'Running' },
})

// What an API server does, as the test says: lists `pods`, and sends what push() gives to the watches.
class ApiServer {
    pods = new Map()
    version = 100
    token = 'first'
    asked = []
    watches = new Set()
    listDelay = 0
    pageSize = 500

    async start() {
        this.server = createServer((request, response) => this.answer(request, response).catch(() => response.destroy()))
        await new Promise((done) => this.server.listen(0, '127.0.0.1', done))
        this.url = `http://127.0.0.1:${this.server.address().port}`
    }

    async answer(request, response) {
        const url = new URL(request.url, this.url)
        const watch = url.searchParams.get('watch') === 'true'
        this.asked.push({ watch, version: url.searchParams.get('resourceVersion'), continue: url.searchParams.get('continue'), label: url.searchParams.get('labelSelector'), path: url.pathname, status: 200 })
        const refuse = (code) => {
            this.asked.at(-1).status = code
            response.writeHead(code, { 'content-type': 'application/json' })
            response.end(JSON.stringify({ kind: 'Status', code }))
        }
        if (request.headers.authorization !== `Bearer ${this.token}`) return refuse(401)
        if (!watch) {
            if (this.listDelay) await new Promise((done) => setTimeout(done, this.listDelay))
            const from = Number(url.searchParams.get('continue') ?? 0)
            const all = [...this.pods.values()]
            const items = all.slice(from, from + this.pageSize)
            const next = from + items.length < all.length ? String(from + items.length) : ''
            response.writeHead(200, { 'content-type': 'application/json' })
            return response.end(JSON.stringify({ kind: 'PodList', metadata: { resourceVersion: String(this.version), continue: next }, items }))
        }
        if (this.oldest > Number(url.searchParams.get('resourceVersion'))) return refuse(410)
        response.writeHead(200, { 'content-type': 'application/json' })
        response.flushHeaders()
        this.watches.add(response)
        response.on('close', () => this.watches.delete(response))
    }

    push(type, object) {
        if (type !== 'ERROR') {
            this.version++
            object = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.version) } }
            if (type === 'DELETED') this.pods.delete(object.metadata.name)
            if (type === 'ADDED' || type === 'MODIFIED') this.pods.set(object.metadata.name, object)
        }
        const line = JSON.stringify({ type, object }) + '\n'
        // In two parts: an event may come in any pieces.
        for (const watch of this.watches) {
            watch.write(line.slice(0, 20))
            watch.write(line.slice(20))
        }
    }
    dropWatches() {
        for (const watch of this.watches) watch.destroy()
        this.watches.clear()
    }
    stop() {
        this.server.close()
        this.server.closeAllConnections()
    }
}

const urls = async (stoker) => (await getJson(`${stoker.console}/api/v1/targets`)).data.activeTargets.map((one) => one.labels.instance).sort().join()
const source = async (stoker) => (await getJson(`${stoker.console}/api/v1/targets`)).data.discovery[0]

test('pods are followed through everything that goes wrong', { timeout: 90_000 }, async () => {
    cluster = new ApiServer()
    await cluster.start()
    cluster.pageSize = 1
    for (const [name, ip] of [['a', '10.255.0.1'], ['b', '10.255.0.2']]) cluster.pods.set(name, pod(name, ip, 1))
    const dir = temporaryDirectory()
    writeFileSync(join(dir, 'token'), 'first')
    const stoker = await startStoker({
        dir,
        config: `
collect:
  host: false
  discovery: {enabled: false}
  scrape_configs:
    - job_name: pods
      scrape_interval: 1h
      kubernetes_sd_configs:
        - {api_server: "${cluster.url}", role: pod, namespaces: {names: [d]}, authorization: {credentials_file: token}, selectors: [{role: pod, label: "app=x"}]}
`,
    })
    const has = (what, expected) => until(what, async () => (await urls(stoker)) === expected, 15_000)
    await has('both pods, page by page', '10.255.0.1:8000,10.255.0.2:8000')
    assert.equal(cluster.asked[0].path, '/api/v1/namespaces/d/pods')
    assert.equal(cluster.asked[0].label, 'app=x')
    assert.equal(cluster.asked.filter((one) => one.continue).length, 1)
    await until('it watches', () => cluster.watches.size === 1)
    assert.equal(cluster.asked.at(-1).version, '100')

    cluster.push('ADDED', pod('c', '10.255.0.3'))
    cluster.push('DELETED', pod('a', '10.255.0.1'))
    await has('events', '10.255.0.2:8000,10.255.0.3:8000')

    // A bookmark moves the version on, from which a watch that was dropped goes on: without a new list.
    cluster.push('BOOKMARK', { metadata: {} })
    cluster.push('MODIFIED', pod('c', '10.255.0.33'))
    await has('a change', '10.255.0.2:8000,10.255.0.33:8000')
    const lists = cluster.asked.filter((one) => !one.watch).length
    cluster.dropWatches()
    await until('it watches again', () => cluster.watches.size === 1)
    assert.equal(cluster.asked.filter((one) => !one.watch).length, lists)
    assert.equal(cluster.asked.at(-1).version, String(cluster.version))

    // 410 Gone in the stream: a new list, and the targets stay until it is there. The list is slow.
    cluster.listDelay = 1_500
    cluster.pageSize = 500
    cluster.pods.set('d', pod('d', '10.255.0.4', ++cluster.version))
    cluster.push('ERROR', { kind: 'Status', code: 410, message: 'too old resource version' })
    await until('it lists', () => !cluster.asked.at(-1).watch)
    assert.equal(await urls(stoker), '10.255.0.2:8000,10.255.0.33:8000')
    await has('the new list', '10.255.0.2:8000,10.255.0.33:8000,10.255.0.4:8000')
    cluster.listDelay = 0

    // 410 as the answer to a watch.
    await until('it watches once more', () => cluster.watches.size === 1)
    cluster.pods.delete('b')
    cluster.oldest = cluster.version + 1
    cluster.version += 5
    cluster.dropWatches()
    await has('the list after the refused watch', '10.255.0.33:8000,10.255.0.4:8000')
    await until('and it watches', () => cluster.watches.size === 1)

    // A token that expired: the targets stay, the source says why, and a new token in the file is used.
    cluster.token = 'second'
    cluster.dropWatches()
    const refused = await until('the refusal is told', async () => {
        const state = await source(stoker)
        return state.lastError && state
    }, 15_000)
    assert.match(refused.lastError, /pods: HTTP status 401: the credentials are not accepted/)
    assert.equal(await urls(stoker), '10.255.0.33:8000,10.255.0.4:8000')
    writeFileSync(join(dir, 'token'), 'second')
    await until('it is let in again', async () => (await source(stoker)).lastError === '', 20_000)
    cluster.push('ADDED', pod('e', '10.255.0.5'))
    await has('events come again', '10.255.0.33:8000,10.255.0.4:8000,10.255.0.5:8000')
    await stoker.stop()
    cluster.stop()
})

const script = join(root, '../shared/k8s/real-apiserver')
const built = join(process.env.REAL_APISERVER_CACHE ?? join(homedir(), '.cache/stoker-real-apiserver'), 'kube-apiserver')
const noCluster = existsSync(script) && existsSync(built) ? false : `${script} is not there, or "real-apiserver build" has not run (minutes)`

// What Prometheus documents for each role. (Debian's is built without Kubernetes, so it can't be asked.)
test('a real API server: pods, services, endpoints and nodes', { skip: noCluster, timeout: 180_000 }, async () => {
    const dir = temporaryDirectory()
    const port = 20_000 + ((await freePort()) % 20_000)
    const log = openSync(join(dir, 'log'), 'a')
    const server = spawn(script, ['run', dir, String(port)], { stdio: ['ignore', log, log] })
    // With the certificate that the server made for itself.
    const call = (method, path, body, type = 'application/json') =>
        new Promise((done, fail) => {
            const sent = request(`https://127.0.0.1:${port}${path}`, { method, rejectUnauthorized: false, headers: { authorization: 'Bearer stoker-test-administrator', 'content-type': type } }, (response) => {
                let text = ''
                response.on('data', (piece) => (text += piece))
                response.on('end', () => (response.statusCode < 300 ? done(text) : fail(new Error(`${method} ${path}: ${response.statusCode} ${text}`))))
            })
            sent.on('error', fail)
            sent.end(body && JSON.stringify(body))
        })
    try {
        const space = '/api/v1/namespaces/default'
        await until('the API server is ready', async () => (await call('GET', '/readyz')) && (await call('GET', space)), 90_000, 300)
        const patch = (path, body) => call('PATCH', path, body, 'application/merge-patch+json')
        const makePod = async (name, ip) => {
            await call('POST', `${space}/pods`, { metadata: { name, labels: { app: 'web', 'x.y/z': name }, annotations: { 'prometheus.io/scrape': 'true' } }, spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'i:1', ports: [{ name: 'http', containerPort: 8000 }, { containerPort: 9000 }] }] } })
            await patch(`${space}/pods/${name}/status`, { status: { phase: 'Running', podIP: ip, hostIP: '10.254.0.1', conditions: [{ type: 'Ready', status: 'True' }] } })
        }
        await call('POST', '/api/v1/nodes', { metadata: { name: 'n1', labels: { zone: 'a' } }, spec: { providerID: 'x://1' } })
        await patch('/api/v1/nodes/n1/status', { status: { addresses: [{ type: 'InternalIP', address: '10.254.0.1' }], daemonEndpoints: { kubeletEndpoint: { Port: 10250 } } } })
        await makePod('web-1', '10.254.1.1')
        await call('POST', `${space}/services`, { metadata: { name: 'web', labels: { team: 'a' } }, spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 8000 }] } })
        await call('POST', `${space}/endpoints`, { metadata: { name: 'web' }, subsets: [{ addresses: [{ ip: '10.254.1.1', nodeName: 'n1', targetRef: { kind: 'Pod', name: 'web-1', namespace: 'default' } }], notReadyAddresses: [{ ip: '10.254.1.9' }], ports: [{ name: 'http', port: 8000 }] }] })
        const job = (role, more = '') => `
    - job_name: ${role}
      scrape_interval: 1h
      kubernetes_sd_configs: [{role: ${role}, kubeconfig_file: kubeconfig${more}}]
      relabel_configs: [{source_labels: [__meta_kubernetes_service_name], regex: kubernetes, action: drop}]`
        const stoker = await startStoker({
            dir,
            config: `collect:\n  host: false\n  discovery: {enabled: false}\n  scrape_configs:${job('pod', ', selectors: [{role: pod, label: "app=web"}], namespaces: {names: [default]}')}${job('service')}${job('endpoints')}${job('endpointslice')}${job('node')}${job('ingress')}\n`,
        })
        const active = async (pool) => (await getJson(`${stoker.console}/api/v1/targets?state=active&scrapePool=${pool}`)).data.activeTargets
        const has = (pool, expected) => until(`${pool} has ${expected}`, async () => (await active(pool)).map((one) => one.labels.instance).sort().join() === expected.join(), 30_000, 200)
        const meta = (target) => Object.fromEntries(Object.entries(target.discoveredLabels).filter(([name]) => name.startsWith('__meta')).map(([name, value]) => [name.slice('__meta_kubernetes_'.length), value]))
        await has('pod', ['10.254.1.1:8000', '10.254.1.1:9000'])
        await has('service', ['web.default.svc:80'])
        await has('node', ['n1'])
        await has('endpoints', ['10.254.1.1:8000', '10.254.1.1:9000', '10.254.1.9:8000'])
        const first = meta((await active('pod'))[0])
        assert.match(first.pod_uid, /^[0-9a-f-]{36}$/)
        delete first.pod_uid
        assert.deepEqual(first, {
            namespace: 'default', pod_name: 'web-1', pod_ip: '10.254.1.1', pod_ready: 'true', pod_phase: 'Running', pod_node_name: 'n1', pod_host_ip: '10.254.0.1', pod_label_app: 'web', pod_labelpresent_app: 'true', pod_label_x_y_z: 'web-1', pod_labelpresent_x_y_z: 'true', pod_annotation_prometheus_io_scrape: 'true', pod_annotationpresent_prometheus_io_scrape: 'true', pod_container_name: 'c', pod_container_image: 'i:1', pod_container_init: 'false', pod_container_port_name: 'http', pod_container_port_number: '8000', pod_container_port_protocol: 'TCP',
        })
        const node = (await active('node'))[0]
        assert.equal(node.scrapeUrl, 'http://10.254.0.1:10250/metrics')
        assert.equal(meta(node).node_label_zone, 'a')
        const behind = meta((await active('endpoints')).find((one) => one.labels.instance === '10.254.1.1:8000'))
        assert.equal(behind.service_label_team, 'a')
        assert.equal(behind.endpoint_ready, 'true')
        assert.equal(behind.pod_container_port_name, 'http')
        // This server has EndpointSlices of v1beta1 only, which is found out.
        await call('POST', '/apis/discovery.k8s.io/v1beta1/namespaces/default/endpointslices', { metadata: { name: 'web-x', labels: { 'kubernetes.io/service-name': 'web' } }, addressType: 'IPv4', ports: [{ name: 'http', port: 8000 }], endpoints: [{ addresses: ['10.254.1.7'], conditions: { ready: true } }] })
        await has('endpointslice', ['10.254.1.7:8000'])
        await call('POST', '/apis/networking.k8s.io/v1/namespaces/default/ingresses', { metadata: { name: 'web' }, spec: { tls: [{ hosts: ['web.example'] }], rules: [{ host: 'web.example', http: { paths: [{ path: '/a', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }] } }] } })
        await has('ingress', ['web.example'])
        assert.deepEqual(meta((await active('ingress'))[0]), { namespace: 'default', ingress_name: 'web', ingress_host: 'web.example', ingress_scheme: 'https', ingress_path: '/a' })
        await makePod('web-2', '10.254.1.2')
        await has('pod', ['10.254.1.1:8000', '10.254.1.1:9000', '10.254.1.2:8000', '10.254.1.2:9000'])
        await call('DELETE', `${space}/pods/web-1?gracePeriodSeconds=0`)
        await has('pod', ['10.254.1.2:8000', '10.254.1.2:9000'])
        await has('endpoints', ['10.254.1.1:8000', '10.254.1.9:8000'])
        await stoker.stop()
    } finally {
        server.kill('SIGTERM')
    }
})
