import { useCallback } from 'preact/hooks'
import { api } from '../api'
import { Word } from '../components/parts'
import { dateTime, seconds } from '../format'
import { useI18n } from '../i18n'
import { useLive } from '../live'
import { Loading, useLoad } from '../load'
import { go, Link } from '../router'

export function Incidents() {
    const { t, word } = useI18n()
    const loaded = useLoad(api.incidents, [], 10_000)
    useLive('incident', useCallback(() => loaded.reload(), [loaded.reload]))
    return (
        <>
            <h1>{t('nav.incidents')}</h1>
            <Loading of={loaded}>
                {(incidents) =>
                    incidents.length === 0 ? (
                        <p class="quiet">{t('noIncidents')}</p>
                    ) : (
                        <div class="scroll" tabIndex={0}>
                            <table class="rows">
                                <thead>
                                    <tr>
                                        <th>{t('opened')}</th>
                                        <th>{t('title')}</th>
                                        <th>{t('state')}</th>
                                        <th>{t('kind')}</th>
                                        <th>{t('replica')}</th>
                                        <th class="num">{t('resolved')} ({t('after')})</th>
                                    </tr>
                                </thead>
                                <tbody>
                                    {incidents.map((incident) => (
                                        <tr key={incident.id} onClick={() => go(`/incidents/${incident.id}`)}>
                                            <td>{dateTime(incident.opened_ms)}</td>
                                            <td><Link to={`/incidents/${incident.id}`}>{incident.title}</Link></td>
                                            <td><Word of={incident.status} /></td>
                                            <td>{word(incident.kind)}</td>
                                            <td>{incident.replica || '–'}</td>
                                            <td class="num">{incident.resolved_ms ? seconds((incident.resolved_ms - incident.opened_ms) / 1000) : '–'}</td>
                                        </tr>
                                    ))}
                                </tbody>
                            </table>
                        </div>
                    )
                }
            </Loading>
        </>
    )
}
