// The page in Chromium, on a real Stoker that supervises simulated engines.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { closeBrowser, openPage } from './lib/browser.mjs'
import { streamChat } from './lib/client.mjs'
import { binary, freePort, getJson, startStoker, stopAll, until } from './lib/stoker.mjs'

const sections = ['/', '/requests', '/incidents', '/engines', '/queues', '/explore', '/explore/cardinality', '/rules', '/targets', '/keys']

let stoker, page
let traffic = true
const complaints = []

const engineIn = (port) => `
      - url: http://127.0.0.1:${port}
        model: sim-model
        run: ["${binary}", sim-engine, --listen, "127.0.0.1:${port}", --model, sim-model, --profile, l4-7b]`

before(async () => {
    const [one, two, three] = [await freePort(), await freePort(), await freePort()]
    stoker = await startStoker({
        config: `
pools:
  - name: chat
    models: [tiny]
    replicas:${engineIn(one)}${engineIn(two)}
  - name: careful
    models: [careful]
    replicas:${engineIn(three)}
healing:
  policies:
    - name: ask-first
      on: [engine_down]
      pools: [careful]
      require_approval: true
    - name: restart-dead-engine
      on: [engine_down, engine_hung]
`,
    })
    await until('all engines serve', async () => (await engines()).filter((engine) => engine.state === 'serving' && engine.health.ok).length === 3, 30_000)
    keepTalking()
    page = await open()
})

after(async () => {
    traffic = false
    await closeBrowser()
    for (const engine of stoker ? await engines().catch(() => []) : []) {
        try {
            process.kill(engine.process.pid, 'SIGKILL')
        } catch {
            // It has ended already.
        }
    }
    await stopAll()
})

const engines = async () => (await getJson(`${stoker.console}/api/v1/engines`)).engines

// A stream every now and then, so that there is something to see.
async function keepTalking() {
    for (let i = 0; traffic; i++) {
        const body = { model: i % 5 === 4 ? 'no-such-model' : 'tiny', max_tokens: 5 + (i % 20), messages: [{ role: 'user', content: 'go' }] }
        await streamChat(stoker.gateway, body).catch(() => {})
        await new Promise((done) => setTimeout(done, 50 + (i % 10) * 20))
    }
}

async function open({ width = 1280, height = 900, theme = 'light', expectErrors = false } = {}) {
    const context = { viewport: { width, height }, colorScheme: theme }
    const opened = await openPage(stoker.console, { complaints: expectErrors ? [] : complaints, context })
    await opened.locator('main h1').waitFor()
    return opened
}

const go = async (path, where = page) => {
    await where.goto(stoker.console + path)
    await where.locator('main h1').waitFor()
    await where.locator('.skeleton').waitFor({ state: 'detached' })
}

test('the overview shows numbers, engines and charts, and moves without a reload', async () => {
    const rate = page.locator('.stat .value').first()
    await until('a rate of requests is known', async () => parseFloat(await rate.innerText()) > 0, 20_000)
    for (const engine of await engines()) assert.ok(await page.locator('table').getByText(engine.id).isVisible(), `${engine.id} is missing`)
    await page.locator('.plot canvas').first().waitFor()
    await until('the legend has a value', async () => parseFloat(await page.locator('.legend b').first().innerText()) > 0, 20_000)

    let loads = 0
    page.on('framenavigated', () => loads++)
    await page.evaluate(() => (window.untouched = true))
    const numbers = () => page.locator('.stats').first().innerText()
    const seen = await numbers()
    await until('the numbers change', async () => (await numbers()) !== seen, 10_000)
    assert.equal(loads, 0)
    assert.equal(await page.evaluate(() => window.untouched), true)
    await page.locator('.live.up').waitFor()
})

