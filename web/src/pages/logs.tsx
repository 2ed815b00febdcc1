// Lines of log: searched, or followed as they come. The filter lives in the address, so that links (from a trace, from a
// signature's alert) show the same lines.
import { useEffect, useRef, useState } from 'preact/hooks'
import { api } from '../api'
import { Empty } from '../components/parts'
import { clock, dateTime } from '../format'
import { useI18n } from '../i18n'
import { Loading, useLoad } from '../load'
import { Link, replace, useSearch } from '../router'
import type { LogFilter, LogLine } from '../types'

const severities = ['trace', 'debug', 'info', 'warn', 'error', 'fatal']
const spans = ['5m', '1h', '6h', '1d', '7d']
const unfiltered: LogFilter = { last: '1h', service: '', severity: '', q: '', trace_id: '', signature: '' }
const pageSize = 200
const typingMs = 250
const mostFollowed = 1000
const redrawMs = 200

function fromSearch(search: string): LogFilter {
    const params = new URLSearchParams(search)
    const filter = { ...unfiltered }
    for (const key of Object.keys(unfiltered) as (keyof LogFilter)[]) filter[key] = params.get(key) ?? unfiltered[key]
    return filter
}

function toSearch(filter: LogFilter): string {
    const params = new URLSearchParams()
    for (const [key, value] of Object.entries(filter)) if (value !== unfiltered[key as keyof LogFilter]) params.set(key, value)
    const text = params.toString()
    return text ? `?${text}` : ''
}

const millis = (line: LogLine) => Number(line.time_ns.slice(0, -6))

export function Logs() {
    const { t } = useI18n()
    const filter = fromSearch(useSearch())
    const [follow, setFollow] = useState(false)
    const change = (part: Partial<LogFilter>) => replace(`/logs${toSearch({ ...filter, ...part })}`)
    return (
        <>
            <div class="title">
                <h1>{t('nav.logs')}</h1>
                <label class="check">
                    <input type="checkbox" checked={follow} onChange={(event) => setFollow(event.currentTarget.checked)} /> {t('logs.follow')}
                </label>
            </div>
            <Filters filter={filter} change={change} />
            {follow ? <Followed key={JSON.stringify(filter)} filter={filter} /> : <Found filter={filter} />}
        </>
    )
}

function Filters({ filter, change }: { filter: LogFilter; change: (part: Partial<LogFilter>) => void }) {
    const { t, word } = useI18n()
    const services = useLoad(`log services ${filter.last}`, () => api.logServices(filter.last))
    const [typed, setTyped] = useState(filter.q)
    useEffect(() => setTyped(filter.q), [filter.q])
    useEffect(() => {
        if (typed === filter.q) return
        const timer = setTimeout(() => change({ q: typed }), typingMs)
        return () => clearTimeout(timer)
    }, [typed])
    const names = (services.value ?? []).map((each) => each.name)
    if (filter.service && !names.includes(filter.service)) names.push(filter.service)
    return (
        <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
            <input type="search" placeholder={t('logs.search')} aria-label={t('logs.search')} value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />
            <select aria-label={t('logs.service')} value={filter.service} onChange={(event) => change({ service: event.currentTarget.value })}>
                <option value="">{t('logs.anyService')}</option>
                {names.map((name) => <option key={name} value={name}>{name}</option>)}
            </select>
            <select aria-label={t('logs.severity')} value={filter.severity} onChange={(event) => change({ severity: event.currentTarget.value })}>
                <option value="">{t('logs.anySeverity')}</option>
                {severities.map((each) => <option key={each} value={each}>{word(each)}</option>)}
            </select>
            <select aria-label={t('window')} value={filter.last} onChange={(event) => change({ last: event.currentTarget.value })}>
                {spans.map((span) => <option key={span} value={span}>{t(`last.${span}` as 'last.1h')}</option>)}
            </select>
            <label class="check">
                <input type="checkbox" checked={filter.signature !== ''} onChange={(event) => change({ signature: event.currentTarget.checked ? 'any' : '' })} />{' '}
                {t('logs.onlyFailures')}
            </label>
            {toSearch(filter) !== '' && (
                <button type="button" class="clear" onClick={() => change(unfiltered)}>
                    <span aria-hidden="true">✕</span> {t('clear')}
                </button>
            )}
            {filter.trace_id && <output class="total">{t('logs.ofTrace')} {filter.trace_id}</output>}
        </form>
    )
}

