// What is scraped, and how that goes.
import { api } from '../api'
import { Card, Empty, Word } from '../components/parts'
import { clock, seconds } from '../format'
import { useI18n } from '../i18n'
import { Loading, useLoad } from '../load'
import type { Target } from '../types'

const labelsText = (labels: Record<string, string>) => Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(' ')

export function Targets() {
    const { t } = useI18n()
    const loaded = useLoad('targets', api.targets, 5_000)
    return (
        <>
            <div class="title">
                <h1>{t('nav.targets')}</h1>
            </div>
            <Loading of={loaded}>
                {(targets) => {
                    if (targets.length === 0) return <Empty text={t('noTargets')} />
                    const pools = new Map<string, Target[]>()
                    for (const target of targets) pools.set(target.scrapePool, [...(pools.get(target.scrapePool) ?? []), target])
                    return [...pools].map(([pool, members]) => (
                        <Card key={pool} title={pool} aside={`${members.filter((one) => one.health === 'up').length} / ${members.length} ${t('up')}`} flush>
                            <div class="scroll">
                                <table>
                                    <thead>
                                        <tr><th>{t('url')}</th><th>{t('state')}</th><th>{t('labels')}</th><th>{t('lastScrape')}</th><th class="num">{t('duration')}</th></tr>
                                    </thead>
                                    <tbody>
                                        {members.map((target) => (
                                            <tr key={target.scrapeUrl + labelsText(target.labels)}>
                                                <td><code>{target.scrapeUrl}</code></td>
                                                <td><Word of={target.health === 'up' ? 'ok' : target.health} /></td>
                                                <td class="wrap"><code>{labelsText(target.labels)}</code>{target.lastError && <div class="problem">{target.lastError}</div>}</td>
                                                <td class="tabular">{clock(Math.max(0, Date.parse(target.lastScrape) || 0))}</td>
                                                <td class="num">{seconds(target.lastScrapeDuration)}</td>
                                            </tr>
                                        ))}
                                    </tbody>
                                </table>
                            </div>
                        </Card>
                    ))
                }}
            </Loading>
        </>
    )
}
