import { useState } from 'preact/hooks'
import { api } from '../api'
import { Chart } from '../components/chart'
import { Bar, Card, Empty, Stat, Word } from '../components/parts'
import { bytes, bytesPerSecond, number, percent, seconds } from '../format'
import { useI18n } from '../i18n'
import { useLive } from '../live'
import { Loading, useLoad } from '../load'
import { Link } from '../router'
import type { Overview } from '../types'

const windows = [5 * 60, 30 * 60, 6 * 3600, 24 * 3600]
const windowName = (value: number) => (value < 3600 ? `${value / 60} min` : `${value / 3600} h`)
const perSecond = (value: number | null, digits = 1) => (value === null ? number(null) : `${number(value, digits)} /s`)
const rate = (value: number | null) => perSecond(value)
const count = (value: number | null) => number(value)

export function OverviewPage() {
    const { t } = useI18n()
    const [span, setSpan] = useState(windows[0])
    const loaded = useLoad('overview', api.overview)
    useLive('overview', loaded.set)
    return (
        <>
            <div class="title">
                <h1>{t('nav.overview')}</h1>
                <label class="quiet">
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
                        <Degraded overview={overview} />
                        <Numbers overview={overview} />
                        <div class="grid">
                            <EngineTable overview={overview} />
                            <Charts span={span} />
                            <Host overview={overview} />
                        </div>
                    </>
                )}
            </Loading>
        </>
    )
}

function Degraded({ overview }: { overview: Overview }) {
    const { t } = useI18n()
    return (
        <>
            {overview.degraded.map(({ pool, name, why }) => (
                <p key={pool} class="notice" role="status">
                    <strong>{pool === '' ? t('allPools') : pool}</strong>: {t('degraded')} <Word of={name} /> {why}
                </p>
            ))}
        </>
    )
}

function Numbers({ overview }: { overview: Overview }) {
    const { t } = useI18n()
    const { traffic } = overview
    const p99 = (value: number | null) => `p99 ${seconds(value)}`
    const { open } = overview.incidents
    return (
        <div class="stats">
            <Stat label={t('requests')} value={perSecond(traffic.requests_per_s)} detail={`${number(traffic.active_requests)} ${t('active')}`} />
            <Stat label={t('tokensOut')} value={perSecond(traffic.completion_tokens_per_s)} detail={`${perSecond(traffic.prompt_tokens_per_s)} ${t('in')}`} />
            <Stat label={t('errors')} value={percent(traffic.error_ratio)} detail={perSecond(traffic.errors_per_s, 2)} tone={(traffic.error_ratio ?? 0) >= 0.01 ? 'bad' : undefined} />
            <Stat label={t('ttft')} value={seconds(traffic.ttft_p50_s)} detail={p99(traffic.ttft_p99_s)} />
            <Stat label={t('itl')} value={seconds(traffic.itl_p50_s)} detail={p99(traffic.itl_p99_s)} />
            <Stat label={t('openIncidents')} value={number(open)} detail={<Link to="/incidents">{open > 0 ? t('look') : t('history')}</Link>} tone={open > 0 ? 'bad' : undefined} />
        </div>
    )
}

const quantile = (q: number, name: string) => `histogram_quantile(${q}, sum by (le) (rate(${name}_bucket[1m])))`

function Charts({ span }: { span: number }) {
    const { t } = useI18n()
    return (
        <>
            <Card title={t('requests')}>
                <Chart label={t('requests')} windowSeconds={span} format={rate} lines={[
                    { label: t('all'), query: 'sum(rate(llm_requests_total[1m]))' },
                    { label: t('failed'), query: 'sum(rate(llm_requests_total{outcome=~"upstream_error|truncated|rejected"}[1m]))' },
                ]} />
            </Card>
            <Card title={t('tokens')}>
                <Chart label={t('tokens')} windowSeconds={span} format={rate} lines={[
                    { label: t('out'), query: 'sum(rate(llm_tokens_total{type="completion"}[1m]))' },
                    { label: t('in'), query: 'sum(rate(llm_tokens_total{type="prompt"}[1m]))' },
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
                <Chart label={t('waiting')} windowSeconds={span} format={count} lines={[
                    { label: t('waiting'), by: 'replica', query: 'sum by (replica) (llm_engine_requests_waiting)' },
                ]} />
            </Card>
        </>
    )
}

function EngineTable({ overview }: { overview: Overview }) {
    const { t } = useI18n()
    if (overview.engines.length === 0) {
        return (
            <Card title={t('engines')} wide>
                <Empty text={t('noEngines')}>
                    <code>stoker serve --config stoker.yaml</code>
                </Empty>
            </Card>
        )
    }
    return (
        <Card title={t('engines')} wide flush>
            <div class="scroll" tabIndex={0} role="region" aria-label={t('engines')}>
                <table>
                    <thead>
                        <tr>
                            <th>{t('engine')}</th>
                            <th>{t('state')}</th>
                            <th>{t('kv')}</th>
                            <th class="num">{t('running')}</th>
                            <th class="num">{t('waiting')}</th>
                            <th class="num roomy">{t('outstanding')}</th>
                            <th class="num">{t('tokensPerSecond')}</th>
                        </tr>
                    </thead>
                    <tbody>
                        {overview.engines.map((engine) => (
                            <tr key={engine.id}>
                                <td class="name"><Link to="/engines">{engine.id}</Link></td>
                                <td><Word of={engine.state === 'open' ? 'circuit_open' : engine.state} /></td>
                                <td><Bar share={engine.kv_usage} text={percent(engine.kv_usage)} label={t('kv')} /></td>
                                <td class="num">{number(engine.running)}</td>
                                <td class="num">{number(engine.waiting)}</td>
                                <td class="num roomy">{engine.outstanding}</td>
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
    return (
        <Card title={t('host')} wide>
            <div class="stats inner">
                <Stat label={t('cpu')} value={percent(host.cpu_ratio)} detail={`${t('load')} ${number(host.load1, 2)}`} />
                <Stat label={t('memory')} value={percent(memory)} detail={`${bytes(host.memory_used_bytes)} / ${bytes(host.memory_total_bytes)}`} />
                <Stat label={`${t('network')} ${t('in')}`} value={bytesPerSecond(host.network_receive_bytes_per_s)} detail={`${bytesPerSecond(host.network_transmit_bytes_per_s)} ${t('out')}`} />
                <Stat label={`${t('disk')} ${t('read')}`} value={bytesPerSecond(host.disk_read_bytes_per_s)} detail={`${bytesPerSecond(host.disk_write_bytes_per_s)} ${t('write')}`} />
            </div>
        </Card>
    )
}
