import { useCallback, useState } from 'preact/hooks'
import { api } from '../api'
import { Card, Facts, Word } from '../components/parts'
import { clock, dateTime, offset, percent, seconds } from '../format'
import { useI18n } from '../i18n'
import { useLive } from '../live'
import { Loading, useLoad } from '../load'
import { Link } from '../router'
import type { Incident } from '../types'

export function IncidentPage({ id }: { id: string }) {
    const { t } = useI18n()
    const loaded = useLoad(() => api.incident(id), [id], 10_000)
    useLive('incident', useCallback((incident: Incident) => incident.id === id && loaded.set(incident), [id]))
    return (
        <>
            <p><Link to="/incidents">← {t('back')}</Link></p>
            <Loading of={loaded}>
                {(incident) => (
                    <>
                        <h1>{incident.title}</h1>
                        {incident.status === 'awaiting_approval' && <Decision incident={incident} onDone={loaded.set} />}
                        <div class="grid">
                            <Card title={t('details')} wide>
                                <Summary incident={incident} />
                            </Card>
                            <Card title={t('hypotheses')} wide>
                                <Hypotheses incident={incident} />
                            </Card>
                            <Card title={t('timeline')} wide>
                                <Timeline incident={incident} />
                            </Card>
                        </div>
                    </>
                )}
            </Loading>
        </>
    )
}

function Decision({ incident, onDone }: { incident: Incident; onDone: (incident: Incident) => void }) {
    const { t } = useI18n()
    const [error, setError] = useState('')
    const [busy, setBusy] = useState(false)
    const decide = (verdict: 'approve' | 'reject') => {
        setBusy(true)
        api.decide(incident.id, verdict)
            .then(onDone, (problem: Error) => setError(problem.message))
            .finally(() => setBusy(false))
    }
    return (
        <p class="notice decision" role="alert">
            {t('waitingForYou')}
            <button class="primary" disabled={busy} onClick={() => decide('approve')}>{t('approve')}</button>
            <button disabled={busy} onClick={() => decide('reject')}>{t('reject')}</button>
            {error}
        </p>
    )
}

function Summary({ incident }: { incident: Incident }) {
    const { t, word } = useI18n()
    return (
        <Facts
            rows={[
                [t('state'), <Word of={incident.status} />],
                [t('kind'), `${word(incident.kind)} (${word(incident.severity)})`],
                [t('replica'), incident.replica || '–'],
                [t('policy'), incident.policy || '–'],
                [t('opened'), dateTime(incident.opened_ms)],
                [t('resolved'), incident.resolved_ms ? `${dateTime(incident.resolved_ms)} (${t('after')} ${seconds((incident.resolved_ms - incident.opened_ms) / 1000)})` : '–'],
            ]}
        />
    )
}

function Hypotheses({ incident }: { incident: Incident }) {
    return (
        <ol class="hypotheses">
            {incident.hypotheses.map((hypothesis) => (
                <li key={hypothesis.cause}>
                    <p>
                        <strong>{percent(hypothesis.confidence)}</strong> {hypothesis.summary} <code>{hypothesis.cause}</code>
                    </p>
                    <ul>
                        {hypothesis.evidence.map((evidence, index) => (
                            <li key={index}>
                                {evidence.text}
                                {evidence.query && <code class="query">{evidence.query} = {evidence.value}</code>}
                            </li>
                        ))}
                    </ul>
                </li>
            ))}
        </ol>
    )
}

function Timeline({ incident }: { incident: Incident }) {
    const { t, word } = useI18n()
    return (
        <ol class="timeline">
            {incident.timeline.map((entry, index) => (
                <li key={index} class={`${entry.phase} ${entry.ok ? '' : 'failed'}`}>
                    <time dateTime={new Date(entry.at_ms).toISOString()} title={dateTime(entry.at_ms)}>
                        {clock(entry.at_ms)} <small>{offset(entry.at_ms - incident.opened_ms)}</small>
                    </time>
                    <span class="phase">{word(entry.phase)}</span>
                    <span>
                        {entry.ok ? '' : '✗ '}
                        {entry.text} <small>{t('by')} {entry.actor}</small>
                    </span>
                </li>
            ))}
        </ol>
    )
}
