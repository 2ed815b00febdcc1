// The metrics explorer in Chromium: type, complete, run, fail, zoom, share; and the pages beside it.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { closeBrowser, openPage } from './lib/browser.mjs'
import { getJson, startStoker, stopAll, until } from './lib/stoker.mjs'

let stoker, page
const complaints = []

before(async () => {
    stoker = await startStoker({ config: 'collect: {scrape_interval: 1s, scrape_timeout: 1s}\n' })
    await until('this machine is measured', async () => (await getJson(`${stoker.console}/api/v1/query?query=count(node_cpu_seconds_total)`)).data.result.length > 0, 20_000)
    page = await open('/explore')
})

after(async () => {
    await closeBrowser()
    await stopAll()
})

async function open(path) {
    const opened = await openPage(stoker.console + path, { complaints, quiet: true, context: { viewport: { width: 1280, height: 900 } } })
    await opened.locator('main h1').waitFor()
    return opened
}

const editor = (where = page) => where.locator('.cm-content').first()

async function type(text, where = page) {
    await editor(where).click()
    await where.keyboard.press('Control+A')
    await where.keyboard.type(text)
    await where.keyboard.press('Escape')
}

async function run(text, where = page) {
    await type(text, where)
    await where.getByRole('button', { name: 'Run' }).first().click()
}

test('a query is drawn, and its series are named', async () => {
    await run('sum by (mode) (node_cpu_seconds_total)')
    await page.locator('.plot-large canvas').waitFor()
    await until('the modes are named', async () => (await page.locator('.names code').allInnerTexts()).includes('{mode="idle"}'))
})

test('the table shows the same series with their values', async () => {
    await page.getByRole('tab', { name: 'Table' }).click()
    const row = page.locator('.panel tbody tr', { hasText: 'mode="idle"' })
    await row.waitFor()
    assert.ok(Number.parseFloat(await row.locator('.num').innerText()) >= 0)
})

test('completion knows this Stoker\'s metrics and PromQL\'s functions', async () => {
    await editor().click()
    await page.keyboard.press('Control+A')
    await page.keyboard.type('node_cpu_sec')
    await page.locator('.cm-tooltip-autocomplete').getByText('node_cpu_seconds_total').waitFor()
    await page.keyboard.press('Escape')
    await page.keyboard.press('Control+A')
    await page.keyboard.type('histogram_quan')
    await page.locator('.cm-tooltip-autocomplete').getByText('histogram_quantile').first().waitFor()
    await page.keyboard.press('Escape')
})

test('an error is said in words and marked where it is', async () => {
    await run('rate(node_load1)')
    const notice = page.getByRole('alert')
    await notice.waitFor()
    assert.match(await notice.innerText(), /expected type range vector/)
    await page.locator('.cm-lintRange-error').waitFor()
})

test('Enter runs, Format lays the query out', async () => {
    await type('sum(  node_load1 )')
    await page.keyboard.press('Enter')
    await page.locator('.panel tbody tr').first().waitFor()
    await page.getByRole('button', { name: 'Format' }).click()
    await until('the query is laid out', async () => (await editor().innerText()).trim() === 'sum(node_load1)')
    await page.getByRole('button', { name: 'Run' }).click()
})

test('a second query stands under the first, and the address holds both', async () => {
    await page.getByRole('button', { name: 'Add a query' }).click()
    const second = page.locator('.panel').nth(1)
    await second.locator('.cm-content').click()
    await page.keyboard.type('node_memory_MemTotal_bytes')
    await page.keyboard.press('Escape')
    await second.getByRole('button', { name: 'Run' }).click()
    await second.locator('canvas').waitFor()
    const copy = await open(new URL(page.url()).pathname + new URL(page.url()).search)
    const shown = async () => (await copy.locator('.cm-content').allInnerTexts()).map((text) => text.trim()).join('|')
    await until('the copy has both editors', async () => (await copy.locator('.cm-content').count()) === 2)
    assert.equal(await shown(), 'sum(node_load1)|node_memory_MemTotal_bytes')
    await copy.locator('.panel').nth(1).locator('canvas').waitFor()
    await copy.close()
    await second.getByRole('button', { name: 'Remove' }).click()
    await until('one is left', async () => (await page.locator('.panel').count()) === 1)
})

test('dragging over the graph zooms in, double click comes back', async () => {
    await page.getByRole('tab', { name: 'Graph' }).click()
    const plot = page.locator('.plot-large .u-over')
    await plot.waitFor()
    const box = await plot.boundingBox()
    await page.mouse.move(box.x + box.width * 0.795, box.y + 50)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width * 0.995, box.y + 60, { steps: 5 })
    await page.mouse.up()
    await until('the window is shorter', async () => /range=\d+/.test(page.url()) && /end=\d+/.test(page.url()))
    const range = Number(new URL(page.url()).searchParams.get('range'))
    assert.ok(range > 600 && range < 900, `an hour's fifth is 720 s, not ${range}`)
    await page.locator('.plot-large .u-over').dblclick()
    await until('the hour is back', async () => !/end=/.test(page.url()))
})

test('cardinality leads from a metric to its series', async () => {
    const opened = await open('/explore/cardinality')
    const link = opened.getByRole('link', { name: 'node_cpu_seconds_total', exact: true })
    await link.waitFor()
    await link.click()
    await opened.locator('.panel tbody tr').first().waitFor()
    assert.ok(Number(await opened.locator('.panel tbody .num').innerText()) > 0)
    await opened.close()
})

test('rules and targets show what the API says', async () => {
    const rules = await open('/rules')
    const groups = (await getJson(`${stoker.console}/api/v1/rules`)).data.groups
    assert.ok(groups.length > 0)
    for (const group of groups) await rules.getByRole('heading', { name: new RegExp(`^${group.name} `) }).waitFor()
    await rules.close()
    const targets = await open('/targets')
    const active = (await getJson(`${stoker.console}/api/v1/targets`)).data.activeTargets
    for (const target of active) await targets.getByText(target.scrapeUrl).first().waitFor()
    await targets.close()
})

test('no page complained', () => assert.deepEqual(complaints, []))
