// The page of logs in Chromium: search, a failure's line, the way to its trace, and lines as they come.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { closeBrowser, openPage } from './lib/browser.mjs'
import { startStoker, stopAll, until } from './lib/stoker.mjs'

const complaints = []
const trace = '0af7651916cd43dd8448eb211c80319c'
let stoker, page

async function push(lines, app = 'vllm') {
    const values = lines.map((line, i) => [`${BigInt(Date.now()) * 1_000_000n + BigInt(i)}`, line])
    const response = await fetch(`${stoker.console}/loki/api/v1/push`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ streams: [{ stream: { app }, values }] }),
    })
    assert.equal(response.status, 204)
}

before(async () => {
    stoker = await startStoker()
    await push(['INFO all is well', `level=error msg="it broke" trace_id=${trace} gpu=3`, 'torch.OutOfMemoryError: CUDA out of memory. Tried'])
    await push(['INFO from elsewhere'], 'db')
    await until('they are searchable', async () => (await (await fetch(`${stoker.console}/api/v1/logs`)).json()).logs.length === 4)
    page = await openPage(stoker.console, { complaints })
    await page.getByRole('link', { name: 'Logs' }).click()
    await page.getByRole('heading', { level: 1, name: 'Logs' }).waitFor()
})
after(async () => {
    await closeBrowser()
    await stopAll()
})

const lines = () => page.locator('.log-line').allInnerTexts()

test('lines are there, and each filter narrows them', async () => {
    await until('all lines', async () => (await lines()).length === 4)
    await page.getByLabel('Service').selectOption('db')
    await until('one service', async () => (await lines()).join() === 'INFO from elsewhere')
    await page.getByLabel('Service').selectOption('')
    await page.getByLabel('Severity').selectOption('error')
    await until('errors', async () => (await lines()).join() === 'it broke')
    await page.getByLabel('Severity').selectOption('')
    await page.getByLabel('Text in a line').fill('ALL IS')
    await until('a text', async () => (await lines()).join() === 'INFO all is well')
    assert.match(page.url(), /\/logs\?q=ALL\+IS/)
    await page.reload()
    await until('the address keeps it', async () => (await lines()).join() === 'INFO all is well')
    await page.getByRole('button', { name: 'Clear' }).click()
    await page.getByLabel('Known failures only').check()
    await until('failures', async () => (await lines()).join().includes('cuda_out_of_memory torch.OutOfMemoryError'))
    await page.getByRole('button', { name: 'Clear' }).click()
})

test('a line shows all that it carries, and leads to its trace', async () => {
    await page.getByText('it broke').click()
    const detail = page.locator('.log-detail')
    await detail.waitFor()
    assert.match(await detail.innerText(), /gpu\s*3/)
    assert.equal(await detail.getByRole('link').getAttribute('href'), `/traces/${trace}`)
    await page.goto(`${stoker.console}/logs?trace_id=${trace}`)
    await until("the trace's lines", async () => (await lines()).join() === 'it broke')
    await page.getByText(`Of trace ${trace}`).waitFor()
})

test('lines are followed as they come', async () => {
    await page.goto(`${stoker.console}/logs?severity=warn`)
    await page.getByLabel('Follow').check()
    await page.getByText('Waiting for lines').waitFor()
    await until('the line', async () => {
        await push(['level=warn msg="followed"', 'level=info msg="left out"'])
        return (await lines()).length > 0
    })
    assert.ok((await lines()).every((line) => line === 'followed'))
})

test('in Chinese, on a phone, and without complaints', async () => {
    await page.setViewportSize({ width: 390, height: 844 })
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 390)
    await page.getByLabel('Language').selectOption('zh')
    await page.getByRole('heading', { level: 1, name: '日志' }).waitFor()
    assert.deepEqual(complaints, [])
})
