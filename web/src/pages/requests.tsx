// The list of requests. Its filter lives in the address, so that "back", reload and a sent link show the same list.
import { useCallback, useEffect, useState } from 'preact/hooks'
import { api, type RequestFilter } from '../api'
import { Empty, Word } from '../components/parts'
import { clock, dateTime, nanos } from '../format'
import { useI18n } from '../i18n'
import { useLive } from '../live'
import { Loading, useLoad } from '../load'
import { older } from '../older'
import { go, Link, replace, useSearch } from '../router'
import type { RequestRecord } from '../types'

const pageSize = 50
const outcomes = ['ok', 'client_error', 'upstream_error', 'truncated', 'cancelled', 'rejected']
const spans = ['5m', '1h', '6h', '1d', '7d']
const unfiltered: RequestFilter = { last: '1h', model: '', outcome: '', q: '', sort: '-time', from: '', to: '', limit: pageSize, offset: 0 }
const typingMs = 250

function fromSearch(search: string): RequestFilter {
    const params = new URLSearchParams(search)
    const text = (key: 'last' | 'model' | 'outcome' | 'q' | 'sort' | 'from' | 'to') => params.get(key) ?? unfiltered[key]
    const offset = Math.max(0, Number(params.get('offset')) || 0)
    return { ...unfiltered, last: text('last'), model: text('model'), outcome: text('outcome'), q: text('q'), sort: text('sort'), from: text('from'), to: text('to'), offset }
}

function toSearch(filter: RequestFilter): string {
    const params = new URLSearchParams()
    for (const [key, value] of Object.entries(filter)) {
        if (value !== unfiltered[key as keyof RequestFilter]) params.set(key, String(value))
    }
    const text = params.toString()
    return text ? `?${text}` : ''
}

export function Requests() {
    const { t } = useI18n()
    const filter = fromSearch(useSearch())
    const [follow, setFollow] = useState(true)
    const change = (part: Partial<RequestFilter>) => replace(`/requests${toSearch({ ...filter, offset: 0, ...part })}`)
    const loaded = useLoad(`requests ${JSON.stringify(filter)}`, () => api.requests(filter))

    // New requests come by the live feed; the list is asked again at most once a second.
    const [dirty, setDirty] = useState(false)
    useLive('request', useCallback(() => setDirty(true), []))
    useEffect(() => {
        if (!dirty || !follow || filter.offset > 0 || filter.to !== '') return
        const timer = setTimeout(() => {
            setDirty(false)
            loaded.reload()
        }, 1000)
        return () => clearTimeout(timer)
    }, [dirty, follow, filter.offset, filter.to, loaded.reload])

    return (
        <>
            <div class="title">
                <h1>{t('nav.requests')}</h1>
                <label class="check">
                    <input type="checkbox" checked={follow} onChange={(event) => setFollow(event.currentTarget.checked)} /> {t('follow')}
                </label>
            </div>
            <Filters filter={filter} change={change} total={loaded.value?.total ?? null} />
            <Loading of={loaded}>
                {({ requests, total, complete, searched_from_ms }) => (
                    <>
                        {requests.length === 0 && complete && <Empty text={t(total > 0 || isFiltered(filter) ? 'noRequests' : 'noRequestsYet')} />}
                        {requests.length > 0 && (
                            <>
                                <RequestTable requests={requests} sort={filter.sort} onSort={(sort) => change({ sort })} />
                                <p class="pager">
                                    <span class="quiet">
                                        {filter.offset + 1}–{filter.offset + requests.length} {t('of')} {total}
                                    </span>
                                    <button disabled={filter.offset === 0} onClick={() => change({ offset: Math.max(0, filter.offset - pageSize) })}>{t('previous')}</button>
                                    <button disabled={filter.offset + requests.length >= total} onClick={() => change({ offset: filter.offset + pageSize })}>{t('next')}</button>
                                </p>
                            </>
                        )}
                        {!complete && (
                            <p class="pager">
                                <span class="quiet">{`${t('searchedBackTo')} ${dateTime(searched_from_ms!)}`}</span>
                                <button onClick={() => change(older(filter, searched_from_ms!))}>{t('searchOlder')}</button>
                            </p>
                        )}
                    </>
                )}
            </Loading>
        </>
    )
}