test('requests are listed, filtered, sorted and opened', async () => {
    await page.getByRole('link', { name: 'Requests' }).click()
    const rows = page.locator('.rows tbody tr')
    await rows.first().waitFor()
    const newest = () => rows.first().locator('a').innerText()
    const first = await newest()
    await until('new requests come in by themselves', async () => (await newest()) !== first, 10_000)

    await page.getByLabel('Outcome').selectOption('client_error')
    await until('only client errors are left', async () => {
        const words = await page.locator('.rows .word').allInnerTexts()
        return words.length > 0 && words.every((word) => word === 'client error')
    })
    assert.match(page.url(), /outcome=client_error/)
    assert.match(await page.locator('.total').innerText(), /^\d+ requests?$/)
    await page.getByRole('button', { name: 'Clear filters' }).click()
    await until('others are back', async () => (await page.locator('.rows .word').allInnerTexts()).includes('ok'))
    assert.equal(await page.getByRole('button', { name: 'Clear filters' }).count(), 0)

    await page.getByLabel('Search id, model, error').fill('nothing has this')
    await page.getByText('No request matches these filters.').waitFor()
    await page.getByLabel('Search id, model, error').fill(first)
    await until('the search finds one', async () => (await rows.count()) === 1 && (await newest()) === first)

    await rows.first().click()
    await page.locator('.waterfall .span').first().waitFor()
    assert.equal(await page.locator('h1').innerText(), first)
    assert.match(await page.locator('.waterfall').innerText(), /\/v1\/chat\/completions/)
    await page.locator('.back a').click()
    await until('the list is as it was left', async () => (await rows.count()) === 1 && page.url().includes(`q=${first}`))
})

async function killOneOf(pool) {
    const victim = (await engines()).find((engine) => engine.pool === pool)
    process.kill(victim.process.pid, 'SIGKILL')
    return victim
}

// Opens the newest incident about `engine` from the list, which fills by itself.
async function openIncident(engine) {
    const link = page.locator('.rows a', { hasText: engine.id }).first()
    await link.waitFor()
    await link.click()
    await page.locator('.timeline li').first().waitFor()
}

test('a killed engine becomes an incident whose timeline grows to its end', { timeout: 120_000 }, async () => {
    await go('/incidents')
    const victim = await killOneOf('chat')
    await openIncident(victim)
    await page.locator('.title .word', { hasText: 'resolved' }).waitFor({ timeout: 60_000 })
    const phases = await page.locator('.timeline .phase').allInnerTexts()
    for (const phase of ['detect', 'diagnose', 'act', 'verify', 'resolve']) assert.ok(phases.includes(phase), `${phase} is missing from ${phases}`)
    assert.ok((await page.locator('.hypotheses > li').count()) > 0)
    for (const label of ['Time to act', 'Time to recover']) {
        const value = await page.locator('.stat', { hasText: label }).locator('.value').innerText()
        assert.match(value, /^\d.* (µs|ms|s|min)$/, `${label}: ${value}`)
    }
})

test('a plan that needs approval waits for the button', { timeout: 120_000 }, async () => {
    await go('/incidents')
    await openIncident(await killOneOf('careful'))
    await page.getByRole('button', { name: 'Reject' }).waitFor()
    await page.locator('.badge').waitFor()
    await page.getByRole('button', { name: 'Approve' }).click()
    await page.locator('.title .word', { hasText: 'resolved' }).waitFor({ timeout: 60_000 })
    assert.equal(await page.getByRole('button', { name: 'Approve' }).count(), 0)
    assert.ok((await page.locator('.timeline .phase').allInnerTexts()).includes('approve'))
})

test('engines say how they are', async () => {
    await go('/engines')
    for (const engine of await engines()) {
        const card = page.locator('.card', { has: page.getByRole('heading', { name: engine.id }) })
        assert.match(await card.innerText(), /pid \d+/)
    }
})

test('language and theme change at once and are remembered', async () => {
    await go('/')
    await page.getByLabel('Language').selectOption('zh')
    await page.getByRole('heading', { level: 1, name: '总览' }).waitFor()
    await page.locator('html[lang=zh]').waitFor()
    for (const path of sections) {
        await go(path)
        const text = await page.locator('main').innerText()
        assert.ok(/[\u4e00-\u9fff]/.test(text), `${path} has no Chinese`)
    }
    await page.getByLabel('语言').selectOption('en')
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    const light = await ground()
    await page.getByLabel('Theme').selectOption('dark')
    await page.locator('html[data-theme=dark]').waitFor()
    assert.notEqual(await ground(), light)
    await page.reload()
    await page.locator('html[data-theme=dark] main h1').waitFor()
    await page.getByLabel('Theme').selectOption('light')
})

