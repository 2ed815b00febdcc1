// What a chart shows: PromQL answers on one time axis.
import { api } from '../api'

export interface Line {
    label: string
    query: string
    // Names the line of each series when a query gives several.
    by?: string
}

export interface SeriesData {
    start: number
    end: number
    labels: string[]
    times: number[]
    // One column a label; a missing point stays a gap.
    columns: (number | null)[][]
}

const points = 150

export async function loadSeries(lines: Line[], windowSeconds: number): Promise<SeriesData> {
    const step = Math.max(1, Math.round(windowSeconds / points))
    const end = Math.floor(Date.now() / 1000 / step) * step
    const start = end - windowSeconds
    const times = Array.from({ length: Math.floor((end - start) / step) + 1 }, (_, i) => start + i * step)
    const answers = await Promise.all(lines.map((line) => api.range(line.query, start, end, step)))
    const data: SeriesData = { start, end, labels: [], times, columns: [] }
    answers.forEach((result, index) => {
        const { by, label } = lines[index]
        for (const series of result) {
            const values = new Map(series.values.map(([time, value]) => [Math.round(time), Number(value)]))
            data.labels.push(by ? (series.metric[by] ?? label) : label)
            data.columns.push(times.map((time) => {
                const value = values.get(time)
                return value === undefined || !Number.isFinite(value) ? null : value
            }))
        }
    })
    return data
}
