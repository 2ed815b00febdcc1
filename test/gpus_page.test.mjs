// The page of GPUs in Chromium, beside the stand-in for NVIDIA's library.
import assert from 'node:assert/strict'
import { renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { closeBrowser, openPage } from './lib/browser.mjs'
import { binary, startSim, startStoker, stopAll, temporaryDirectory } from './lib/stoker.mjs'

const library = join(dirname(binary), 'libfake_nvml.so')
const dir = temporaryDirectory()
const state = join(dir, 'gpus')
const kernelLog = join(dir, 'kmsg')
const complaints = []
let sim, stoker, page

// What the library does from now on; replaced in one step, since it may be reading.
const tell = (lines) => {
    writeFileSync(`${state}.new`, lines)
    renameSync(`${state}.new`, state)
}
const card = (name) => page.locator('.card', { has: page.locator('h2', { hasText: name }) })

before(async () => {
    sim = await startSim()
    tell(`gpus=2\npower=345.5\nutilization=87\n1.processes=${sim.pid}:1024\n`)
    writeFileSync(kernelLog, '')
    stoker = await startStoker({
        config: `
pools: [{name: chat, models: [sim], replicas: [{url: ${sim.url}}]}]
collect: {scrape_interval: 500ms, gpu: {library: ${library}, interval: 200ms, kernel_log: ${kernelLog}}}
`,
        env: { STOKER_FAKE_NVML: state },
    })
    page = await openPage(stoker.console, { complaints })
    await page.getByRole('link', { name: 'GPUs' }).click()
    await page.getByRole('heading', { level: 1, name: 'GPUs' }).waitFor()
})
after(async () => {
    await closeBrowser()
    await stopAll()
})

test('what each GPU is, does, and whose it is', async () => {
    const first = card('0 · NVIDIA H100 80GB HBM3')
    await first.getByText('346 / 700 W').waitFor()
    await first.getByText('87 %').waitFor()
    await first.getByText(/health 100/i).waitFor()
    await first.getByText('0000:3b:00.0').waitFor()
    await card('1 · NVIDIA H100').getByText(`chat/${new URL(sim.url).host} · pid ${sim.pid} · 1.0 GiB`).waitFor()
})

test('an XID is shown at its GPU with what it means and what is to be done', async () => {
    tell('gpus=2\nxid=1:79\n')
    const second = card('1 · NVIDIA H100')
    await second.getByText('XID 79 (the GPU has fallen off the bus): reboot').waitFor()
    await second.getByText('79 × 1').waitFor()
    await second.getByText(/health 40/i).waitFor()
    await card('0 · NVIDIA H100').getByText(/health 100/i).waitFor()
})

test('a lost GPU shows no values', async () => {
    tell('gpus=2\nxid=1:79\n1.lost=1\n')
    await card('1 · NVIDIA H100').getByText('the driver says that the GPU is lost').waitFor()
    assert.equal(await card('1 · NVIDIA H100').locator('dl').count(), 0)
    tell('gpus=2\nxid=1:79\n')
    await card('1 · NVIDIA H100').locator('dl').waitFor()
})

test('a driver that hangs: what is shown is old, and says so', async () => {
    tell('gpus=2\nxid=1:79\nhang=1\n')
    await page.getByRole('alert').getByText(/The driver does not answer.*\(nvml\)/).waitFor()
    tell('gpus=2\nxid=1:79\n')
    await page.getByRole('alert').waitFor({ state: 'detached' })
})

test('in Chinese, on a phone, and without complaints', async () => {
    await page.setViewportSize({ width: 390, height: 844 })
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 390)
    await page.getByLabel('Language').selectOption('zh')
    await page.getByText('张量核心').first().waitFor()
    await page.getByLabel('语言').selectOption('en')
    assert.deepEqual(complaints, [])
})
