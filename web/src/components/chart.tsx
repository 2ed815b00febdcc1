// A line chart over time that moves on by itself; its legend says the latest values, or those under the pointer.
import { useEffect, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { Unreachable } from '../api'
import { clock, tick } from '../format'
import { useI18n } from '../i18n'
import { useLoad } from '../load'
import { themeChanged } from '../theme'
import { loadSeries, type Line, type SeriesData } from './series'

interface ChartProps {
    lines: Line[]
    windowSeconds: number
    format: (value: number | null) => string
    label: string
}

const height = 168
const colors = 6
const colorName = (index: number) => `--series-${(index % colors) + 1}`
const color = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
const aligned = (data: SeriesData) => [data.times, ...data.columns] as uPlot.AlignedData
const hasPoints = (data: SeriesData) => data.columns.some((column) => column.some((value) => value !== null))

function options(data: SeriesData, width: number, format: ChartProps['format'], onPoint: (index: number | null) => void): uPlot.Options {
    const axis = {
        stroke: color('--quiet'),
        grid: { stroke: color('--line'), width: 1 },
        ticks: { show: false },
        font: '11px system-ui, sans-serif',
    }
    // One line alone, or the first of a few kinds, stands on a light area; many of the same kind would only hide each other.
    const filled = new Set(data.labels).size === data.labels.length && data.labels.length <= 2
    return {
        width,
        height,
        padding: [8, 18, 0, 0],
        legend: { show: false },
        series: [{}, ...data.labels.map((label, i) => ({
            label,
            stroke: color(colorName(i)),
            fill: filled && i === 0 ? `${color(colorName(i))}1a` : undefined,
            width: 1.5,
            points: { show: false },
        }))],
        axes: [
            { ...axis, size: 22, space: 52, gap: 4, values: (_, splits) => splits.map((at) => clock(at * 1000).slice(0, 5)) },
            { ...axis, size: 60, space: 34, values: (_, splits) => splits.map((value) => tick(format(value))) },
        ],
        scales: {
            x: { range: () => [data.start, data.end] },
            y: { range: (_, low, high) => [Math.min(0, low), high > 0 ? high * 1.1 : 1] },
        },
        cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 }, sync: { key: 'time' } },
        hooks: { setCursor: [(plot) => onPoint(plot.cursor.idx ?? null)] },
    }
}

function Legend({ data, at, format }: { data: SeriesData; at: number | null; format: ChartProps['format'] }) {
    const value = (column: (number | null)[]) => (at === null ? (column.findLast((each) => each !== null) ?? null) : column[at])
    return (
        <ul class="legend">
            {data.labels.map((label, i) => (
                <li key={label}>
                    <i style={{ background: `var(${colorName(i)})` }} />
                    <span>{label}</span> <b>{format(value(data.columns[i]))}</b>
                </li>
            ))}
            {at !== null && <li class="at">{clock(data.times[at] * 1000)}</li>}
        </ul>
    )
}

export function Chart({ lines, windowSeconds, format, label }: ChartProps) {
    const { t } = useI18n()
    const box = useRef<HTMLDivElement>(null)
    const [at, setAt] = useState<number | null>(null)
    const key = `chart ${windowSeconds} ${JSON.stringify(lines)}`
    const { value: data, stale, error } = useLoad(key, () => loadSeries(lines, windowSeconds), Math.max(3_000, windowSeconds * 10))
    const shown = data !== null && hasPoints(data)
    // The plot is built anew when its lines or colours change, and otherwise only fed, so that the pointer keeps its place.
    const shape = data ? `${data.labels.join()} ${data.end - data.start}` : ''
    const latest = useRef(data)
    latest.current = data
    const plot = useRef<uPlot | null>(null)
    useEffect(() => {
        const element = box.current
        if (!element || !shown) return
        const build = () => {
            plot.current?.destroy()
            const built: SeriesData = latest.current!
            const live = options(built, element.clientWidth, format, setAt)
            live.scales!.x!.range = () => [latest.current!.start, latest.current!.end]
            plot.current = new uPlot(live, aligned(built), element)
        }
        build()
        const observer = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height }))
        observer.observe(element)
        themeChanged.addEventListener('change', build)
        return () => {
            observer.disconnect()
            themeChanged.removeEventListener('change', build)
            plot.current?.destroy()
            plot.current = null
        }
    }, [shown, shape, format])
    useEffect(() => {
        if (data && plot.current && plot.current.data[0] !== data.times) plot.current.setData(aligned(data))
    }, [data])
    return (
        <div class={stale ? 'chart stale' : 'chart'}>
            {shown && <Legend data={data} at={at !== null && at < data.times.length ? at : null} format={format} />}
            {shown ? (
                <div class="plot" role="img" aria-label={label} ref={box} />
            ) : (
                <p class="plot none">{error && !(error instanceof Unreachable) ? `${t('error')}: ${error.message}` : data ? t('noData') : t('loading')}</p>
            )}
        </div>
    )
}
