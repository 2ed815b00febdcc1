import { useCallback, useState } from 'preact/hooks'
import { api } from '../api'
import { Chart } from '../components/chart'
import { Bar, Card, Stat, Word } from '../components/parts'
import { bytes, number, percent, seconds } from '../format'
import { useI18n } from '../i18n'
import { useLive } from '../live'
import { Loading, useLoad } from '../load'
import { Link } from '../router'
import type { Overview } from '../types'

const windows = [5 * 60, 30 * 60, 6 * 3600, 24 * 3600]
const windowName = (value: number) => (value < 3600 ? `${value / 60} min` : `${value / 3600} h`)
const perSecond = (value: number | null) => number(value)

export function OverviewPage() {
    const { t } = useI18n()
    const [span, setSpan] = useState(windows[0])
    const loaded = useLoad(api.overview, [], 0)
    useLive('overview', useCallback(loaded.set, []))
    return (
        <>
            <div class="title">
                <h1>{t('nav.overview')}</h1>
                <label>
                    {t('window')}{' '}
                    <select value={span} onChange={(event) => setSpan(Number(event.currentTarget.value))}>
                        {windows.map((each) => (
                            <option key={each} value={each}>
                                {windowName(each)}
                            </option>
                        ))}
                    </select>
                </label>
            </div>
            <Loading of={loaded}>
                {(overview) => (
                    <>
                        <Numbers overview={overview} />
                        <div class="grid">
                            <Charts span={span} />
                            <EngineTable overview={overview} />
                            <Host overview={overview} />
                        </div>
                    </>
                )}
            </Loading>
        </>
    )
}

function Numbers({ overview }: { overview: Overview }) {
    const { t } = useI18n()
    const { traffic } = overview
    const p99 = (value: number | null) => `p99 ${seconds(value)}`
    return (
        <div class="stats">
            <Stat label={t('requestsPerSecond')} value={number(traffic.requests_per_s)} detail={`${t('active')}: ${number(traffic.active_requests)}`} />
            <Stat label={t('tokensPerSecond')} value={number(traffic.completion_tokens_per_s)} detail={`${t('prompt')}: ${number(traffic.prompt_tokens_per_s)}`} />
            <Stat label={t('errors')} value={percent(traffic.error_ratio)} detail={`${number(traffic.errors_per_s, 2)}/s`} />
            <Stat label={t('ttft')} value={seconds(traffic.ttft_p50_s)} detail={p99(traffic.ttft_p99_s)} />
            <Stat label={t('itl')} value={seconds(traffic.itl_p50_s)} detail={p99(traffic.itl_p99_s)} />
            <Stat label={t('openIncidents')} value={number(overview.incidents.open)} />
        </div>
    )
}

const quantile = (q: number, name: string) => `histogram_quantile(${q}, sum by (le) (rate(${name}_bucket[1m])))`

function Charts({ span }: { span: number }) {
    const { t } = useI18n()
    return (
        <>
            <Card title={t('traffic')} aside={t('requestsPerSecond')}>
                <Chart label={t('traffic')} windowSeconds={span} format={perSecond} lines={[
                    { label: t('all'), query: 'sum(rate(llm_requests_total[1m]))' },
                    { label: t('failed'), query: 'sum(rate(llm_requests_total{outcome=~"upstream_error|truncated|rejected"}[1m]))' },
                ]} />
            </Card>
            <Card title={t('tokens')} aside={t('tokensPerSecond')}>
                <Chart label={t('tokens')} windowSeconds={span} format={perSecond} lines={[
                    { label: t('completion'), query: 'sum(rate(llm_tokens_total{type="completion"}[1m]))' },
                    { label: t('prompt'), query: 'sum(rate(llm_tokens_total{type="prompt"}[1m]))' },
                ]} />
            </Card>
            <Card title={t('ttft')}>
                <Chart label={t('ttft')} windowSeconds={span} format={seconds} lines={[
                    { label: 'p50', query: quantile(0.5, 'llm_time_to_first_token_seconds') },
                    { label: 'p99', query: quantile(0.99, 'llm_time_to_first_token_seconds') },
                ]} />
            </Card>
            <Card title={t('itl')}>
                <Chart label={t('itl')} windowSeconds={span} format={seconds} lines={[
                    { label: 'p50', query: quantile(0.5, 'llm_inter_token_latency_seconds') },
                    { label: 'p99', query: quantile(0.99, 'llm_inter_token_latency_seconds') },
                ]} />
            </Card>
            <Card title={t('kv')}>
                <Chart label={t('kv')} windowSeconds={span} format={percent} lines={[
                    { label: t('kv'), by: 'replica', query: 'max by (replica) (llm_engine_kv_usage_ratio)' },
                ]} />
            </Card>
            <Card title={t('waiting')}>
                <Chart label={t('waiting')} windowSeconds={span} format={perSecond} lines={[
                    { label: t('waiting'), by: 'replica', query: 'sum by (replica) (llm_engine_requests_waiting)' },
                ]} />
            </Card>
        </>
    )
}

function EngineTable({ overview }: { overview: Overview }) {
    const { t } = useI18n()
    if (overview.engines.length === 0) return <p class="notice wide">{t('noEngines')}</p>
    return (
        <Card title={t('engines')} wide>
            <div class="scroll" tabIndex={0}>
                <table>
                    <thead>
                        <tr>
                            <th>{t('engine')}</th>
                            <th>{t('state')}</th>
                            <th>{t('kv')}</th>
                            <th class="num">{t('running')}</th>
                            <th class="num">{t('waiting')}</th>
                            <th class="num">{t('outstanding')}</th>
                            <th class="num">{t('tokensPerSecond')}</th>
                        </tr>
                    </thead>
                    <tbody>
                        {overview.engines.map((engine) => (
                            <tr key={engine.id}>
                                <td><Link to="/engines">{engine.id}</Link></td>
                                <td><Word of={engine.state} /></td>
                                <td><Bar share={engine.kv_usage} text={percent(engine.kv_usage)} /></td>
                                <td class="num">{number(engine.running)}</td>
                                <td class="num">{number(engine.waiting)}</td>
                                <td class="num">{engine.outstanding}</td>
                                <td class="num">{number(engine.tokens_per_s)}</td>
                            </tr>
                        ))}
                    </tbody>
                </table>
            </div>
        </Card>
    )
}

function Host({ overview }: { overview: Overview }) {
    const { t } = useI18n()
    const { host } = overview
    const memory = host.memory_total_bytes && host.memory_used_bytes !== null ? host.memory_used_bytes / host.memory_total_bytes : null
    const rate = (value: number | null) => `${bytes(value)}/s`
    return (
        <Card title={t('host')} wide>
            <div class="stats inner">
                <Stat label={t('cpu')} value={percent(host.cpu_ratio)} detail={`${t('load')} ${number(host.load1, 2)}`} />
                <Stat label={t('memory')} value={percent(memory)} detail={`${bytes(host.memory_used_bytes)} / ${bytes(host.memory_total_bytes)}`} />
                <Stat label={t('network')} value={rate(host.network_receive_bytes_per_s)} detail={`${t('out')} ${rate(host.network_transmit_bytes_per_s)}`} />
                <Stat label={t('disk')} value={rate(host.disk_read_bytes_per_s)} detail={`${t('write')} ${rate(host.disk_write_bytes_per_s)}`} />
            </div>
        </Card>
    )
}
