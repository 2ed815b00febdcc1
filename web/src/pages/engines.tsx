import { useCallback } from 'preact/hooks'
import { api } from '../api'
import { Bar, Card, Empty, Facts, Word } from '../components/parts'
import { clock, dateTime, number, percent, seconds } from '../format'
import { useI18n } from '../i18n'
import { useLive } from '../live'
import { Loading, useLoad } from '../load'
import type { Engine } from '../types'

export function Engines() {
    const { t } = useI18n()
    const loaded = useLoad('engines', api.engines, 2_000)
    useLive('incident', useCallback(() => loaded.reload(), [loaded.reload]))
    return (
        <>
            <div class="title">
                <h1>{t('nav.engines')}</h1>
            </div>
            <Loading of={loaded}>
                {(engines) =>
                    engines.length === 0 ? (
                        <Empty text={t('noEngines')}>
                            <code>stoker serve --config stoker.yaml</code>
                        </Empty>
                    ) : (
                        <div class="grid">
                            {engines.map((engine) => (
                                <Card key={engine.id} title={engine.id} aside={<Word of={engine.state === 'open' ? 'circuit_open' : engine.state} />}>
                                    {engine.reason && <p class={`notice ${engine.state === 'serving' || engine.state === 'discovered' ? '' : 'bad'}`}>{engine.reason}</p>}
                                    <EngineFacts engine={engine} />
                                    <Findings engine={engine} />
                                </Card>
                            ))}
                        </div>
                    )
                }
            </Loading>
        </>
    )
}

// What looks wrong with its numbers, as the server words it.
function Findings({ engine }: { engine: Engine }) {
    const { t } = useI18n()
    if (engine.findings.length === 0) return null
    return (
        <details class="findings" open={engine.findings.some((each) => each.severity !== 'note')}>
            <summary>{t('looksWrong')}</summary>
            {engine.findings.map((each) => (
                <p key={each.finding + each.metric} class={`notice ${each.severity === 'error' ? 'bad' : ''}`}>
                    <b>{t(`severity.${each.severity}`)}</b> {each.metric && <code>{each.metric}</code>} {each.text}. {each.fix}
                </p>
            ))}
        </details>
    )
}

function EngineFacts({ engine }: { engine: Engine }) {
    const { t } = useI18n()
    const kv = engine.metrics?.kv_usage ?? null
    return (
        <Facts
            rows={[
                [t('kind'), `${engine.kind || '–'} ${engine.version}`.trim()],
                [t('url'), <code>{engine.url}</code>],
                [t('models'), engine.models.concat(engine.engine_models.filter((name) => !engine.models.includes(name)).map((name) => `(${name})`)).join(', ') || '–'],
                [t('kv'), <Bar share={kv} text={percent(kv)} label={t('kv')} />],
                [`${t('running')} · ${t('waiting')}`, `${number(engine.metrics?.running ?? null)} · ${number(engine.metrics?.waiting ?? null)}`],
                [t('outstanding'), number(engine.outstanding ?? null)],
                [t('totalRequests'), `${engine.requests_total ?? '–'}, ${engine.failures_total ?? '–'} ${t('failed')}`],
                [t('health'), engine.health ? `${engine.health.detail || '–'} · ${clock(engine.health.at_ms)}` : '–'],
                [t('scrape'), engine.scrape ? (engine.scrape.error || `${engine.scrape.samples} ${t('samples')}, ${seconds(engine.scrape.duration_s)}`) : t('noMetrics')],
                [t('process'), engine.process ? `pid ${engine.process.pid}, ${engine.process.state}, ${engine.process.restarts} ${t('restarts')}` : t('notSupervised')],
                [t('since'), engine.since_ms ? dateTime(engine.since_ms) : '–'],
            ]}
        />
    )
}