test('the keyboard alone reaches everything', async () => {
    await go('/')
    const focused = () => page.evaluate(() => ({ text: document.activeElement.textContent.trim(), left: document.activeElement.getBoundingClientRect().left, inMain: !!document.activeElement.closest('main'), inRows: !!document.activeElement.closest('tbody') }))
    await page.keyboard.press('Tab')
    const skip = await focused()
    assert.equal(skip.text, 'Skip to content')
    assert.ok(skip.left >= 0, 'the skip link stays hidden')
    await page.keyboard.press('Enter')
    assert.ok((await focused()).inMain)

    const tabTo = async (what, wanted) => {
        for (let i = 0; i < 40; i++) {
            await page.keyboard.press('Tab')
            if (wanted(await focused())) return
        }
        assert.fail(`Tab never reached ${what}`)
    }
    await go('/')
    await tabTo('the navigation', (element) => element.text === 'Requests')
    await page.keyboard.press('Enter')
    await page.locator('.rows tbody tr').first().waitFor()
    await page.getByLabel('Follow new requests').uncheck()
    await tabTo('a request', (element) => element.inRows)
    await page.keyboard.press('Enter')
    await page.locator('.waterfall').waitFor()
    assert.ok((await focused()).inMain, 'the keyboard fell out of the page')
})

async function incidentPath() {
    return `/incidents/${(await getJson(`${stoker.console}/api/v1/incidents`)).incidents[0].id}`
}

async function requestPath() {
    return `/requests/${encodeURIComponent((await getJson(`${stoker.console}/api/v1/requests?limit=1`)).requests[0].id)}`
}

test('nothing scrolls sideways on a phone', async () => {
    const phone = await open({ width: 390, height: 844, theme: 'dark' })
    for (const path of [...sections, await incidentPath(), await requestPath()]) {
        await go(path, phone)
        const width = await phone.evaluate(() => document.documentElement.scrollWidth)
        assert.ok(width <= 390, `${path} is ${width} px wide`)
    }
    await phone.context().close()
})

// Runs in the page: what a person who does not see well, or does not see, would stumble over.
function flaws() {
    const found = []
    const say = (element, what) => found.push(`${what}: ${element.outerHTML.slice(0, 120)}`)
    if (document.querySelectorAll('h1').length !== 1) found.push(`${document.querySelectorAll('h1').length} h1`)
    if (!document.documentElement.lang) found.push('no language')
    for (const control of document.querySelectorAll('input, select, textarea')) {
        if (!control.labels.length && !control.getAttribute('aria-label')) say(control, 'no label')
    }
    for (const active of document.querySelectorAll('a, button')) {
        if (!active.textContent.trim() && !active.getAttribute('aria-label')) say(active, 'no name')
    }
    for (const image of document.querySelectorAll('img:not([aria-hidden=true]), [role=img]')) {
        if (image.getAttribute('alt') === null && !image.getAttribute('aria-label')) say(image, 'no text')
    }
    const channels = (color) => color.match(/[\d.]+/g).map(Number)
    const luminance = (color) => {
        const [r, g, b] = channels(color).map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4))
        return 0.2126 * r + 0.7152 * g + 0.0722 * b
    }
    const ground = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const color = getComputedStyle(at).backgroundColor
            if ((channels(color)[3] ?? 1) === 1) return color
        }
        return 'rgb(255, 255, 255)'
    }
    for (const element of document.querySelectorAll('body *')) {
        const text = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim())
        if (!text || element.closest(':disabled, .stale, option') || !element.getClientRects().length) continue
        const [one, two] = [luminance(getComputedStyle(element).color), luminance(ground(element))]
        const contrast = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05)
        if (contrast < 4.5) say(element, `contrast ${contrast.toFixed(2)}`)
    }
    return found
}

test('every control has a label, every page one heading, every text contrast, in both themes', async () => {
    for (const theme of ['light', 'dark']) {
        const looked = await open({ theme })
        for (const path of [...sections, await incidentPath(), await requestPath(), '/nowhere']) {
            await go(path, looked)
            assert.deepEqual(await looked.evaluate(flaws), [], `${path} in ${theme}`)
        }
        await looked.context().close()
    }
})

test('nothing was complained about in the console', () => assert.deepEqual(complaints, []))

test('when Stoker stops answering the page says so, keeps what it has, and goes on by itself', { timeout: 90_000 }, async () => {
    const watching = await open({ expectErrors: true })
    await watching.locator('.live.up').waitFor()
    process.kill(stoker.pid, 'SIGSTOP')
    try {
        await watching.locator('.notice.away').waitFor({ timeout: 30_000 })
        assert.ok(await watching.locator('.stat').first().isVisible())
    } finally {
        process.kill(stoker.pid, 'SIGCONT')
    }
    await watching.locator('.live.up').waitFor({ timeout: 30_000 })
    assert.equal(await watching.locator('.notice.away').count(), 0)
    await watching.context().close()
})
