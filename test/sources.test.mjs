// Targets from DNS, Docker and Consul, as they change and fail.
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { getJson, startStoker, stopAll, temporaryDirectory, until } from './lib/stoker.mjs'

const closing = []
after(async () => {
    for (const server of closing) {
        server.close()
        server.closeAllConnections?.()
    }
    await stopAll()
})

const listen = (server, ...where) => new Promise((done) => server.listen(...where, () => done(closing.push(server))))
const targets = async (stoker) => (await getJson(`${stoker.console}/api/v1/targets`)).data
const urls = async (stoker, job) => (await targets(stoker)).activeTargets.filter((one) => one.scrapePool === job).map((one) => one.scrapeUrl).sort()
const sourceOf = async (stoker, job) => (await targets(stoker)).discovery.find((one) => one.scrapePool === job)
const start = (dir, jobs) => startStoker({ dir, config: `collect:\n  host: false\n  discovery: {enabled: false}\n  scrape_configs:\n${jobs}` })

// A name server that knows `records`: {"name type": [data, ...]}; types are numbers. What is longer than 512 bytes is only
// told over TCP.
class NameServer {
    records = {}
    mute = false
    overTcp = 0

    async start() {
        this.udp = createSocket('udp4')
        this.udp.on('message', (question, from) => {
            if (this.mute) return
            const answer = this.answer(question)
            const cut = answer.length > 512 ? Buffer.concat([answer.subarray(0, 2), Buffer.from([answer[2] | 2, answer[3]]), answer.subarray(4, 6), Buffer.alloc(6), question.subarray(12)]) : answer
            // Somebody guesses first: not the right id.
            const forged = Buffer.from(answer)
            forged[0] ^= 0xff
            this.udp.send(forged, from.port, from.address)
            this.udp.send(cut, from.port, from.address)
        })
        this.tcp = createTcpServer((socket) => {
            socket.on('error', () => {})
            socket.once('data', (data) => {
                this.overTcp++
                const answer = this.answer(data.subarray(2))
                socket.end(Buffer.concat([Buffer.from([answer.length >> 8, answer.length & 255]), answer]))
            })
        })
        // The number is TCP's to give: many of those are taken for a moment by connections of others.
        await listen(this.tcp, 0, '127.0.0.1')
        this.port = this.tcp.address().port
        await new Promise((done) => this.udp.bind(this.port, '127.0.0.1', done))
        closing.push(this.udp)
    }

    answer(question) {
        const labels = []
        let at = 12
        for (; question[at]; at += question[at] + 1) labels.push(question.toString('latin1', at + 1, at + 1 + question[at]))
        const type = question.readUInt16BE(at + 1)
        const found = this.records[`${labels.join('.')} ${type}`]
        const head = Buffer.alloc(12)
        question.copy(head, 0, 0, 2)
        head.writeUInt16BE(found ? 0x8180 : 0x8183, 2)
        head.writeUInt16BE(1, 4)
        head.writeUInt16BE(found?.length ?? 0, 6)
        const answers = (found ?? []).map((data) => {
            const fixed = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 1, 0, 0])
            fixed.writeUInt16BE(data.length, 10)
            return Buffer.concat([fixed, data])
        })
        return Buffer.concat([head, question.subarray(12, at + 5), ...answers])
    }
}

const dnsName = (name) => Buffer.concat([...name.split('.').map((label) => Buffer.from(String.fromCharCode(label.length) + label, 'latin1')), Buffer.from([0])])
const srv = (port, target) => Buffer.concat([Buffer.from([0, 1, 0, 1, port >> 8, port & 255]), dnsName(target)])

