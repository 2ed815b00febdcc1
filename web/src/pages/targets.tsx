// What is scraped and how that goes, and where the targets come from.
import { api } from '../api'
import { Card, Empty, Word } from '../components/parts'
import { dateTime, number, seconds } from '../format'
import { useI18n } from '../i18n'
import { Loading, useLoad } from '../load'
import type { Target, TargetSource } from '../types'

const labelsText = (labels: Record<string, string>) => Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(' ')
// Prometheus' way to say never is the year 1.
const time = (text: string) => Math.max(0, Date.parse(text) || 0)

function Age({ at }: { at: string }) {
    const { t } = useI18n()
    const ms = time(at)
    if (ms === 0) return <>{t('target.never')}</>
    return <span title={dateTime(ms)}>{seconds(Math.max(0, Math.round((Date.now() - ms) / 1000)))} {t('target.ago')}</span>
}

function Sources({ sources }: { sources: TargetSource[] }) {
    const { t } = useI18n()
    return (
        <Card title={t('target.sources')} flush>
            <div class="scroll">
                <table>
                    <thead>
                        <tr><th>{t('target.job')}</th><th>{t('target.source')}</th><th>{t('state')}</th><th class="num">{t('target.found')}</th><th>{t('target.lastSuccess')}</th></tr>
                    </thead>
                    <tbody>
                        {sources.map((one, index) => (
                            <tr key={index}>
                                <td>{one.scrapePool}</td>
                                <td>{one.source}{one.lastError && <div class="problem">{one.lastError}{one.targets > 0 && ` — ${t('target.kept')}`}</div>}</td>
                                <td><Word of={one.lastError ? 'down' : one.asked ? 'ok' : 'unknown'} /></td>
                                <td class="num">{number(one.targets, 0)}</td>
                                <td class="tabular">{one.lastError && one.asked ? <Age at={one.lastSuccess} /> : ''}</td>
                            </tr>
                        ))}
                    </tbody>
                </table>
            </div>
        </Card>
    )
}

function Pool({ pool, members, dropped }: { pool: string; members: Target[]; dropped: number }) {
    const { t } = useI18n()
    const up = `${members.filter((one) => one.health === 'up').length} / ${members.length} ${t('up')}`
    return (
        <Card title={pool} aside={dropped > 0 ? `${up}, ${dropped} ${t('target.dropped')}` : up} flush>
            <div class="scroll">
                <table>
                    <thead>
                        <tr><th>{t('url')}</th><th>{t('state')}</th><th>{t('labels')}</th><th>{t('lastScrape')}</th><th class="num">{t('duration')}</th><th class="num">{t('target.samples')}</th></tr>
                    </thead>
                    <tbody>
                        {members.map((target) => (
                            <tr key={target.scrapeUrl + labelsText(target.labels)}>
                                <td><code>{target.scrapeUrl}</code></td>
                                <td><Word of={target.health === 'up' ? 'ok' : target.health} /></td>
                                <td class="wrap"><code>{labelsText(target.labels)}</code>{target.lastError && <div class="problem">{target.lastError}</div>}</td>
                                <td class="tabular"><Age at={target.lastScrape} /></td>
                                <td class="num">{seconds(target.lastScrapeDuration)}</td>
                                <td class="num">{number(target.lastScrapeSamples, 0)}</td>
                            </tr>
                        ))}
                    </tbody>
                </table>
            </div>
        </Card>
    )
}

export function Targets() {
    const { t } = useI18n()
    const loaded = useLoad('targets', api.targets, 5_000)
    return (
        <>
            <div class="title">
                <h1>{t('nav.targets')}</h1>
            </div>
            <Loading of={loaded}>
                {(found) => {
                    const sources = found.discovery ?? []
                    if (found.activeTargets.length === 0 && sources.length === 0) return <Empty text={t('noTargets')} />
                    const pools = new Map<string, Target[]>()
                    for (const target of found.activeTargets) pools.set(target.scrapePool, [...(pools.get(target.scrapePool) ?? []), target])
                    return (
                        <>
                            {sources.length > 0 && <Sources sources={sources} />}
                            {[...pools].map(([pool, members]) => <Pool key={pool} pool={pool} members={members} dropped={found.droppedTargetCounts[pool] ?? 0} />)}
                        </>
                    )
                }}
            </Loading>
        </>
    )
}
