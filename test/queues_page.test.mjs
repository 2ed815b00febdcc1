// The page of queues in Chromium, on a real pool that is too narrow for those who ask.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { closeBrowser, openPage } from './lib/browser.mjs'
import { streamChat } from './lib/client.mjs'
import { getJson, startSim, startStoker, stopAll, until } from './lib/stoker.mjs'

const complaints = []
let stoker, page, sim

const config = (admission) => `
pools: [{name: chat, models: [sim], replicas: [{url: ${sim.url}}]${admission}}]
`

before(async () => {
    sim = await startSim({ profile: 'l4-7b' }) // 50 ms a token.
    stoker = await startStoker({ config: config(', admission: {concurrency: 1, queue: 3, timeout: 5m}') })
    page = await openPage(stoker.console, { complaints })
    await page.getByRole('link', { name: 'Queues' }).click()
    await page.getByRole('heading', { level: 1, name: 'Queues' }).waitFor()
})
after(async () => {
    await closeBrowser()
    await stopAll()
})

const ask = () => streamChat(stoker.gateway, { model: 'sim', max_tokens: 2_000, messages: [{ role: 'user', content: 'count' }] })
const stat = (label) => page.locator('.stat', { has: page.locator('.label', { hasText: new RegExp(`^${label}$`) }) })

test('who is under way, who waits and for how long, and who was turned away', async () => {
    await until('nobody waits', async () => /^0 \/ 1/.test(await stat('Under way').locator('.value').innerText()))
    for (let i = 0; i < 4; i++) void ask()
    await until('three wait', async () => (await stat('Waiting').locator('.value').innerText()) === '3 / 3')
    assert.equal(await stat('Under way').locator('.value').innerText(), '1 / 1')
    assert.match(await stat('Under way').innerText(), /limit from the configuration/)
    assert.match(await stat('Waiting').innerText(), /high 0 · normal 3 · low 0/)
    const refused = await ask()
    assert.equal(refused.status, 503)
    await until('it is counted', async () => /^1$/m.test(await stat('Turned away').locator('.value').innerText()))
    assert.match(await stat('Turned away').innerText(), /queue full 1/)
    const oldest = async () => parseFloat(await stat('Oldest wait').locator('.value').innerText())
    const first = await until('the oldest wait is shown', oldest)
    await until('it grows by itself', async () => (await oldest()) > first)
    await page.getByRole('region', { name: 'Waiting: chat' }).getByText('normal').waitFor()
})

test('in Chinese, on a phone, and without complaints', async () => {
    await page.setViewportSize({ width: 390, height: 844 })
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 390)
    await page.getByLabel('Language').selectOption('zh')
    await page.getByRole('heading', { level: 1, name: '队列' }).waitFor()
    await page.getByText('上限来自配置').waitFor()
    assert.match(await page.locator('.stat').nth(1).innerText(), /高 0 · 普通 3 · 低 0/)
    await page.getByLabel('语言').selectOption('en')
})

test('where nothing is limited the page says so', async () => {
    const { writeFileSync } = await import('node:fs')
    writeFileSync(stoker.configFile, config(''))
    assert.equal((await getJson(`${stoker.console}/api/v1/config/reload`, { method: 'POST' })).status, 'ok')
    await page.getByText('No pool limits how many requests it takes at a time').waitFor()
    assert.deepEqual(complaints, [])
})
