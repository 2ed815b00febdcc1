// What the metrics explorer shows, as a value that lives in the address: a link is the whole view.
export interface Panel {
    query: string
    view: 'graph' | 'table'
    stacked: boolean
}

export interface View {
    panels: Panel[]
    range: number // Seconds.
    end: number | null // Seconds since 1970; null: now.
    step: number | null // Seconds; null: as the width asks.
}

export const emptyPanel: Panel = { query: '', view: 'graph', stacked: false }
const byDefault: View = { panels: [emptyPanel], range: 3600, end: null, step: null }

// ?q=…&view=table&q=…&range=3600&end=…: the n-th `view` and `stack` belong to the n-th `q`.
export function fromSearch(search: string): View {
    const params = new URLSearchParams(search)
    const views = params.getAll('view')
    const stacks = params.getAll('stack')
    const panels = params.getAll('q').map((query, i): Panel => ({ query, view: views[i] === 'table' ? 'table' : 'graph', stacked: stacks[i] === '1' }))
    const number = (key: string) => Number(params.get(key)) || null
    return {
        panels: panels.length > 0 ? panels.slice(0, 20) : byDefault.panels,
        range: Math.min(Math.max(number('range') ?? byDefault.range, 10), 400 * 86_400),
        end: number('end'),
        step: number('step'),
    }
}

export function toSearch(view: View): string {
    const params = new URLSearchParams()
    for (const { query, view: shown, stacked } of view.panels) {
        params.append('q', query)
        params.append('view', shown)
        params.append('stack', stacked ? '1' : '0')
    }
    if (view.range !== byDefault.range) params.set('range', String(view.range))
    if (view.end !== null) params.set('end', String(view.end))
    if (view.step !== null) params.set('step', String(view.step))
    return `?${params}`
}

const units: [string, number][] = [['w', 604_800], ['d', 86_400], ['h', 3_600], ['m', 60], ['s', 1]]

// 5400 is '1h30m'.
export function spanText(seconds: number): string {
    let rest = Math.round(seconds)
    let text = ''
    for (const [unit, size] of units) {
        if (rest >= size) text += `${Math.floor(rest / size)}${unit}`
        rest %= size
    }
    return text || '0s'
}

// null if it isn't one.
export function spanSeconds(text: string): number | null {
    if (!/^(\d+[wdhms])+$/.test(text.trim())) return null
    let seconds = 0
    for (const [, amount, unit] of text.matchAll(/(\d+)([wdhms])/g)) seconds += Number(amount) * units.find(([name]) => name === unit)![1]
    return seconds > 0 ? seconds : null
}

// About 250 points a graph, at a step that people know.
export function stepFor(range: number): number {
    const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400]
    return steps.find((step) => range / step <= 250) ?? 86_400
}
