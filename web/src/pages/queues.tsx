// The queues before pools: who waits, for how long, what the limit is and why, and who was turned away.
import { api } from '../api'
import { Bar, Card, Empty, Stat, Word } from '../components/parts'
import { number, seconds } from '../format'
import { useI18n } from '../i18n'
import { Loading, useLoad } from '../load'
import { classes, refusals, type Queue } from '../types'

export function Queues() {
    const { t } = useI18n()
    const loaded = useLoad('queues', api.queues, 1_000)
    return (
        <>
            <div class="title">
                <h1>{t('nav.queues')}</h1>
            </div>
            <Loading of={loaded}>
                {(queues) => (queues.length === 0 ? <Empty text={t('noQueues')}><code>pools[].admission</code></Empty> : queues.map((queue) => <Pool key={queue.pool} queue={queue} />))}
            </Loading>
        </>
    )
}

function Pool({ queue }: { queue: Queue }) {
    const { t } = useI18n()
    const waiting = classes.reduce((sum, each) => sum + queue.waiting[each], 0)
    const refused = refusals.reduce((sum, each) => sum + queue.refused[each], 0)
    return (
        <Card title={queue.pool}>
            <div class="stats inner">
                <Stat label={t('placesTaken')} value={queue.limit === null ? `${queue.running}` : `${queue.running} / ${queue.limit}`} detail={<Why queue={queue} />} />
                <Stat label={t('waiting')} value={`${waiting} / ${number(queue.queue)}`} detail={classes.map((each) => `${t(`class.${each}`)} ${queue.waiting[each]}`).join(' · ')} />
                <Stat label={t('oldestWait')} value={waiting === 0 ? '–' : seconds(queue.oldest_wait_ms / 1000)} detail={queue.drain_per_second > 0 && `${number(queue.drain_per_second)} ${t('placesPerSecond')}`} />
                <Stat label={t('turnedAway')} value={number(refused, 0)} detail={refused > 0 && refusals.filter((each) => queue.refused[each] > 0).map((each) => `${t(`refused.${each}`)} ${number(queue.refused[each], 0)}`).join(' · ')} />
            </div>
            {queue.tenants.length > 0 && <Lines queue={queue} waiting={waiting} />}
        </Card>
    )
}

// What the limit goes by, in words.
function Why({ queue }: { queue: Queue }) {
    const { t } = useI18n()
    if (queue.limit === null) return <>{t('nobodyServes')}</>
    if (queue.by === undefined) return <>{t('limit.fixed')}</>
    const ratio = queue.ttft_ratio ? ` (${number(queue.ttft_ratio)}×)` : ''
    return <span title={t(`limit.${queue.by}`)}>{t(`limit.${queue.by}`)}{queue.by === 'first_token' || queue.by === 'whole_answer' ? ratio : ''}</span>
}

function Lines({ queue, waiting }: { queue: Queue; waiting: number }) {
    const { t } = useI18n()
    return (
        <div class="scroll lines" tabIndex={0} role="region" aria-label={`${t('waiting')}: ${queue.pool}`}>
            <table>
                <thead>
                    <tr><th>{t('tenant')}</th><th>{t('priority')}</th><th>{t('waiting')}</th></tr>
                </thead>
                <tbody>
                    {queue.tenants.map((line) => (
                        <tr key={`${line.priority} ${line.tenant}`}>
                            <td>{line.tenant || '–'}</td>
                            <td><Word of={line.priority} /></td>
                            <td><Bar share={line.waiting / Math.max(1, waiting)} text={`${line.waiting}`} label={`${t('waiting')}: ${line.tenant}`} /></td>
                        </tr>
                    ))}
                </tbody>
            </table>
        </div>
    )
}
