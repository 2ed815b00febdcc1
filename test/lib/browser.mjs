// Stoker's page in Chromium.
//
// CHROMIUM names another browser. PAGE_DIST=web/dist takes the page from there instead of from the binary, for work on
// the page alone.
import { existsSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { chromium } from 'playwright-core'
import { root } from './stoker.mjs'

const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }
let browser

// A page of its own at that address. `complaints` collects its exceptions and, unless requests that fail are part of the
// test (`quiet`), what its console warns of.
export async function openPage(url, { complaints = [], quiet = false, context: options = {} } = {}) {
    browser ??= await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] })
    const context = await browser.newContext({ locale: 'en-GB', ...options })
    context.setDefaultTimeout(15_000)
    const page = await context.newPage()
    if (!quiet) page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(error.message))
    if (process.env.PAGE_DIST) await page.route(/^http:\/\/[^/]+\/(?!api\/|-\/)/, fromFolder)
    await page.goto(url)
    return page
}

export async function closeBrowser() {
    await browser?.close()
    browser = undefined
}

function fromFolder(route) {
    const file = join(root, process.env.PAGE_DIST, new URL(route.request().url()).pathname)
    const found = extname(file) && existsSync(file) ? file : join(root, process.env.PAGE_DIST, 'index.html')
    return route.fulfill({ body: readFileSync(found), contentType: types[extname(found)] })
}
