// The frame around every page: navigation, language, theme, connection.
import { useCallback, useState } from 'preact/hooks'
import { useI18n, type Language } from './i18n'
import { useConnected, useLive } from './live'
import { Engines } from './pages/engines'
import { IncidentPage } from './pages/incident'
import { Incidents } from './pages/incidents'
import { OverviewPage } from './pages/overview'
import { RequestPage } from './pages/request'
import { Requests } from './pages/requests'
import { Link, usePath } from './router'
import { useTheme, type Theme } from './theme'
import type { Overview } from './types'

const sections = ['overview', 'requests', 'incidents', 'engines'] as const

function Page({ path }: { path: string[] }) {
    const { t } = useI18n()
    const [section, id] = path
    if (section === undefined || section === 'overview') return <OverviewPage />
    if (section === 'requests') return id ? <RequestPage id={id} /> : <Requests />
    if (section === 'incidents') return id ? <IncidentPage id={id} /> : <Incidents />
    if (section === 'engines') return <Engines />
    return <p class="quiet">{t('notFound')}</p>
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

export function App() {
    const { t } = useI18n()
    const path = usePath()
    const connected = useConnected()
    const [overview, setOverview] = useState<Overview | null>(null)
    useLive('overview', useCallback(setOverview, []))
    const open = overview?.incidents.open ?? 0
    return (
        <div class="frame">
            <a class="skip" href="#content">
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
                    <span class={connected ? 'live up' : 'live'} role="status">
                        {connected ? t('live') : t('offline')}
                    </span>
                    <Choices />
                </div>
            </header>
            <main id="content" tabIndex={-1}>
                {overview?.demo && <p class="notice demo">{t('demo')}</p>}
                <Page path={path} />
            </main>
        </div>
    )
}
