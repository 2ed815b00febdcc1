import { useCallback } from 'preact/hooks'
import { api } from '../api'
import { Empty, Word } from '../components/parts'
import { dateTime, seconds } from '../format'
import { useI18n } from '../i18n'
import { useLive } from '../live'
import { Loading, useLoad } from '../load'
import { go, Link } from '../router'
import type { Incident } from '../types'

export function Incidents() {
    const { t } = useI18n()
    const loaded = useLoad('incidents', api.incidents, 10_000)
    useLive('incident', useCallback(() => loaded.reload(), [loaded.reload]))
    return (
        <>
            <div class="title">
                <h1>{t('nav.incidents')}</h1>
            </div>
            <Loading of={loaded}>
                {(incidents) => (incidents.length === 0 ? <Empty text={t('noIncidents')} /> : <IncidentTable incidents={incidents} />)}
            </Loading>
        </>
    )
}

function IncidentTable({ incidents }: { incidents: Incident[] }) {
    const { t, word } = useI18n()
    return (
        <div class="card flush scroll" tabIndex={0} role="region" aria-label={t('nav.incidents')}>
            <table class="rows">
                <thead>
                    <tr>
                        <th>{t('title')}</th>
                        <th>{t('state')}</th>
                        <th class="roomy">{t('kind')}</th>
                        <th>{t('opened')}</th>
                        <th class="num">{t('recoveredIn')}</th>
                    </tr>
                </thead>
                <tbody>
                    {incidents.map((incident) => (
                        <tr key={incident.id} onClick={() => go(`/incidents/${encodeURIComponent(incident.id)}`)}>
                            <td class="name wrap"><Link to={`/incidents/${encodeURIComponent(incident.id)}`}>{incident.title}</Link></td>
                            <td><Word of={incident.status} /></td>
                            <td class="roomy quiet">{word(incident.kind)}</td>
                            <td class="tabular">{dateTime(incident.opened_ms)}</td>
                            <td class="num">{incident.resolved_ms ? seconds((incident.resolved_ms - incident.opened_ms) / 1000) : '–'}</td>
                        </tr>
                    ))}
                </tbody>
            </table>
        </div>
    )
}
