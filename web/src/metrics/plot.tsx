// One query's series as a graph: drag to zoom, double click to go back, click a name to see it alone.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { PromSeries } from '../api'
import { dateTime } from '../format'
import { useI18n } from '../i18n'
import { themeChanged } from '../theme'
import { seriesName, valueText } from './names'

interface PlotProps {
    series: PromSeries[]
    start: number
    end: number
    step: number
    stacked: boolean
    onZoom: (start: number, end: number) => void
    onBack: () => void
}

const height = 320
const mostDrawn = 500
const css = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
const colorName = (index: number) => `--series-${(index % 6) + 1}`

// A tick on the axis: as much of the time as tells it from its neighbours.
function timeText(at: number, gap: number): string {
    const [date, time] = dateTime(at * 1000).split(' ')
    return gap >= 86_400 ? date : gap >= 60 ? (time === '00:00:00' ? date : time.slice(0, 5)) : time
}

type Columns = (number | null)[][]

// One time axis for all; a missing point stays a gap.
function columnsOf(series: PromSeries[], start: number, end: number, step: number): { times: number[]; columns: Columns } {
    const count = Math.floor((end - start) / step + 1e-9) + 1
    const times = Array.from({ length: count }, (_, i) => start + i * step)
    const columns = series.map(({ values = [] }) => {
        const column: (number | null)[] = new Array(count).fill(null)
        for (const [time, value] of values) {
            const at = Math.round((time - start) / step)
            const parsed = Number(value)
            if (at >= 0 && at < count && Number.isFinite(parsed)) column[at] = parsed
        }
        return column
    })
    return { times, columns }
}

function stack(columns: Columns): Columns {
    const sums: number[] = []
    return columns.map((column) => column.map((value, i) => (value === null ? null : (sums[i] = (sums[i] ?? 0) + value))))
}

export function Plot({ series, start, end, step, stacked, onZoom, onBack }: PlotProps) {
    const { t } = useI18n()
    const box = useRef<HTMLDivElement>(null)
    const [alone, setAlone] = useState<string | null>(null)
    const [at, setAt] = useState<number | null>(null)
    const drawn = useMemo(() => series.slice(0, mostDrawn), [series])
    const { times, columns } = useMemo(() => columnsOf(drawn, start, end, step), [drawn, start, end, step])
    const names = useMemo(() => drawn.map((one) => seriesName(one.metric)), [drawn])
    const shown = alone !== null && names.includes(alone) ? alone : null
    const zoom = useRef({ onZoom, onBack })
    zoom.current = { onZoom, onBack }
    useEffect(() => {
        const element = box.current
        if (!element) return
        let plot: uPlot
        const build = () => {
            plot?.destroy()
            const axis = { stroke: css('--quiet'), grid: { stroke: css('--line'), width: 1 }, ticks: { show: false }, font: '11px system-ui, sans-serif' }
            const data = [times, ...(stacked ? stack(columns) : columns)] as uPlot.AlignedData
            plot = new uPlot({
                width: element.clientWidth,
                height,
                padding: [10, 18, 0, 0],
                legend: { show: false },
                series: [{}, ...names.map((name, i) => ({
                    label: name,
                    show: shown === null || shown === name,
                    stroke: css(colorName(i)),
                    fill: stacked ? `${css(colorName(i))}22` : undefined,
                    width: 1.5,
                    points: { show: columns[i].filter((value) => value !== null).length < 2 },
                }))],
                axes: [{ ...axis, size: 26, space: 80, values: (_, splits, _axis, _space, gap) => splits.map((at) => timeText(at, gap)) }, { ...axis, size: 70, values: (_, splits) => splits.map((value) => valueText(value)) }],
                scales: { x: { range: () => [start, end] }, y: { range: (_, low, high) => (low === null || high === null ? [0, 1] : uPlot.rangeNum(low, high, 0.1, true)) } },
                cursor: { drag: { x: true, y: false, setScale: false }, points: { size: 6 } },
                hooks: {
                    setCursor: [(plotted) => setAt(plotted.cursor.idx ?? null)],
                    setSelect: [(plotted) => {
                        if (plotted.select.width < 4) return
                        zoom.current.onZoom(plotted.posToVal(plotted.select.left, 'x'), plotted.posToVal(plotted.select.left + plotted.select.width, 'x'))
                    }],
                },
            }, data, element)
            plot.over.addEventListener('dblclick', () => zoom.current.onBack())
        }
        build()
        const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }))
        observer.observe(element)
        themeChanged.addEventListener('change', build)
        return () => {
            observer.disconnect()
            themeChanged.removeEventListener('change', build)
            plot.destroy()
        }
    }, [times, columns, names, stacked, shown, start, end])
    return (
        <div class="explorer-plot">
            <div ref={box} class="plot-large" role="img" aria-label={`${names.length} ${t('series')}`} />
            <p class="plot-at quiet">{at !== null && at < times.length ? dateTime(times[at] * 1000) : t('zoomHint')}</p>
            {series.length === 0 && <p class="empty">{t('noSeries')}</p>}
            <ul class="names">
                {names.slice(0, 100).map((name, i) => (
                    <li key={name}>
                        <button class="plain" aria-pressed={shown === name} onClick={() => setAlone(shown === name ? null : name)}>
                            <i style={{ background: `var(${colorName(i)})`, opacity: shown === null || shown === name ? 1 : 0.25 }} />
                            <code>{name}</code>
                            <b>{valueText((at !== null ? columns[i][at] : columns[i].findLast((value) => value !== null)) ?? null)}</b>
                        </button>
                    </li>
                ))}
            </ul>
            {series.length > 100 && <p class="quiet">{`${t('moreSeries')}: ${series.length - 100}`}</p>}
        </div>
    )
}
