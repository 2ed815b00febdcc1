// Prometheus' query API over connections that stay open.
import { Agent, request } from 'node:http'

export class PrometheusClient {
    constructor(url, atOnce) {
        this.url = url
        this.agent = new Agent({ keepAlive: true, maxSockets: atOnce })
    }

    // A range query where there is a step; times in ms. { type, result } or { error }.
    async ask({ query, start, end, step }) {
        const time = (ms) => String(ms / 1000)
        const params = step ? { query, start: time(start), end: time(end), step: time(step) } : { query, time: time(start) }
        const answer = await this.post(step ? '/api/v1/query_range' : '/api/v1/query', new URLSearchParams(params).toString())
        if (answer.status !== 'success') return { error: answer.error, errorType: answer.errorType }
        return { type: answer.data.resultType, result: answer.data.result }
    }

    post(path, body) {
        const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(body) }
        return new Promise((done, fail) => {
            const call = request(this.url + path, { method: 'POST', headers, agent: this.agent }, (response) => {
                const parts = []
                response.on('data', (data) => parts.push(data))
                response.once('error', fail)
                response.on('end', () => {
                    const text = Buffer.concat(parts).toString()
                    try {
                        done(JSON.parse(text))
                    } catch {
                        fail(new Error(`${this.url}${path} answered ${response.statusCode}: ${text.slice(0, 300)} to ${body.slice(0, 500)}`))
                    }
                })
            })
            call.once('error', fail)
            call.end(body)
        })
    }
}
