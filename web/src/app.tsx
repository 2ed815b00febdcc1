// The frame around every page: navigation, language, theme, connection.
import { useCallback, useEffect, useState } from 'preact/hooks'
import { useI18n, type Language } from './i18n'
import { useConnection, useLive, type Connection } from './live'
import { Agents } from './pages/agents'
import { Cardinality } from './pages/cardinality'
import { Engines } from './pages/engines'
import { Gpus } from './pages/gpus'
import { IncidentPage } from './pages/incident'
import { Incidents } from './pages/incidents'
import { Keys } from './pages/keys'
import { Logs } from './pages/logs'
import { Metrics } from './pages/metrics'
import { OverviewPage } from './pages/overview'
import { Queues } from './pages/queues'
import { RequestPage } from './pages/request'
import { Requests } from './pages/requests'
import { Rules } from './pages/rules'
import { Targets } from './pages/targets'
import { TracePage } from './pages/trace'
import { Traces } from './pages/traces'
import { Link, usePath } from './router'
import { useTheme, type Theme } from './theme'
import type { Overview } from './types'

const sections = ['overview', 'requests', 'traces', 'logs', 'incidents', 'engines', 'gpus', 'queues', 'explore', 'rules', 'targets', 'agents', 'keys'] as const

function Page({ path }: { path: string[] }) {
    const { t } = useI18n()
    const [section, id] = path
    if (section === undefined || section === 'overview') return <OverviewPage />
    if (section === 'requests') return id ? <RequestPage key={id} id={id} /> : <Requests />
    if (section === 'traces') return id ? <TracePage key={id} id={id} /> : <Traces />
    if (section === 'logs') return <Logs />
    if (section === 'incidents') return id ? <IncidentPage key={id} id={id} /> : <Incidents />
    if (section === 'engines') return <Engines />
    if (section === 'gpus') return <Gpus />
    if (section === 'queues') return <Queues />
    if (section === 'explore') return id === 'cardinality' ? <Cardinality /> : <Metrics />
    if (section === 'rules') return <Rules />
    if (section === 'targets') return <Targets />
    if (section === 'agents') return <Agents />
    if (section === 'keys') return <Keys />
    return (
        <div class="empty">
            <h1>{t('notFound')}</h1>
            <Link to="/">{t('nav.overview')}</Link>
        </div>
    )
}

function Choices() {
    const { t, language, setLanguage } = useI18n()
    const [theme, setTheme] = useTheme()
    return (
        <div class="choices">
            <select aria-label={t('language')} value={language} onChange={(event) => setLanguage(event.currentTarget.value as Language)}>
                <option value="en">English</option>
                <option value="zh">中文</option>
            </select>
            <select aria-label={t('theme')} value={theme} onChange={(event) => setTheme(event.currentTarget.value as Theme)}>
                {(['auto', 'light', 'dark'] as const).map((each) => (
                    <option key={each} value={each}>
                        {t(`theme.${each}`)}
                    </option>
                ))}
            </select>
        </div>
    )
}

// The feed drops for a moment whenever Stoker restarts; only an absence that lasts is worth a banner.
function useLasting(state: Connection, ms: number): boolean {
    const [lasting, set] = useState(false)
    useEffect(() => {
        set(false)
        if (state !== 'down') return
        const timer = setTimeout(() => set(true), ms)
        return () => clearTimeout(timer)
    }, [state, ms])
    return state === 'down' && lasting
}

function useTitle(path: string[], open: number) {
    const { t } = useI18n()
    const section = sections.find((each) => each === (path[0] ?? 'overview'))
    const name = path[1] && section !== 'explore' ? path[1] : (section ? t(`nav.${section}`) : '')
    useEffect(() => {
        document.title = `${open > 0 ? `(${open}) ` : ''}${name ? `${name} · ` : ''}Stoker`
    }, [name, open])
}

export function App() {
    const { t } = useI18n()
    const path = usePath()
    const connection = useConnection()
    const away = useLasting(connection, 500)
    const [overview, setOverview] = useState<Overview | null>(null)
    useLive('overview', useCallback(setOverview, []))
    const open = overview?.incidents.open ?? 0
    useTitle(path, open)
    const skip = (event: MouseEvent) => {
        event.preventDefault()
        document.getElementById('content')?.focus()
    }
    return (
        <div class="frame">
            <a class="skip" href="#content" onClick={skip}>
                {t('skip')}
            </a>
            <header>
                <Link to="/" class="brand">
                    <img src="/favicon.svg" alt="" width="24" height="24" /> Stoker
                </Link>
                <nav aria-label={t('nav.label')}>
                    {sections.map((section) => (
                        <Link key={section} to={section === 'overview' ? '/' : `/${section}`} current={(path[0] ?? 'overview') === section}>
                            {t(`nav.${section}`)}
                            {section === 'incidents' && open > 0 && <span class="badge">{open}</span>}
                        </Link>
                    ))}
                </nav>
                <div class="foot">
                    <span class={`live ${connection}`} role="status">
                        {t(`connection.${connection}`)}
                    </span>
                    <Choices />
                    {overview && <span class="version">Stoker {overview.version}</span>}
                </div>
            </header>
            <main id="content" tabIndex={-1}>
                {away && (
                    <p class="notice bad away" role="alert">
                        {t('away')}
                    </p>
                )}
                {overview?.demo && <p class="notice demo">{t('demo')}</p>}
                <Page path={path} />
            </main>
        </div>
    )
}
