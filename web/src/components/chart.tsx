// A line chart over time: PromQL in, lines that move on by themselves.
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { api } from '../api'
import { useLoad } from '../load'
import { themeChanged } from '../theme'

export interface Line {
    label: string
    query: string
    // Names the line of each series when a query gives several.
    by?: string
}

interface ChartProps {
    lines: Line[]
    windowSeconds: number
    format: (value: number | null) => string
    label: string
}

const points = 150
const height = 180

interface Data {
    labels: string[]
    columns: uPlot.AlignedData
}

// Series on one time axis; a missing point stays a gap.
async function load(lines: Line[], windowSeconds: number): Promise<Data> {
    const step = Math.max(1, Math.round(windowSeconds / points))
    const end = Math.floor(Date.now() / 1000 / step) * step
    const start = end - windowSeconds
    const times = Array.from({ length: Math.floor((end - start) / step) + 1 }, (_, i) => start + i * step)
    const answers = await Promise.all(lines.map((line) => api.range(line.query, start, end, step)))
    const labels: string[] = []
    const columns: (number | null)[][] = []
    answers.forEach((result, index) => {
        for (const series of result) {
            const values = new Map(series.values.map(([time, value]) => [Math.round(time), Number(value)]))
            labels.push(lines[index].by ? (series.metric[lines[index].by!] ?? lines[index].label) : lines[index].label)
            columns.push(times.map((time) => {
                const value = values.get(time)
                return value === undefined || !Number.isFinite(value) ? null : value
            }))
        }
    })
    return { labels, columns: [times, ...columns] as uPlot.AlignedData }
}

const color = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

function options(data: Data, width: number, format: ChartProps['format']): uPlot.Options {
    const axis = { stroke: color('--quiet'), grid: { stroke: color('--line'), width: 1 }, ticks: { stroke: color('--line'), width: 1 } }
    return {
        width,
        height,
        series: [{}, ...data.labels.map((label, i) => ({
            label,
            stroke: color(`--series-${(i % 6) + 1}`),
            width: 1.5,
            points: { show: false },
            value: (_: uPlot, value: number | null) => format(value),
        }))],
        axes: [axis, { ...axis, size: 64, values: (_, ticks) => ticks.map((tick) => format(tick)) }],
        scales: { y: { range: (_, low, high) => [Math.min(0, low), high > 0 ? high * 1.1 : 1] } },
        cursor: { y: false, drag: { x: false, y: false } },
    }
}

export function Chart({ lines, windowSeconds, format, label }: ChartProps) {
    const box = useRef<HTMLDivElement>(null)
    const loaded = useLoad(() => load(lines, windowSeconds), [JSON.stringify(lines), windowSeconds], Math.max(2_000, windowSeconds * 10))
    useEffect(() => {
        if (!box.current || !loaded.value) return
        const element = box.current
        const data = loaded.value
        const build = () => {
            element.replaceChildren()
            return new uPlot(options(data, element.clientWidth, format), data.columns, element)
        }
        let plot = build()
        const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }))
        observer.observe(element)
        const recolor = () => {
            plot.destroy()
            plot = build()
        }
        themeChanged.addEventListener('change', recolor)
        return () => {
            observer.disconnect()
            themeChanged.removeEventListener('change', recolor)
            plot.destroy()
        }
    }, [loaded.value, format])
    return (
        <div class="chart" role="img" aria-label={label} ref={box}>
            {loaded.error && <p class="quiet">{loaded.error}</p>}
        </div>
    )
}