function Found({ filter }: { filter: LogFilter }) {
    const { t } = useI18n()
    const loaded = useLoad(`logs ${JSON.stringify(filter)}`, () => api.logs(filter, pageSize, ''), 5_000)
    const [older, setOlder] = useState<{ lines: LogLine[]; next: string } | null>(null)
    useEffect(() => setOlder(null), [JSON.stringify(filter)])
    const next = older ? older.next : (loaded.value?.next ?? '')
    const more = () =>
        api.logs(filter, pageSize, next).then((page) => setOlder({ lines: [...(older?.lines ?? []), ...page.logs], next: page.next }))
    return (
        <Loading of={loaded}>
            {({ logs }) => {
                // What came since the older ones were asked for pushes lines down: none is shown twice.
                const seen = new Set(logs.map((line) => line.place))
                const lines = [...logs, ...(older?.lines ?? []).filter((line) => !seen.has(line.place))]
                // Fewer than asked for: the search ended with its budget.
                const ended = next !== '' && lines.length < pageSize ? `${t('searchedBackTo')} ${dateTime(Number(next.split('-', 1)[0]!.slice(0, -6)))}` : ''
                return (
                    <>
                        {lines.length === 0 && !next && <Empty text={t('logs.none')} />}
                        {lines.length > 0 && <Lines lines={lines} />}
                        {next && (
                            <p class="pager">
                                <span class="quiet">{ended}</span>
                                <button onClick={() => void more()}>{t('logs.older')}</button>
                            </p>
                        )}
                    </>
                )
            }}
        </Loading>
    )
}

// The newest lines as they come in. The feed is opened again when it ends.
function Followed({ filter }: { filter: LogFilter }) {
    const { t } = useI18n()
    const [lines, setLines] = useState<LogLine[]>([])
    const [lost, setLost] = useState(0)
    const waiting = useRef<LogLine[]>([])
    useEffect(() => {
        const source = new EventSource(api.logTailUrl(filter))
        source.addEventListener('log', (event) => waiting.current.push(JSON.parse((event as MessageEvent<string>).data) as LogLine))
        source.addEventListener('lost', (event) => {
            const { lines: count } = JSON.parse((event as MessageEvent<string>).data) as { lines: number }
            setLost((before) => before + count)
        })
        // Drawn a few times a second, however many come.
        const timer = setInterval(() => {
            if (waiting.current.length === 0) return
            const fresh = waiting.current.splice(0).reverse()
            setLines((before) => [...fresh, ...before].slice(0, mostFollowed))
        }, redrawMs)
        return () => {
            source.close()
            clearInterval(timer)
        }
    }, [])
    return (
        <>
            {lost > 0 && <p class="notice">{t('logs.lost')} {lost}</p>}
            {lines.length === 0 ? <Empty text={t('logs.waiting')} /> : <Lines lines={lines} />}
        </>
    )
}

const tones: Record<string, string> = { warn: 'warn', error: 'bad', fatal: 'bad' }

function Lines({ lines }: { lines: LogLine[] }) {
    const { t } = useI18n()
    return (
        <div class="card flush scroll" tabIndex={0} role="region" aria-label={t('nav.logs')}>
            <table class="rows logs">
                <thead>
                    <tr>
                        <th>{t('time')}</th>
                        <th>{t('logs.severity')}</th>
                        <th class="roomy">{t('logs.service')}</th>
                        <th>{t('logs.line')}</th>
                    </tr>
                </thead>
                <tbody>{lines.map((line, i) => <Line key={line.place ?? `${line.time_ns} ${lines.length - i}`} line={line} />)}</tbody>
            </table>
        </div>
    )
}

function Line({ line }: { line: LogLine }) {
    const { t, word } = useI18n()
    const [open, setOpen] = useState(false)
    const first = line.body.split('\n', 1)[0]!
    const facts = [...Object.entries(line.attributes), ...Object.entries(line.resource), ['source', line.source], ['stream', line.stream]]
    return (
        <>
            <tr onClick={() => setOpen(!open)}>
                <td class="tabular" title={dateTime(millis(line))}>{clock(millis(line))}</td>
                <td>{line.severity ? <span class={`word ${tones[line.severity] ?? ''}`}>{word(line.severity)}</span> : '–'}</td>
                <td class="roomy quiet">{line.service || '–'}</td>
                <td class="name">
                    <button class="plain log-line" aria-expanded={open}>
                        {line.signature && <span class="word bad">{line.signature}</span>} {first}
                    </button>
                </td>
            </tr>
            {open && (
                <tr class="log-detail">
                    <td colSpan={4}>
                        <pre>{line.body}</pre>
                        <dl class="facts">
                            {facts.filter(([, value]) => value).map(([name, value]) => (
                                <div key={name}>
                                    <dt>{name}</dt>
                                    <dd>{value}</dd>
                                </div>
                            ))}
                        </dl>
                        {line.trace_id && <Link to={`/traces/${line.trace_id}`}>{t('logs.showTrace')}</Link>}
                    </td>
                </tr>
            )}
        </>
    )
}
