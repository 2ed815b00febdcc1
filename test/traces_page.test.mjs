// The page of traces in Chromium: search, the waterfall, and the ways to and from requests and metrics.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { closeBrowser, openPage } from './lib/browser.mjs'
import { getJson, startSim, startStoker, stopAll, until } from './lib/stoker.mjs'

const complaints = []
const traceId = randomBytes(16).toString('hex')
let stoker, page, sim

before(async () => {
    sim = await startSim()
    stoker = await startStoker({ config: `pools: [{name: chat, models: [sim], replicas: [{url: ${sim.url}}]}]\ncollect: {scrape_interval: 1s, scrape_timeout: 1s}\n` })
    const start = Date.now() * 1e6
    const span = (spanId, parentSpanId, name, from, to, more = {}) => ({ traceId, spanId, parentSpanId, name, kind: 1, startTimeUnixNano: String(start + from * 1e6), endTimeUnixNano: String(start + to * 1e6), ...more })
    const spans = [
        span('00f067aa0ba90001', '', 'plan the trip', 0, 900),
        span('00f067aa0ba90003', '00f067aa0ba90002', 'look up flights', 300, 600, { status: { code: 2, message: 'no seats' }, attributes: [{ key: 'tool.name', value: { stringValue: 'flights' } }] }),
        span('00f067aa0ba90002', '00f067aa0ba90001', 'agent', 100, 700),
    ]
    const sent = await fetch(`${stoker.console}/v1/traces`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ resourceSpans: [{ resource: { attributes: [{ key: 'service.name', value: { stringValue: 'travel' } }] }, scopeSpans: [{ spans }] }] }) })
    assert.equal(sent.status, 200)
    const ask = (stream) => fetch(`${stoker.gateway}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ model: 'sim', stream, max_tokens: 5, messages: [{ role: 'user', content: 'hello' }] }) }).then((answer) => answer.text())
    await ask(false)
    await ask(true)
    await until('all traces are stored', async () => (await getJson(`${stoker.console}/api/v1/traces`)).traces.length === 3)
    page = await openPage(`${stoker.console}/traces`, { complaints })
    await page.getByRole('heading', { level: 1, name: 'Traces' }).waitFor()
})
after(async () => {
    await closeBrowser()
    await stopAll()
})

test('a search leads to the waterfall, parents before their children, and to what a span carries', async () => {
    await page.getByRole('link', { name: 'plan the trip' }).waitFor()
    assert.equal(await page.locator('tbody tr').count(), 3)
    await page.getByLabel('Service').selectOption('travel')
    await until('only that service is listed', async () => (await page.locator('tbody tr').count()) === 1)
    assert.match(page.url(), /service=travel/)
    await page.getByRole('link', { name: 'plan the trip' }).click()
    await page.getByRole('heading', { level: 1, name: traceId }).waitFor()
    const names = page.locator('.waterfall li:not(.axis) .name')
    await names.nth(2).waitFor()
    assert.deepEqual(await names.allInnerTexts(), ['plan the trip · travel', 'agent · travel', 'look up flights · travel'])
    assert.equal(await page.locator('.waterfall .span.bad').count(), 1)
    await page.getByRole('button', { name: /look up flights/ }).click()
    const details = page.locator('.card', { has: page.getByRole('heading', { name: 'look up flights' }) })
    assert.match(await details.innerText(), /no seats[\s\S]*tool\.name\s+flights/)
    await page.goBack()
    await page.getByRole('link', { name: 'plan the trip' }).waitFor()
    assert.match(page.url(), /service=travel/)
    await page.getByLabel('With errors').check()
    await page.getByRole('button', { name: 'Clear' }).click()
    await until('all are listed again', async () => (await page.locator('tbody tr').count()) === 3)
})

test('from a request to its trace and back, and from a metric to the traces behind it', async () => {
    const [request] = (await getJson(`${stoker.console}/api/v1/requests?stream=true`)).requests
    await page.goto(`${stoker.console}/requests/${request.id}`)
    await page.getByRole('link', { name: request.trace_id }).click()
    await page.getByRole('heading', { level: 1, name: request.trace_id }).waitFor()
    assert.ok((await page.locator('.waterfall li:not(.axis)').count()) >= 3)
    await page.getByRole('link', { name: "The gateway's request" }).click()
    await page.getByRole('heading', { level: 1, name: request.id }).waitFor()

    const query = 'llm_time_to_first_token_seconds_bucket'
    const exemplars = async () => (await getJson(`${stoker.console}/api/v1/query_exemplars?query=${query}&start=${Date.now() / 1000 - 600}&end=${Date.now() / 1000 + 60}`)).data
    await until('the metric has an exemplar', async () => (await exemplars()).some((series) => series.exemplars[0].labels.trace_id === request.trace_id), 20_000)
    await page.goto(`${stoker.console}/explore?q=${query}&view=graph&stack=0&range=300`)
    await page.locator(`.behind a[href*="${request.trace_id}"]`).click()
    await page.getByRole('heading', { level: 1, name: request.trace_id }).waitFor()
})

test('in Chinese, on a phone, and without complaints', async () => {
    await page.goto(`${stoker.console}/traces/${traceId}`)
    await page.locator('.waterfall .span.bad').waitFor()
    await page.setViewportSize({ width: 390, height: 844 })
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 390)
    await page.getByLabel('Language').selectOption('zh')
    await page.getByRole('link', { name: '此追踪的日志' }).waitFor()
    await page.goto(`${stoker.console}/traces`)
    await page.getByRole('heading', { level: 1, name: '追踪' }).waitFor()
    assert.deepEqual(complaints, [])
})
