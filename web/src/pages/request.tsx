import { api } from '../api'
import { Back, Card, Facts, Stat, Word } from '../components/parts'
import { Waterfall, type Row } from '../components/waterfall'
import { bytes, dateTime, nanos } from '../format'
import { useI18n } from '../i18n'
import { Loading, useLoad } from '../load'
import { Link } from '../router'
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
                                <Timeline record={record} />
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

// The request as a whole, each attempt at it, and within the answer the wait and the tokens.
function useSpans(record: RequestRecord): Row[] {
    const { t } = useI18n()
    const total = record.duration_ns
    const spans: Row[] = [{ name: record.endpoint, note: nanos(total), start: 0, length: total, tone: 'whole' }]
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

function Timeline({ record }: { record: RequestRecord }) {
    return <Waterfall rows={useSpans(record)} total={record.duration_ns} />
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
                [t('trace'), record.trace_id ? <Link to={`/traces/${record.trace_id}?near=${record.time_ms / 1000}`}><code>{record.trace_id}</code></Link> : '–'],
                [t('nav.logs'), record.trace_id ? <Link to={`/logs?trace_id=${record.trace_id}`}>{t('logs.ofRequest')}</Link> : '–'],
            ]}
        />
    )
}
