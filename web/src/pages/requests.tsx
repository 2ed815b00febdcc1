import { useCallback, useEffect, useState } from 'preact/hooks'
import { api, type RequestFilter } from '../api'
import { Word } from '../components/parts'
import { clock, nanos } from '../format'
import { useI18n } from '../i18n'
import { useLive } from '../live'
import { Loading, useLoad } from '../load'
import { go, Link } from '../router'
import type { RequestRecord } from '../types'

const pageSize = 50
const outcomes = ['ok', 'client_error', 'upstream_error', 'truncated', 'cancelled', 'rejected']
const spans = ['5m', '1h', '6h', '1d', '7d']

export function Requests() {
    const { t } = useI18n()
    const [filter, setFilter] = useState<RequestFilter>({ last: '1h', model: '', outcome: '', q: '', sort: '-time', limit: pageSize, offset: 0 })
    const [follow, setFollow] = useState(true)
    const change = (part: Partial<RequestFilter>) => setFilter((old) => ({ ...old, offset: 0, ...part }))
    const loaded = useLoad(() => api.requests(filter), [filter], 0)

    // New requests come by the live feed; the list is asked again at most once a second.
    const [dirty, setDirty] = useState(false)
    useLive('request', useCallback(() => setDirty(true), []))
    useEffect(() => {
        if (!dirty || !follow || filter.offset > 0) return
        const timer = setTimeout(() => {
            setDirty(false)
            loaded.reload()
        }, 1000)
        return () => clearTimeout(timer)
    }, [dirty, follow, filter.offset, loaded.reload])

    return (
        <>
            <div class="title">
                <h1>{t('nav.requests')}</h1>
                <label>
                    <input type="checkbox" checked={follow} onChange={(event) => setFollow(event.currentTarget.checked)} /> {t('follow')}
                </label>
            </div>
            <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
                <input type="search" placeholder={t('search')} aria-label={t('search')} value={filter.q} onInput={(event) => change({ q: event.currentTarget.value })} />
                <select aria-label={t('window')} value={filter.last} onChange={(event) => change({ last: event.currentTarget.value })}>
                    {spans.map((span) => <option key={span}>{span}</option>)}
                </select>
                <select aria-label={t('outcome')} value={filter.outcome} onChange={(event) => change({ outcome: event.currentTarget.value })}>
                    <option value="">{t('outcome')}: {t('all')}</option>
                    {outcomes.map((outcome) => <option key={outcome} value={outcome}>{t(`word.${outcome}` as 'word.ok')}</option>)}
                </select>
            </form>
            <Loading of={loaded}>
                {({ requests, total }) => (
                    <>
                        {requests.length === 0 ? <p class="quiet">{t('noRequests')}</p> : <RequestTable requests={requests} sort={filter.sort} onSort={(sort) => change({ sort })} />}
                        <p class="pager">
                            <button disabled={filter.offset === 0} onClick={() => change({ offset: Math.max(0, filter.offset - pageSize) })}>{t('newer')}</button>
                            <span>{requests.length === 0 ? 0 : filter.offset + 1}–{filter.offset + requests.length} {t('of')} {total}</span>
                            <button disabled={filter.offset + requests.length >= total} onClick={() => change({ offset: filter.offset + pageSize })}>{t('older')}</button>
                        </p>
                    </>
                )}
            </Loading>
        </>
    )
}

function RequestTable({ requests, sort, onSort }: { requests: RequestRecord[]; sort: string; onSort: (sort: string) => void }) {
    const { t } = useI18n()
    const Sorted = ({ by, label }: { by: string; label: string }) => (
        <th class={by === 'time' ? '' : 'num'} aria-sort={sort === `-${by}` ? 'descending' : sort === by ? 'ascending' : 'none'}>
            <button class="plain" onClick={() => onSort(sort === `-${by}` ? by : `-${by}`)}>
                {label}
                {sort === `-${by}` ? ' ↓' : sort === by ? ' ↑' : ''}
            </button>
        </th>
    )
    return (
        <div class="scroll" tabIndex={0}>
            <table class="rows">
                <thead>
                    <tr>
                        <Sorted by="time" label={t('time')} />
                        <th>{t('id')}</th>
                        <th>{t('model')}</th>
                        <th>{t('replica')}</th>
                        <th>{t('outcome')}</th>
                        <th class="num">{t('prompt')}</th>
                        <Sorted by="completion_tokens" label={t('completion')} />
                        <Sorted by="ttft" label="TTFT" />
                        <Sorted by="duration" label={t('duration')} />
                    </tr>
                </thead>
                <tbody>
                    {requests.map((record) => (
                        <tr key={record.id} onClick={() => go(`/requests/${encodeURIComponent(record.id)}`)}>
                            <td>{clock(record.time_ms)}</td>
                            <td><Link to={`/requests/${encodeURIComponent(record.id)}`}>{record.id.slice(0, 20)}</Link></td>
                            <td>{record.model}</td>
                            <td>{record.replica || '–'}</td>
                            <td><Word of={record.outcome} /> {record.status}</td>
                            <td class="num">{record.prompt_tokens}</td>
                            <td class="num">{record.completion_tokens}</td>
                            <td class="num">{nanos(record.ttft_ns)}</td>
                            <td class="num">{nanos(record.duration_ns)}</td>
                        </tr>
                    ))}
                </tbody>
            </table>
        </div>
    )
}
