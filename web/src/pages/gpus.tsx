// This machine's GPUs: load and what it really is, memory, heat, power, what is wrong, and whose they are.
import { api } from '../api'
import { Bar, Card, Empty, Facts, Word } from '../components/parts'
import { bytes, clock, dateTime, number, percent } from '../format'
import { useI18n } from '../i18n'
import { Loading, useLoad } from '../load'
import type { Gpu, GpuReader, Known } from '../types'

const staleAfterMs = 5_000

export function Gpus() {
    const { t } = useI18n()
    const loaded = useLoad('gpus', api.gpus, 1_000)
    return (
        <>
            <div class="title">
                <h1>{t('nav.gpus')}</h1>
            </div>
            <Loading of={loaded}>
                {({ gpus, readers }) => (
                    <>
                        {readers.filter((reader) => reader.gpus > 0 && reader.age_ms > staleAfterMs).map((reader) => <Silent key={reader.reader} reader={reader} />)}
                        {gpus.length === 0 ? (
                            <Empty text={t('noGpus')}>
                                {readers.map((reader) => <code key={reader.reader}>{reader.error}</code>)}
                            </Empty>
                        ) : (
                            <div class="grid">{gpus.map((gpu) => <One key={gpu.uuid} gpu={gpu} />)}</div>
                        )}
                    </>
                )}
            </Loading>
        </>
    )
}

// The driver does not come back: what follows is old.
function Silent({ reader }: { reader: GpuReader }) {
    const { t } = useI18n()
    return <p class="notice bad" role="alert">{t('gpuSilent')} {dateTime(reader.at_ms)} ({reader.reader})</p>
}

function One({ gpu }: { gpu: Gpu }) {
    const { t } = useI18n()
    const worst = gpu.health < 50 ? 'critical' : gpu.health < 100 ? 'warning' : 'ok'
    return (
        <Card title={`${gpu.gpu} · ${gpu.name}`} aside={<>{t('gpuHealth')} {gpu.health} <Word of={worst} /></>}>
            {gpu.findings.map((finding) => <p key={finding.id} class={`notice ${finding.points >= 30 ? 'bad' : ''}`}>{finding.what}</p>)}
            {gpu.up && <Values gpu={gpu} />}
        </Card>
    )
}

function Values({ gpu }: { gpu: Gpu }) {
    const { t } = useI18n()
    const share = (of: Known, most: Known) => (of === null || most === null || most === 0 ? null : of / most)
    const ratio = (value: Known, label: string) => <Bar share={value} text={percent(value)} label={label} />
    return (
        <Facts
            rows={[
                [t('gpuBusy'), ratio(gpu.utilization, t('gpuBusy'))],
                [t('gpuSm'), ratio(gpu.sm_active, t('gpuSm'))],
                [t('gpuTensor'), ratio(gpu.tensor_active, t('gpuTensor'))],
                [t('gpuDram'), ratio(gpu.dram_active, t('gpuDram'))],
                [t('gpuMemory'), <Bar share={share(gpu.memory_used_bytes, gpu.memory_total_bytes)} text={`${bytes(gpu.memory_used_bytes)} / ${bytes(gpu.memory_total_bytes)}`} label={t('gpuMemory')} />],
                [t('gpuPower'), <Bar share={share(gpu.power_watts, gpu.power_limit_watts)} text={`${number(gpu.power_watts, 0)} / ${number(gpu.power_limit_watts, 0)} W`} label={t('gpuPower')} />],
                [t('gpuTemperature'), `${number(gpu.temperature_celsius)} °C (${t('gpuSlowsAt')} ${number(gpu.slowdown_temperature_celsius)} °C), ${t('gpuMemory')} ${number(gpu.memory_temperature_celsius)} °C`],
                [t('gpuClock'), `${number(gpu.sm_clock_hertz && gpu.sm_clock_hertz / 1e6, 0)} / ${number(gpu.sm_clock_max_hertz && gpu.sm_clock_max_hertz / 1e6, 0)} MHz${gpu.clock_reasons.length > 0 ? ` · ${gpu.clock_reasons.join(', ')}` : ''}`],
                [t('gpuProcesses'), gpu.processes.length === 0 ? '–' : gpu.processes.map((each) => <div key={each.pid}>{each.replica || each.engine || each.name || '?'} · pid {each.pid} · {bytes(each.memory_bytes)}</div>)],
                [t('gpuXids'), gpu.xids.length === 0 ? '–' : gpu.xids.map((xid) => <div key={xid.xid} title={xid.detail}>{xid.xid} × {xid.count} · {clock(xid.last_ms)} · {xid.meaning} → {xid.action}</div>)],
                [t('gpuIdentity'), <><code>{gpu.pci}</code> {gpu.generation} · {t('gpuDriver')} {gpu.driver || '–'}{gpu.mig ? ` · MIG ${gpu.instances.map((each) => each.profile).join(', ')}` : ''}</>],
            ]}
        />
    )
}
