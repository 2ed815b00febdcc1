import { api } from '../api'
import { Back, Card, Facts, Stat, Word } from '../components/parts'
import { bytes, dateTime, nanos, seconds, tick } from '../format'
import { useI18n } from '../i18n'
import { Loading, useLoad } from '../load'
import type { RequestRecord } from '../types'

export function RequestPage({ id }: { id: string }) {
    const { t } = useI18n()
    const loaded = useLoad(`request ${id}`, () => api.request(id))
    return (
        <>
            <Back to="/requests" name={t('nav.requests')} />
            <div class="title">
                <h1 class="id">{id}</h1>
                {loaded.value && <span class="quiet"><Word of={loaded.value.outcome} /> {loaded.value.status || ''}</span>}
            </div>
            <Loading of={loaded}>
                {(record) => (
                    <>
                        {record.error && <p class="notice bad">{record.error}</p>}
                        <div class="stats">
                            <Stat label={t('duration')} value={nanos(record.duration_ns)} />
                            <Stat label={t('ttft')} value={nanos(record.ttft_ns)} />
                            <Stat label={t('itl')} value={nanos(record.itl_mean_ns)} detail={`${t('most')} ${nanos(record.itl_max_ns)}`} />
                            <Stat label={t('tokensOut')} value={String(record.completion_tokens)} detail={`${record.prompt_tokens} ${t('in')}, ${record.cached_tokens} ${t('cached')}`} />
                        </div>
                        <div class="grid">
                            <Card title={t('timeline')} wide>
                                <Waterfall record={record} />
                            </Card>
                            <Card title={t('details')} wide>
                                <Details record={record} />
                            </Card>
                        </div>
                    </>
                )}
            </Loading>
        </>
    )
}

interface Span {
    name: string
    note: string
    start: number
    length: number
    tone: string
}

// The request as a whole, each attempt at it, and within the answer the wait and the tokens.
function useSpans(record: RequestRecord): Span[] {
    const { t } = useI18n()
    const total = record.duration_ns
    const spans: Span[] = [{ name: record.endpoint, note: nanos(total), start: 0, length: total, tone: 'whole' }]
    record.attempts.forEach((attempt, index) =>
        spans.push({
            name: `${t('attempt')} ${index + 1} · ${attempt.replica}`,
            note: [nanos(attempt.duration_ns), attempt.kind, attempt.error || attempt.status || ''].filter(Boolean).join(' · '),
            start: attempt.started_ns,
            length: attempt.duration_ns,
            // One that lost to another beside it has not failed.
            tone: attempt.error && attempt.error !== 'hedge_lost' ? 'bad' : 'good',
        }),
    )
    if (record.ttft_ns > 0) {
        spans.push({ name: t('untilFirstToken'), note: nanos(record.ttft_ns), start: 0, length: record.ttft_ns, tone: 'wait' })
        if (record.stream) {
            const note = `${nanos(total - record.ttft_ns)} · ${record.events} ${t('events')}`
            spans.push({ name: t('tokens'), note, start: record.ttft_ns, length: total - record.ttft_ns, tone: 'tokens' })
        }
    }
    return spans
}

// One row a span, on the time axis of the whole request.
function Waterfall({ record }: { record: RequestRecord }) {
    const total = Math.max(record.duration_ns, 1)
    const share = (part: number) => Math.min(100, (Math.max(0, part) / total) * 100)
    return (
        <ol class="waterfall">
            <li class="axis" aria-hidden="true">
                <span />
                <span class="scale">
                    {[0, 0.25, 0.5, 0.75, 1].map((part) => <i key={part} style={{ left: `${part * 100}%` }}>{tick(seconds((part * total) / 1e9))}</i>)}
                </span>
                <span />
            </li>
            {useSpans(record).map((span, index) => (
                <li key={index}>
                    <span class="name" title={span.name}>{span.name}</span>
                    <span class="track">
                        <span class={`span ${span.tone}`} style={{ left: `${Math.min(99.5, share(span.start))}%`, width: `${Math.max(0.5, Math.min(100 - share(span.start), share(span.length)))}%` }} />
                    </span>
                    <span class="note" title={span.note}>{span.note}</span>
                </li>
            ))}
        </ol>
    )
}

function Details({ record }: { record: RequestRecord }) {
    const { t, word } = useI18n()
    return (
        <Facts
            rows={[
                [t('received'), dateTime(record.time_ms)],
                [t('model'), record.model || '–'],
                [t('replica'), record.replica || '–'],
                [t('endpoint'), record.endpoint],
                [t('stream'), record.stream ? t('yes') : t('no')],
                [t('finish'), record.finish_reason || '–'],
                [t('usageSource'), word(record.usage_source)],
                [t('sizes'), `${bytes(record.request_bytes)}, ${bytes(record.response_bytes)}`],
                [t('client'), record.client || '–'],
                [t('trace'), <code>{record.trace_id || '–'}</code>],
            ]}
        />
    )
}