test('DNS: services, addresses, long answers, and a server that falls silent', { timeout: 60_000 }, async () => {
    const dns = new NameServer()
    await dns.start()
    const dir = temporaryDirectory()
    writeFileSync(join(dir, 'resolv.conf'), `nameserver 127.0.0.1#${dns.port}\nsearch x.test\n`)
    dns.records = {
        '_m._tcp.x.test 33': [srv(9100, 'a.x.test'), srv(9200, 'b.x.test')],
        'web.x.test 1': [Buffer.from([10, 255, 0, 1]), Buffer.from([10, 255, 0, 2])],
    }
    const stoker = await start(dir, `
    - job_name: srv
      dns_sd_configs: [{names: [_m._tcp.x.test], refresh_interval: 500ms, resolv_conf: resolv.conf}]
    - job_name: a
      dns_sd_configs: [{names: [web, nobody.x.test], type: A, port: 80, refresh_interval: 500ms, resolv_conf: resolv.conf}]
`)
    const has = (job, expected) => until(`${job} has ${expected}`, async () => (await urls(stoker, job)).join() === expected.join(), 15_000)
    await has('srv', ['http://a.x.test:9100/metrics', 'http://b.x.test:9200/metrics'])
    await has('a', ['http://10.255.0.1:80/metrics', 'http://10.255.0.2:80/metrics'])
    const found = (await targets(stoker)).activeTargets.find((one) => one.scrapeUrl.includes('a.x.test'))
    assert.equal(found.discoveredLabels.__meta_dns_name, '_m._tcp.x.test')
    assert.equal(found.discoveredLabels.__meta_dns_srv_record_target, 'a.x.test.')
    assert.equal(found.discoveredLabels.__meta_dns_srv_record_port, '9100')
    dns.records['web.x.test 1'] = Array.from({ length: 100 }, (_, i) => Buffer.from([10, 255, 1, i]))
    await until('the long answer came over TCP', async () => (await urls(stoker, 'a')).length === 100, 15_000)
    assert.ok(dns.overTcp > 0)
    // Nobody answers any more: the targets stay.
    dns.mute = true
    const source = await until('the silence is told', async () => {
        const one = await sourceOf(stoker, 'srv')
        return one.lastError && one
    }, 20_000)
    assert.match(source.lastError, /_m\._tcp\.x\.test: DNS server 127\.0\.0\.1#\d+: no result within 2s/)
    await has('srv', ['http://a.x.test:9100/metrics', 'http://b.x.test:9200/metrics'])
    dns.mute = false
    delete dns.records['_m._tcp.x.test 33']
    await has('srv', [])
    assert.equal((await sourceOf(stoker, 'srv')).lastError, '')
    await stoker.stop()
})

test('Docker over its socket, and Consul', { timeout: 60_000 }, async () => {
    const dir = temporaryDirectory()
    let containers = [{ Id: 'c1', Names: ['/web'], Labels: { app: 'x' }, HostConfig: { NetworkMode: 'front' }, Ports: [{ PrivatePort: 8000, Type: 'tcp' }], NetworkSettings: { Networks: { front: { NetworkID: 'n1', IPAddress: '10.255.2.1' } } } }]
    const asked = []
    const docker = createServer((request, response) => {
        asked.push(request.url)
        response.end(JSON.stringify(request.url.startsWith('/networks') ? [{ Id: 'n1', Name: 'front' }] : containers))
    })
    await listen(docker, join(dir, 'docker.sock'))
    let health = { status: 200, entries: [{ Node: { Node: 'n', Address: '10.255.3.1', Datacenter: 'dc1' }, Service: { ID: 'w1', Port: 8080, Tags: ['prod'] }, Checks: [] }] }
    const consul = createServer((request, response) => {
        if (request.headers['x-consul-token'] !== 'secret') return response.writeHead(403).end()
        const url = new URL(request.url, 'http://x')
        if (url.pathname === '/c/v1/catalog/services') {
            assert.equal(url.searchParams.get('filter'), 'ServiceName != "none"')
            return response.end(JSON.stringify({ web: ['prod'], other: [] }))
        }
        assert.equal(url.pathname, '/c/v1/health/service/web')
        assert.equal(url.searchParams.get('filter'), 'Service.Port == 8080')
        assert.equal(url.searchParams.get('tag'), 'prod')
        response.writeHead(health.status).end(JSON.stringify(health.entries))
    })
    await listen(consul, 0, '127.0.0.1')
    const stoker = await start(dir, `
    - job_name: docker
      docker_sd_configs: [{host: "unix://${join(dir, 'docker.sock')}", refresh_interval: 500ms, filters: [{name: label, values: [app=x]}]}]
    - job_name: consul
      consul_sd_configs: [{server: "127.0.0.1:${consul.address().port}", path_prefix: /c, filter: 'ServiceName != "none"', health_filter: 'Service.Port == 8080', token: secret, tags: [prod], refresh_interval: 500ms}]
`)
    const has = (job, expected) => until(`${job} has ${expected}`, async () => (await urls(stoker, job)).join() === expected.join(), 15_000)
    await has('docker', ['http://10.255.2.1:8000/metrics'])
    await has('consul', ['http://10.255.3.1:8080/metrics'])
    assert.equal(decodeURIComponent(asked.find((one) => one.startsWith('/containers'))), '/containers/json?filters={"label":["app=x"]}')
    const found = (await targets(stoker)).activeTargets
    assert.equal(found.find((one) => one.scrapePool === 'docker').discoveredLabels.__meta_docker_container_label_app, 'x')
    assert.equal(found.find((one) => one.scrapePool === 'consul').discoveredLabels.__meta_consul_tags, ',prod,')
    containers = []
    await has('docker', [])
    // A service that can't be asked for keeps its instances.
    health = { status: 500, entries: [] }
    const source = await until('the failure is told', async () => {
        const one = await sourceOf(stoker, 'consul')
        return one.lastError && one
    })
    assert.match(source.lastError, /web: HTTP status 500/)
    await has('consul', ['http://10.255.3.1:8080/metrics'])
    docker.close()
    docker.closeAllConnections()
    await until('a daemon that is gone is told', async () => (await sourceOf(stoker, 'docker')).lastError.includes('docker.sock'))
    await stoker.stop()
})
