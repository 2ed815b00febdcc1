// The page of keys in Chromium: one is made, shown once, works, gets a new secret, and is revoked.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { closeBrowser, openPage } from './lib/browser.mjs'
import { getJson, startSim, startStoker, stopAll, until } from './lib/stoker.mjs'

const complaints = []
let stoker, page

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
    page = await openPage(`${stoker.console}/keys`, { complaints })
    await page.getByRole('heading', { level: 1, name: 'Keys' }).waitFor()
})
after(async () => {
    await closeBrowser()
    await stopAll()
})

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

test('its models and metadata are changed, with the next request', async () => {
    const kept = () => getJson(`${stoker.console}/api/v1/keys/by-page`)
    await page.getByRole('button', { name: 'Edit by-page' }).click()
    const form = page.getByRole('form', { name: 'Edit by-page' })
    assert.equal(await form.getByLabel('Models').inputValue(), 'sim, llama-*')
    await form.getByLabel('Models').fill('llama-*')
    await form.getByLabel('Metadata').fill('no equals sign')
    await form.getByText('Each line must read name=value.').waitFor()
    assert.ok(await form.getByRole('button', { name: 'Save' }).isDisabled())
    await form.getByLabel('Metadata').fill('team=search\ncost_centre=a=b')
    await form.getByRole('button', { name: 'Save' }).click()
    await form.waitFor({ state: 'detached' })
    await row('by-page').getByText('llama-*', { exact: true }).waitFor()
    assert.deepEqual((await kept()).models, ['llama-*'])
    assert.deepEqual((await kept()).metadata, { team: 'search', cost_centre: 'a=b' })
    const listed = await (await fetch(`${stoker.gateway}/v1/models`, { headers: { authorization: `Bearer ${page.old}` } })).json()
    assert.deepEqual(listed.data, [])
    // What is taken out of the list goes, what stays there stays.
    await page.getByRole('button', { name: 'Edit by-page' }).click()
    assert.match(await form.getByLabel('Metadata').inputValue(), /cost_centre=a=b/)
    await form.getByLabel('Metadata').fill('team=search')
    await form.getByLabel('Models').fill('')
    await form.getByRole('button', { name: 'Save' }).click()
    await form.waitFor({ state: 'detached' })
    await row('by-page').getByText('all', { exact: true }).waitFor()
    assert.deepEqual((await kept()).metadata, { team: 'search' })
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
