// The page of keys in Chromium: one is made, shown once, works, gets a new secret, and is revoked.
//
// PAGE_DIST=web/dist takes the page from there instead of from the binary, as in page.test.mjs.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { chromium } from 'playwright-core'
import { getJson, root, startSim, startStoker, stopAll, until } from './lib/stoker.mjs'

const executable = process.env.CHROMIUM ?? '/usr/bin/chromium'
const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }
const complaints = []
let stoker, browser, page

before(async () => {
    const sim = await startSim()
    stoker = await startStoker({
        config: `
auth:
  required: true
  tenants: [{name: acme}]
  keys: [{id: of-file, tenant: acme, sha256: ${'ab'.repeat(32)}}]
pools: [{name: chat, models: [sim], replicas: [{url: ${sim.url}}]}]
`,
    })
    browser = await chromium.launch({ executablePath: executable, args: ['--no-sandbox'] })
    const context = await browser.newContext({ locale: 'en-GB' })
    context.setDefaultTimeout(15_000)
    page = await context.newPage()
    page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(error.message))
    if (process.env.PAGE_DIST) await page.route(/^http:\/\/[^/]+\/(?!api\/|-\/)/, fromFolder)
    await page.goto(`${stoker.console}/keys`)
    await page.getByRole('heading', { level: 1, name: 'Keys' }).waitFor()
})
after(async () => {
    await browser?.close()
    await stopAll()
})

function fromFolder(route) {
    const file = join(root, process.env.PAGE_DIST, new URL(route.request().url()).pathname)
    const found = extname(file) && existsSync(file) ? file : join(root, process.env.PAGE_DIST, 'index.html')
    return route.fulfill({ body: readFileSync(found), contentType: types[extname(found)] })
}

const models = async (key) => (await fetch(`${stoker.gateway}/v1/models`, { headers: { authorization: `Bearer ${key}` } })).status
const row = (id) => page.locator('.rows tbody tr', { has: page.locator('td.name', { hasText: new RegExp(`^${id}$`) }) })
const secret = page_ => page_.locator('.notice.secret code')

test('a key is made, shown once, and is good', async () => {
    await row('of-file').getByText('in the configuration file').waitFor()
    assert.equal(await row('of-file').getByRole('button').count(), 0)
    await page.getByRole('button', { name: 'New key' }).click()
    await page.getByLabel('Tenant').fill('nobody')
    await page.getByRole('button', { name: 'Make the key' }).click()
    await page.locator('.notice.bad', { hasText: "there is no tenant 'nobody'" }).waitFor()
    complaints.length = 0 // The browser notes the 400 that was wanted.
    await page.getByLabel('Tenant').fill('acme')
    await page.getByLabel('Id', { exact: true }).fill('by-page')
    await page.getByLabel('Models').fill('sim, llama-*')
    await page.getByRole('button', { name: 'Make the key' }).click()
    const key = await secret(page).innerText()
    assert.match(key, /^sk-stoker-by-page-[0-9A-Za-z]{43}$/)
    assert.equal(await models(key), 200)
    await row('by-page').getByText('active').waitFor()
    const kept = await getJson(`${stoker.console}/api/v1/keys/by-page`)
    assert.deepEqual(kept.models, ['sim', 'llama-*'])
    assert.ok(kept.expires_ms > Date.now() + 89 * 86_400_000)
    await page.getByRole('button', { name: 'Done' }).click()
    await page.reload()
    await row('by-page').waitFor()
    assert.ok(!(await page.content()).includes(key.slice(-43)), 'the key is shown again')
    // Pasted as a whole, it is found by its public part, and its secret goes nowhere.
    const asked = page.waitForRequest((request) => request.url().includes('prefix=sk'))
    await page.getByLabel('Search by how an id or a key begins').fill(key)
    assert.ok(!(await asked).url().includes(key.slice(-43)))
    await until('the list is that key', async () => (await page.locator('.rows tbody tr').count()) === 1)
    await page.getByLabel('Search by how an id or a key begins').fill('')
    page.old = key
})

test('rotated: the old key and the new one are good', async () => {
    await page.getByRole('button', { name: 'Rotate by-page' }).click()
    await page.getByText('The key before stays good until').waitFor()
    const key = await secret(page).innerText()
    assert.notEqual(key, page.old)
    assert.equal(await models(key), 200)
    assert.equal(await models(page.old), 200)
    await page.getByRole('button', { name: 'Done' }).click()
    page.current = key
})

test('revoked with two clicks, at once', async () => {
    await page.getByRole('button', { name: 'Revoke by-page', exact: true }).click()
    assert.equal(await models(page.current), 200)
    await page.getByRole('button', { name: 'Revoke for good by-page' }).click()
    await row('by-page').getByText('revoked').waitFor()
    assert.equal(await models(page.current), 401)
    assert.equal(await models(page.old), 401)
    assert.equal(await row('by-page').getByRole('button').count(), 0)
})

test('in Chinese, on a phone, and without complaints', async () => {
    await page.setViewportSize({ width: 390, height: 844 })
    await page.getByRole('button', { name: 'New key' }).click()
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 390)
    await page.getByLabel('Language').selectOption('zh')
    await page.getByRole('heading', { level: 1, name: '密钥' }).waitFor()
    await row('by-page').getByText('已吊销').waitFor()
    assert.deepEqual(complaints, [])
})
