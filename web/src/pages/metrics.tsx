// The metrics explorer: queries under one window of time. All of it is in the address, so a link shows the same.
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks'
import { dateTime } from '../format'
import { useI18n } from '../i18n'
import { emptyPanel, fromSearch, spanSeconds, spanText, stepFor, toSearch, type Panel, type View } from '../metrics/panel'
import { PanelView } from '../metrics/panel_view'
import { Link, replace, go, useSearch } from '../router'

const spans = ['5m', '15m', '1h', '6h', '1d', '1w', '4w']

export function Metrics() {
    const { t } = useI18n()
    const view = fromSearch(useSearch())
    const [asked, setAsked] = useState(0)
    const [refresh, setRefresh] = useState(0)
    const [copied, setCopied] = useState(false)
    // A zoom is a place to come back from; typing in a query is not.
    const show = (next: View, step = false) => (step ? go : replace)(`/explore${toSearch(next)}`)
    const changePanel = (index: number, part: Partial<Panel>) => {
        show({ ...view, panels: view.panels.map((panel, i) => (i === index ? { ...panel, ...part } : panel)) })
        setAsked((count) => count + 1)
    }
    useEffect(() => {
        if (refresh === 0) return
        const timer = setInterval(() => document.visibilityState === 'visible' && setAsked((count) => count + 1), refresh * 1000)
        return () => clearInterval(timer)
    }, [refresh])
    const step = view.step ?? stepFor(view.range)
    const window = useMemo(() => {
        const end = Math.floor(view.end ?? Date.now() / 1000)
        return { start: end - Math.floor(view.range / step) * step, end, step }
    }, [view.range, view.end, step, asked])
    const zoom = useCallback((start: number, end: number) => show({ ...view, range: Math.max(10, Math.round(end - start)), end: Math.round(end), step: null }, true), [JSON.stringify(view)])
    const share = () => navigator.clipboard?.writeText(`${location.origin}/explore${toSearch({ ...view, end: view.end ?? window.end })}`).then(() => {
        setCopied(true)
        setTimeout(() => setCopied(false), 2000)
    })
    return (
        <>
            <div class="title">
                <h1>{t('nav.explore')}</h1>
                <Link to="/explore/cardinality">{t('cardinality')}</Link>
            </div>
            <form class="filters" onSubmit={(event) => event.preventDefault()}>
                <Span range={view.range} onChange={(range) => show({ ...view, range })} />
                <button type="button" aria-label={t('earlier')} onClick={() => show({ ...view, end: window.end - view.range / 2 })}>←</button>
                <output class="tabular">{view.end === null ? t('untilNow') : dateTime(view.end * 1000)}</output>
                <button type="button" aria-label={t('later')} disabled={view.end === null} onClick={() => show({ ...view, end: window.end + view.range / 2 > Date.now() / 1000 ? null : window.end + view.range / 2 })}>→</button>
                {view.end !== null && <button type="button" onClick={() => show({ ...view, end: null })}>{t('now')}</button>}
                <button type="button" onClick={() => show({ ...view, range: view.range * 2 })}>{t('zoomOut')}</button>
                <select aria-label={t('refresh')} value={refresh} onChange={(event) => setRefresh(Number(event.currentTarget.value))}>
                    <option value={0}>{t('refreshOff')}</option>
                    {[5, 15, 60].map((each) => <option key={each} value={each}>{`${t('refresh')} ${each} s`}</option>)}
                </select>
                <button type="button" class="total" onClick={share}>{copied ? t('copied') : t('share')}</button>
            </form>
            {view.panels.map((panel, index) => (
                <PanelView
                    key={index}
                    panel={panel}
                    window={window}
                    asked={asked}
                    onChange={(part) => changePanel(index, part)}
                    onRemove={view.panels.length > 1 ? () => show({ ...view, panels: view.panels.filter((_, i) => i !== index) }) : null}
                    onZoom={zoom}
                    onBack={() => history.back()}
                />
            ))}
            <button onClick={() => show({ ...view, panels: [...view.panels, emptyPanel] })}>{t('addQuery')}</button>
        </>
    )
}

// A list of usual spans, and any other that is typed.
function Span({ range, onChange }: { range: number; onChange: (range: number) => void }) {
    const { t } = useI18n()
    const [typed, setTyped] = useState(spanText(range))
    useEffect(() => setTyped(spanText(range)), [range])
    const take = (text: string) => {
        setTyped(text)
        const seconds = spanSeconds(text)
        if (seconds !== null && seconds !== range) onChange(seconds)
    }
    return (
        <>
            <input type="search" class="window" list="spans" aria-label={t('window')} value={typed} onChange={(event) => take(event.currentTarget.value)} aria-invalid={spanSeconds(typed) === null} />
            <datalist id="spans">{spans.map((span) => <option key={span} value={span} />)}</datalist>
        </>
    )
}
