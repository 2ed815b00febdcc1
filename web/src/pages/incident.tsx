import { useCallback, useState } from 'preact/hooks'
import { api } from '../api'
import { Back, Card, Facts, Stat, Word } from '../components/parts'
import { clock, dateTime, offset, percent, seconds } from '../format'
import { useI18n } from '../i18n'
import { useLive } from '../live'
import { Loading, useLoad } from '../load'
import type { Incident } from '../types'

export function IncidentPage({ id }: { id: string }) {
    const { t } = useI18n()
    const loaded = useLoad(`incident ${id}`, () => api.incident(id), 10_000)
    useLive('incident', useCallback((incident: Incident) => incident.id === id && loaded.set(incident), [id, loaded.set]))
    return (
        <>
            <Back to="/incidents" name={t('nav.incidents')} />
            <div class="title">
                <h1>{loaded.value?.title ?? id}</h1>
                {loaded.value && <Word of={loaded.value.status} />}
            </div>
            <Loading of={loaded}>
                {(incident) => (
                    <>
                        {incident.status === 'awaiting_approval' && <Decision incident={incident} onDone={loaded.set} />}
                        <Times incident={incident} />
                        <div class="grid">
                            <Card title={t('timeline')} wide>
                                <Timeline incident={incident} />
                            </Card>
                            {incident.hypotheses.length > 0 && (
                                <Card title={t('hypotheses')} wide>
                                    <Hypotheses incident={incident} />
                                </Card>
                            )}
                            <Card title={t('details')} wide>
                                <Details incident={incident} />
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
    const plan = incident.timeline.findLast((entry) => entry.phase === 'plan')
    const decide = (verdict: 'approve' | 'reject') => {
        setBusy(true)
        setError('')
        api.decide(incident.id, verdict)
            .then(onDone, (problem: Error) => setError(problem.message))
            .finally(() => setBusy(false))
    }
    return (
        <div class="notice decision" role="alert">
            <p>
                <strong>{t('waitingForYou')}</strong>
                {plan && <span>{plan.text}</span>}
                {error && <span class="problem">{error}</span>}
            </p>
            <span class="buttons">
                <button class="primary" disabled={busy} onClick={() => decide('approve')}>{t('approve')}</button>
                <button disabled={busy} onClick={() => decide('reject')}>{t('reject')}</button>
            </span>
        </div>
    )
}

// How long it took, from detection on: to know the cause, to begin to act, to be well again.
function Times({ incident }: { incident: Incident }) {
    const { t } = useI18n()
    const after = (phase: string) => {
        const entry = incident.timeline.find((each) => each.phase === phase)
        return entry ? seconds((entry.at_ms - incident.opened_ms) / 1000) : '–'
    }
    const recovered = incident.resolved_ms ? seconds((incident.resolved_ms - incident.opened_ms) / 1000) : '–'
    const detected = incident.timeline.find((entry) => entry.phase === 'detect')
    return (
        <div class="stats">
            <Stat label={t('detectedAt')} value={clock(incident.opened_ms)} detail={detected && `${t('by')} ${detected.actor}`} />
            <Stat label={t('timeToDiagnose')} value={after('diagnose')} detail={t('afterDetection')} />
            <Stat label={t('timeToAct')} value={after('act')} detail={t('afterDetection')} />
            <Stat label={t('timeToRecover')} value={recovered} detail={t('afterDetection')} tone={incident.resolved_ms ? 'good' : undefined} />
        </div>
    )
}

function Details({ incident }: { incident: Incident }) {
    const { t, word } = useI18n()
    return (
        <Facts
            rows={[
                [t('kind'), word(incident.kind)],
                [t('severity'), <Word of={incident.severity} />],
                [t('replica'), incident.replica || '–'],
                [t('policy'), incident.policy || '–'],
                [t('opened'), dateTime(incident.opened_ms)],
                [t('resolved'), dateTime(incident.resolved_ms)],
                [t('id'), <code>{incident.id}</code>],
            ]}
        />
    )
}

function Hypotheses({ incident }: { incident: Incident }) {
    const { t } = useI18n()
    return (
        <ol class="hypotheses">
            {incident.hypotheses.map((hypothesis) => (
                <li key={hypothesis.cause}>
                    <span class="confidence" title={t('confidence')}>
                        {percent(hypothesis.confidence)}
                        <progress max={1} value={hypothesis.confidence} aria-label={t('confidence')} />
                    </span>
                    <div>
                        <p>
                            <strong>{hypothesis.summary}</strong> <code class="quiet">{hypothesis.cause}</code>
                        </p>
                        <ul>
                            {hypothesis.evidence.map((evidence, index) => (
                                <li key={index}>
                                    {evidence.text}
                                    {evidence.query && <code class="query">{evidence.query} = {evidence.value}</code>}
                                </li>
                            ))}
                        </ul>
                    </div>
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
                    <span class="text">
                        {!entry.ok && <span class="problem">{t('failed')}: </span>}
                        {entry.text}
                    </span>
                    <small class="actor">{entry.actor}</small>
                </li>
            ))}
        </ol>
    )
}
