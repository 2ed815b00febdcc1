// The page of agents in Chromium: a token is made and shown once, its agent is listed, the token is revoked.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { closeBrowser, openPage } from './lib/browser.mjs'
import { startStoker, stopAll } from './lib/stoker.mjs'

const complaints = []
let stoker, page

before(async () => {
    stoker = await startStoker()
    page = await openPage(`${stoker.console}/agents`, { complaints })
    await page.getByRole('heading', { level: 1, name: 'Agents' }).waitFor()
})
after(async () => {
    await closeBrowser()
    await stopAll()
})

test('a token is made, an agent is listed, and the token is revoked', async () => {
    await page.getByText('No agent has sent anything yet.').waitFor()
    await page.getByLabel('Whose token: rack-12').fill('rack-12')
    await page.getByRole('button', { name: 'New token' }).click()
    const secret = await page.locator('.notice.secret code').textContent()
    assert.match(secret, /^sk-agent-/)
    const sent = await fetch(`${stoker.console}/api/v1/write`, {
        method: 'POST',
        headers: { authorization: `Bearer ${secret}`, 'x-stoker-agent': 'node-7', 'content-type': 'application/x-protobuf' },
        body: new Uint8Array([0]),
    })
    assert.notEqual(sent.status, 401)
    await page.getByRole('cell', { name: 'node-7' }).waitFor()
    await page.getByRole('cell', { name: 'sending' }).waitFor()
    await page.getByRole('button', { name: 'Revoke' }).click()
    await page.getByRole('cell', { name: 'revoked' }).waitFor()
    const refused = await fetch(`${stoker.console}/api/v1/write`, { method: 'POST', headers: { authorization: `Bearer ${secret}` }, body: new Uint8Array([0]) })
    assert.equal(refused.status, 401)
    assert.match(await refused.text(), /was revoked/)
    await page.getByLabel(/language|语言/i).selectOption('zh').catch(() => {})
    await page.getByRole('heading', { level: 1, name: '节点代理' }).waitFor()
    assert.deepEqual(complaints, [])
})
