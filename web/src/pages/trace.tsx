// One trace: its spans as a waterfall, what each carries, and the way to the logs, the request and the metrics of it.
import { useState } from 'preact/hooks'
import { api } from '../api'
import { Back, Card, Facts, Stat } from '../components/parts'
import { Waterfall, type Row } from '../components/waterfall'
import { dateTime, nanos, seconds } from '../format'
import { useI18n } from '../i18n'
import { Loading, useLoad } from '../load'
import { Link, useSearch } from '../router'
import type { Span } from '../types'

export function TracePage({ id }: { id: string }) {
    const { t } = useI18n()
    const near = new URLSearchParams(useSearch()).get('near') ?? ''
    const loaded = useLoad(`trace ${id}`, () => api.trace(id, near))
    return (
        <>
            <Back to="/traces" name={t('nav.traces')} />
            <div class="title">
                <h1 class="id">{id}</h1>
            </div>
            <Loading of={loaded}>{(spans) => <Trace id={id} spans={spans} />}</Loading>
        </>
    )
}

interface Placed {
    span: Span
    depth: number
}

// Parents before their children, each level by start; a span whose parent is not there is a root.
function inTree(spans: Span[]): Placed[] {
    const known = new Set(spans.map((span) => span.span_id))
    const children = new Map<string, Span[]>()
    for (const span of spans) {
        const parent = span.parent_span_id && known.has(span.parent_span_id) && span.parent_span_id !== span.span_id ? span.parent_span_id : ''
        children.set(parent, [...(children.get(parent) ?? []), span])
    }
    const placed: Placed[] = []
    const place = (parent: string, depth: number) => {
        const here = children.get(parent) ?? []
        children.delete(parent)
        for (const span of here) {
            placed.push({ span, depth })
            place(span.span_id, depth + 1)
        }
    }
    place('', 0)
    // What is its own ancestor hangs below nothing.
    for (const rest of children.values()) for (const span of rest) placed.push({ span, depth: 0 })
    return placed
}

const lengthOf = (span: Span) => span.duration_ns ?? 0

function Trace({ id, spans }: { id: string; spans: Span[] }) {
    const { t } = useI18n()
    const [selected, select] = useState<number | null>(null)
    const placed = inTree(spans)
    const start = Math.min(...spans.map((span) => span.start_ns))
    const total = Math.max(...spans.map((span) => span.start_ns + lengthOf(span))) - start
    const services = [...new Set(spans.map((span) => span.service))]
    const rows = placed.map(({ span, depth }, index): Row => ({
        name: `${span.name ?? span.span_id} · ${span.service}`,
        note: [nanos(lengthOf(span)), span.error ? span.status_message || t('spanErrors') : ''].filter(Boolean).join(' · '),
        start: span.start_ns - start,
        length: lengthOf(span),
        tone: span.error ? 'bad' : `service-${services.indexOf(span.service) % 6}`,
        depth,
        selected: selected === index,
    }))
    const request = spans.map((span) => span.attributes?.['stoker.request_id']).find((found) => typeof found === 'string') as string | undefined
    const end = Math.ceil((start + total) / 1e9) + 300
    const query = 'histogram_quantile(0.95, sum by (le, model) (rate(llm_request_duration_seconds_bucket[1m])))'
    const errors = spans.filter((span) => span.error).length
    return (
        <>
            <div class="stats">
                <Stat label={t('received')} value={dateTime(start / 1e6)} />
                <Stat label={t('duration')} value={nanos(total)} />
                <Stat label={t('spans')} value={String(spans.length)} detail={services.join(', ')} />
                <Stat label={t('spanErrors')} value={String(errors)} tone={errors > 0 ? 'bad' : undefined} />
            </div>
            <p class="links">
                <Link to={`/logs?trace_id=${id}`}>{t('logsOfTrace')}</Link>
                {request && <Link to={`/requests/${encodeURIComponent(request)}`}>{t('requestOfTrace')}</Link>}
                <Link to={`/explore?${new URLSearchParams({ q: query, view: 'graph', stack: '0', range: '1800', end: String(end) })}`}>{t('metricsThen')}</Link>
            </p>
            <div class="grid">
                <Card title={t('timeline')} wide>
                    <Waterfall rows={rows} total={total} onSelect={(index) => select(selected === index ? null : index)} />
                </Card>
                {selected !== null && placed[selected] && <Details span={placed[selected].span} start={start} />}
            </div>
        </>
    )
}

const shown = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))
const rowsOf = (attributes: Record<string, unknown>) => Object.entries(attributes).map(([key, value]): [string, string] => [key, shown(value)])

function Details({ span, start }: { span: Span; start: number }) {
    const { t } = useI18n()
    return (
        <Card title={span.name ?? span.span_id} wide>
            <Facts
                rows={[
                    [t('service'), span.service],
                    [t('duration'), `+${seconds((span.start_ns - start) / 1e9)}, ${nanos(lengthOf(span))}`],
                    [t('id'), <code>{span.span_id}</code>],
                    ...(span.status_message ? [[t('spanErrors'), span.status_message] as [string, string]] : []),
                    ...(span.weight && span.weight !== 1 ? [[t('stands'), String(Math.round(span.weight * 10) / 10)] as [string, string]] : []),
                ]}
            />
            {span.attributes && <><h3>{t('attributes')}</h3><Facts rows={rowsOf(span.attributes)} /></>}
            {(span.events ?? []).length > 0 && (
                <>
                    <h3>{t('events')}</h3>
                    <Facts rows={span.events!.map((event) => [`+${seconds((event.time_ns - start) / 1e9)} ${event.name}`, rowsOf(event.attributes).map(([key, value]) => `${key}=${value}`).join(' ')])} />
                </>
            )}
            {(span.links ?? []).length > 0 && (
                <>
                    <h3>{t('linkedTraces')}</h3>
                    {span.links!.map((link) => <p key={link.span_id}><Link to={`/traces/${link.trace_id}`}><code>{link.trace_id}</code></Link></p>)}
                </>
            )}
            {span.resource && <><h3>{t('resource')}</h3><Facts rows={rowsOf(span.resource)} /></>}
        </Card>
    )
}