const isFiltered = (filter: RequestFilter) => filter.q !== '' || filter.outcome !== '' || filter.model !== '' || filter.last !== unfiltered.last || filter.to !== ''

function Filters({ filter, change, total }: { filter: RequestFilter; change: (part: Partial<RequestFilter>) => void; total: number | null }) {
    const { t, word } = useI18n()
    // What is typed is asked for once the typing pauses.
    const [typed, setTyped] = useState(filter.q)
    useEffect(() => setTyped(filter.q), [filter.q])
    useEffect(() => {
        if (typed === filter.q) return
        const timer = setTimeout(() => change({ q: typed }), typingMs)
        return () => clearTimeout(timer)
    }, [typed])
    return (
        <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
            <input type="search" placeholder={t('search')} aria-label={t('search')} value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />
            <select aria-label={t('outcome')} value={filter.outcome} onChange={(event) => change({ outcome: event.currentTarget.value })}>
                <option value="">{t('anyOutcome')}</option>
                {outcomes.map((outcome) => <option key={outcome} value={outcome}>{word(outcome)}</option>)}
            </select>
            {filter.to === '' ? (
                <select aria-label={t('window')} value={filter.last} onChange={(event) => change({ last: event.currentTarget.value })}>
                    {spans.map((span) => <option key={span} value={span}>{t(`last.${span}` as 'last.1h')}</option>)}
                </select>
            ) : (
                <output class="tabular">{`${dateTime(Number(filter.from) * 1000)} – ${clock(Number(filter.to) * 1000)}`}</output>
            )}
            {isFiltered(filter) && (
                <button type="button" class="clear" onClick={() => change({ q: '', outcome: '', model: '', last: unfiltered.last, from: '', to: '' })}>
                    <span aria-hidden="true">✕</span> {t('clear')}
                </button>
            )}
            <output class="total">{total === null ? '' : `${total} ${total === 1 ? t('requestOne') : t('requestMany')}`}</output>
        </form>
    )
}

function RequestTable({ requests, sort, onSort }: { requests: RequestRecord[]; sort: string; onSort: (sort: string) => void }) {
    const { t } = useI18n()
    const Sorted = ({ by, label, also = 'num' }: { by: string; label: string; also?: string }) => (
        <th class={also} aria-sort={sort === `-${by}` ? 'descending' : sort === by ? 'ascending' : 'none'}>
            <button class="plain" onClick={() => onSort(sort === `-${by}` ? by : `-${by}`)}>
                {label}
                <span class="arrow" aria-hidden="true">{sort === `-${by}` ? '↓' : sort === by ? '↑' : ''}</span>
            </button>
        </th>
    )
    return (
        <div class="card flush scroll" tabIndex={0} role="region" aria-label={t('nav.requests')}>
            <table class="rows">
                <thead>
                    <tr>
                        <Sorted by="time" label={t('time')} also="" />
                        <th>{t('id')}</th>
                        <th class="roomy">{t('model')}</th>
                        <th class="roomy">{t('replica')}</th>
                        <th>{t('outcome')}</th>
                        <th class="num roomy">{t('status')}</th>
                        <th class="num roomy">{t('tokensIn')}</th>
                        <Sorted by="completion_tokens" label={t('tokensOut')} also="num roomy" />
                        <Sorted by="ttft" label="TTFT" also="num roomy" />
                        <Sorted by="duration" label={t('duration')} />
                    </tr>
                </thead>
                <tbody>
                    {requests.map((record) => (
                        <tr key={record.id} onClick={() => go(`/requests/${encodeURIComponent(record.id)}`)}>
                            <td class="tabular" title={dateTime(record.time_ms)}>{clock(record.time_ms)}</td>
                            <td class="name id"><Link to={`/requests/${encodeURIComponent(record.id)}`}>{record.id}</Link></td>
                            <td class="roomy">{record.model || '–'}</td>
                            <td class="roomy quiet">{record.replica || '–'}</td>
                            <td><Word of={record.outcome} /></td>
                            <td class="num roomy">{record.status || '–'}</td>
                            <td class="num roomy">{record.prompt_tokens}</td>
                            <td class="num roomy">{record.completion_tokens}</td>
                            <td class="num roomy">{nanos(record.ttft_ns)}</td>
                            <td class="num">{nanos(record.duration_ns)}</td>
                        </tr>
                    ))}
                </tbody>
            </table>
        </div>
    )
}
