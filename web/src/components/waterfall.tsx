// Spans as bars under each other, on one time axis.
import type { ComponentChildren } from 'preact'
import { seconds, tick } from '../format'

export interface Row {
    name: ComponentChildren
    title?: string
    note: string
    start: number // After the begin of the axis, in the unit of `total`.
    length: number
    tone: string
    depth?: number
    selected?: boolean
}

// `total` in nanoseconds. With `onSelect` each row is a button.
export function Waterfall({ rows, total, onSelect }: { rows: Row[]; total: number; onSelect?: (index: number) => void }) {
    const whole = Math.max(total, 1)
    const share = (part: number) => Math.min(100, (Math.max(0, part) / whole) * 100)
    return (
        <ol class="waterfall">
            <li class="axis" aria-hidden="true">
                <span />
                <span class="scale">
                    {[0, 0.25, 0.5, 0.75, 1].map((part) => <i key={part} style={{ left: `${part * 100}%` }}>{tick(seconds((part * whole) / 1e9))}</i>)}
                </span>
                <span />
            </li>
            {rows.map((row, index) => (
                <li key={index}>
                    <span class="name" title={row.title ?? (typeof row.name === 'string' ? row.name : undefined)} style={row.depth ? { paddingLeft: `${Math.min(row.depth, 12) * 0.8}rem` } : undefined}>
                        {onSelect ? <button class="plain" aria-expanded={row.selected} onClick={() => onSelect(index)}>{row.name}</button> : row.name}
                    </span>
                    <span class="track">
                        <span class={`span ${row.tone}`} style={{ left: `${Math.min(99.5, share(row.start))}%`, width: `${Math.max(0.5, Math.min(100 - share(row.start), share(row.length)))}%` }} />
                    </span>
                    <span class="note" title={row.note}>{row.note}</span>
                </li>
            ))}
        </ol>
    )
}
