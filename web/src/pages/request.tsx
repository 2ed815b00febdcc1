import { api } from '../api'
import { Card, Facts, Word } from '../components/parts'
import { bytes, dateTime, nanos } from '../format'
import { useI18n } from '../i18n'
import { Loading, useLoad } from '../load'
import { Link } from '../router'
import type { RequestRecord } from '../types'

export function RequestPage({ id }: { id: string }) {
    const { t } = useI18n()
    const loaded = useLoad(() => api.request(id), [id])
    return (
        <>
            <p><Link to="/requests">← {t('back')}</Link></p>
            <h1 class="id">{id}</h1>
            <Loading of={loaded}>
                {(record) => (
                    <div class="grid">
                        <Card title={t('requestTimeline')} wide aside={<><Word of={record.outcome} /> {record.status}</>}>
                            <Waterfall record={record} />
                        </Card>
                        <Card title={t('details')} wide>
                            <Details record={record} />
                        </Card>
                    </div>
                )}
            </Loading>
        </>
    )
}

// One row a span, on the time axis of the whole request.
function Waterfall({ record }: { record: RequestRecord }) {
    const { t } = useI18n()
    const total = Math.max(record.duration_ns, 1)
    const rows = [
        { name: record.endpoint, note: nanos(record.duration_ns), start: 0, length: total, tone: 'whole' },
        ...record.attempts.map((attempt, index) => ({
            name: `${t('attempt')} ${index + 1}: ${attempt.replica}`,
            note: `${attempt.status || ''} ${attempt.error} ${nanos(attempt.duration_ns)}`,
            start: attempt.started_ns,
            length: attempt.duration_ns,
            tone: attempt.error ? 'bad' : 'good',
        })),
        ...(record.ttft_ns > 0
            ? [
                  { name: t('firstToken'), note: nanos(record.ttft_ns), start: 0, length: record.ttft_ns, tone: 'wait' },
                  { name: t('tokens'), note: `${record.events} × ${nanos(record.itl_mean_ns)}`, start: record.ttft_ns, length: total - record.ttft_ns, tone: 'tokens' },
              ]
            : []),
    ]
    return (
        <ol class="waterfall">
            {rows.map((row, index) => (
                <li key={index}>
                    <span class="name">{row.name}</span>
                    <span class="track">
                        <span class={`span ${row.tone}`} style={{ left: `${(row.start / total) * 100}%`, width: `${Math.max(0.3, (row.length / total) * 100)}%` }} />
                    </span>
                    <span class="note">{row.note}</span>
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
                [t('model'), record.model],
                [t('replica'), record.replica || '–'],
                [t('endpoint'), record.endpoint],
                [t('stream'), record.stream ? t('yes') : t('no')],
                [t('finish'), record.finish_reason || '–'],
                [t('errorCode'), record.error || '–'],
                [t('tokens'), `${record.prompt_tokens} ${t('prompt')}, ${record.completion_tokens} ${t('completion')}, ${record.cached_tokens} ${t('cached')}`],
                [t('usageSource'), word(record.usage_source)],
                [t('ttft'), nanos(record.ttft_ns)],
                [t('itlMeanMax'), `${nanos(record.itl_mean_ns)}, ${nanos(record.itl_max_ns)}`],
                [t('duration'), nanos(record.duration_ns)],
                [t('sizes'), `${bytes(record.request_bytes)}, ${bytes(record.response_bytes)}`],
                [t('client'), record.client],
                [t('trace'), <code>{record.trace_id}</code>],
            ]}
        />
    )
}
