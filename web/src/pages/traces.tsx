// The search for traces. Its filter lives in the address, so that "back", reload and a sent link show the same list.
import { useEffect, useState } from 'preact/hooks'
import { api, type TraceFilter } from '../api'
import { Empty } from '../components/parts'
import { clock, dateTime, nanos } from '../format'
import { useI18n } from '../i18n'
import { Loading, useLoad } from '../load'
import { older } from '../older'
import { go, Link, replace, useSearch } from '../router'
import type { TraceSummary } from '../types'

const windows = ['5m', '1h', '6h', '1d', '7d']
const durations = ['', '100ms', '1s', '5s', '30s']
const unfiltered: TraceFilter = { last: '1h', service: '', q: '', min_duration: '', errors: '', from: '', to: '', limit: 100 }
const typingMs = 250

function fromSearch(search: string): TraceFilter {
    const params = new URLSearchParams(search)
    const filter = { ...unfiltered }
    for (const key of ['last', 'service', 'q', 'min_duration', 'errors', 'from', 'to'] as const) filter[key] = params.get(key) ?? filter[key]
    return filter
}

function toSearch(filter: TraceFilter): string {
    const params = new URLSearchParams()
    for (const [key, value] of Object.entries(filter)) {
        if (value !== unfiltered[key as keyof TraceFilter]) params.set(key, String(value))
    }
    const text = params.toString()
    return text ? `?${text}` : ''
}

export const traceLink = (trace: { trace_id: string; start_ns: number }) => `/traces/${trace.trace_id}?near=${Math.floor(trace.start_ns / 1e9)}`

export function Traces() {
    const { t } = useI18n()
    const filter = fromSearch(useSearch())
    const change = (part: Partial<TraceFilter>) => replace(`/traces${toSearch({ ...filter, ...part })}`)
    const loaded = useLoad(`traces ${JSON.stringify(filter)}`, () => api.traces(filter), filter.to === '' ? 5000 : 0)
    const services = useLoad('trace services', () => api.traceServices())
    const isFiltered = toSearch(filter) !== ''
    return (
        <>
            <div class="title">
                <h1>{t('nav.traces')}</h1>
            </div>
            <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
                <Typed value={filter.q} onChange={(q) => change({ q })} />
                <select aria-label={t('service')} value={filter.service} onChange={(event) => change({ service: event.currentTarget.value })}>
                    <option value="">{t('anyService')}</option>
                    {[...new Set([...(services.value ?? []), ...(filter.service ? [filter.service] : [])])].map((service) => <option key={service} value={service}>{service}</option>)}
                </select>
                <select aria-label={t('minDuration')} value={filter.min_duration} onChange={(event) => change({ min_duration: event.currentTarget.value })}>
                    {durations.map((duration) => <option key={duration} value={duration}>{`${t('minDuration')} ${duration || '0'}`}</option>)}
                </select>
                {filter.from === '' ? (
                    <select aria-label={t('window')} value={filter.last} onChange={(event) => change({ last: event.currentTarget.value })}>
                        {windows.map((each) => <option key={each} value={each}>{t(`last.${each}` as 'last.1h')}</option>)}
                    </select>
                ) : (
                    <output class="tabular">{`${dateTime(Number(filter.from) * 1000)} – ${clock(Number(filter.to) * 1000)}`}</output>
                )}
                <label class="check">
                    <input type="checkbox" checked={filter.errors === 'true'} onChange={(event) => change({ errors: event.currentTarget.checked ? 'true' : '' })} /> {t('errorsOnly')}
                </label>
                {isFiltered && (
                    <button type="button" class="clear" onClick={() => change(unfiltered)}>
                        <span aria-hidden="true">✕</span> {t('clear')}
                    </button>
                )}
                <output class="total">{loaded.value ? String(loaded.value.traces.length) : ''}</output>
            </form>
            <Loading of={loaded}>
                {({ traces, complete, searched_from_ns }) => (
                    <>
                        {traces.length > 0 && <TraceTable traces={traces} />}
                        {traces.length === 0 && complete && <Empty text={t(isFiltered ? 'noTraces' : 'noTracesYet')} />}
                        {!complete && (
                            <p class="pager">
                                <span class="quiet">{`${t('searchedBackTo')} ${dateTime(searched_from_ns / 1e6)}`}</span>
                                <button onClick={() => change(older(filter, searched_from_ns / 1e6))}>{t('searchOlder')}</button>
                            </p>
                        )}
                    </>
                )}
            </Loading>
        </>
    )
}

// What is typed is asked for once the typing pauses.
function Typed({ value, onChange }: { value: string; onChange: (value: string) => void }) {
    const { t } = useI18n()
    const [typed, setTyped] = useState(value)
    useEffect(() => setTyped(value), [value])
    useEffect(() => {
        if (typed === value) return
        const timer = setTimeout(() => onChange(typed), typingMs)
        return () => clearTimeout(timer)
    }, [typed])
    return <input type="search" placeholder={t('search')} aria-label={t('search')} value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />
}

function TraceTable({ traces }: { traces: TraceSummary[] }) {
    const { t } = useI18n()
    const longest = Math.max(...traces.map((trace) => trace.duration_ns), 1)
    return (
        <div class="card flush scroll" tabIndex={0} role="region" aria-label={t('nav.traces')}>
            <table class="rows">
                <thead>
                    <tr>
                        <th>{t('time')}</th>
                        <th>{t('name')}</th>
                        <th>{t('service')}</th>
                        <th class="roomy">{t('model')}</th>
                        <th class="num roomy">{t('spans')}</th>
                        <th class="num">{t('spanErrors')}</th>
                        <th class="num">{t('duration')}</th>
                    </tr>
                </thead>
                <tbody>
                    {traces.map((trace) => (
                        <tr key={trace.trace_id} onClick={() => go(traceLink(trace))}>
                            <td class="tabular" title={dateTime(trace.start_ns / 1e6)}>{clock(trace.start_ns / 1e6)}</td>
                            <td class="name"><Link to={traceLink(trace)}>{trace.name || trace.trace_id}</Link></td>
                            <td>{trace.service}{trace.services > 1 && <span class="quiet"> +{trace.services - 1}</span>}</td>
                            <td class="roomy">{trace.model || '–'}</td>
                            <td class="num roomy">{trace.spans}</td>
                            <td class="num">{trace.errors > 0 ? <span class="word bad">{trace.errors}</span> : '–'}</td>
                            <td class="num"><span class="bar-cell"><progress max={longest} value={trace.duration_ns} aria-label={t('duration')} /> <span>{nanos(trace.duration_ns)}</span></span></td>
                        </tr>
                    ))}
                </tbody>
            </table>
        </div>
    )
}
