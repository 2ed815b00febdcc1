// One query with its answer, as a graph or as a table.
import { lazy, Suspense } from 'preact/compat'
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { api, type PromAnswer, type PromData, type PromHistogram, type SingleData } from '../api'
import { dateTime } from '../format'
import { useI18n } from '../i18n'
import type { Given } from './editor'
import { mistakeIn } from './mistake'
import { seriesName } from './names'
import type { Panel } from './panel'
import { Behind } from './behind'
import { Plot } from './plot'

const Editor = lazy(() => import('./editor'))

interface Window {
    start: number
    end: number
    step: number
}

interface PanelProps {
    panel: Panel
    window: Window
    asked: number // Changes whenever the answer is wanted anew.
    onChange: (part: Partial<Panel>) => void
    onRemove: (() => void) | null
    onZoom: (start: number, end: number) => void
    onBack: () => void
}

interface Outcome {
    query: string
    view: Panel['view']
    window: Window
    answer: PromAnswer | null
    error: string
    took: number
}

async function ask(panel: Panel, window: Window): Promise<Outcome> {
    const began = performance.now()
    const outcome: Outcome = { query: panel.query, view: panel.view, window, answer: null, error: '', took: 0 }
    try {
        outcome.answer = await (panel.view === 'table' ? api.query(panel.query, window.end) : api.queryRange(panel.query, window.start, window.end, window.step))
    } catch (problem) {
        outcome.error = (problem as Error).message
    }
    outcome.took = performance.now() - began
    return outcome
}

export function PanelView({ panel, window, asked, onChange, onRemove, onZoom, onBack }: PanelProps) {
    const { t } = useI18n()
    const [draft, setDraft] = useState(panel.query)
    const [given, setGiven] = useState<Given>({ text: panel.query })
    const [outcome, setOutcome] = useState<Outcome | null>(null)
    const [busy, setBusy] = useState(false)
    const newest = useRef(0)
    const give = (text: string) => {
        setDraft(text)
        setGiven({ text })
    }
    useEffect(() => give(panel.query), [panel.query])
    useEffect(() => {
        if (panel.query.trim() === '') {
            setOutcome(null)
            return
        }
        const mine = ++newest.current
        setBusy(true)
        ask(panel, window).then((found) => {
            if (mine !== newest.current) return
            setOutcome(found)
            setBusy(false)
        })
    }, [panel.query, panel.view, window, asked])
    const mistake = useMemo(() => (outcome?.error && outcome.query === draft ? mistakeIn(draft, outcome.error) : null), [outcome, draft])
    const run = useCallback(() => onChange({ query: draft }), [draft, onChange])
    const format = () => api.formatQuery(draft).then(give, (problem: Error) => setOutcome({ query: draft, view: panel.view, window, answer: null, error: problem.message, took: 0 }))
    return (
        <section class="card panel" aria-label={t('query')}>
            <div class="query-line">
                <Suspense fallback={<div class="editor" />}>
                    <Editor given={given} mistake={mistake} label={t('query')} hint={t('queryHint')} onChange={setDraft} onRun={run} />
                </Suspense>
                <button class="primary" onClick={run}>{t('run')}</button>
            </div>
            <div class="filters">
                <div class="tabs" role="tablist">
                    {(['graph', 'table'] as const).map((view) => (
                        <button key={view} role="tab" aria-selected={panel.view === view} onClick={() => onChange({ query: draft, view })}>{t(view)}</button>
                    ))}
                </div>
                {panel.view === 'graph' && (
                    <label class="check">
                        <input type="checkbox" checked={panel.stacked} onChange={(event) => onChange({ stacked: event.currentTarget.checked })} /> {t('stacked')}
                    </label>
                )}
                <button onClick={format} disabled={draft.trim() === ''}>{t('format')}</button>
                {onRemove && <button onClick={onRemove}>{t('remove')}</button>}
                <output class="total">{busy ? t('loading') : outcome?.answer ? `${countOf(outcome.answer)} · ${outcome.took.toFixed(0)} ms` : ''}</output>
            </div>
            {outcome?.error && <p class="notice bad" role="alert">{outcome.error}</p>}
            {(outcome?.answer?.warnings ?? []).map((text) => <p key={text} class="notice warn">{text}</p>)}
            {(outcome?.answer?.infos ?? []).map((text) => <p key={text} class="notice">{text}</p>)}
            {outcome?.answer && <Answer outcome={outcome} stacked={panel.stacked} onZoom={onZoom} onBack={onBack} />}
        </section>
    )
}

const isSingle = (data: PromData): data is SingleData => data.resultType === 'scalar' || data.resultType === 'string'
const countOf = ({ data }: PromAnswer) => (isSingle(data) ? 1 : data.result.length)

function Answer({ outcome, stacked, onZoom, onBack }: { outcome: Outcome; stacked: boolean } & Pick<PanelProps, 'onZoom' | 'onBack'>) {
    const { t } = useI18n()
    const { data } = outcome.answer!
    if (isSingle(data)) return <p class="tabular"><code>{data.result[1]}</code></p>
    // An empty graph is still one to go back from.
    if (outcome.view === 'graph') {
        return (
            <>
                <Plot series={data.result} {...outcome.window} stacked={stacked} onZoom={onZoom} onBack={onBack} />
                <Behind query={outcome.query} start={outcome.window.start} end={outcome.window.end} />
            </>
        )
    }
    if (data.result.length === 0) return <p class="empty">{t('noSeries')}</p>
    return (
        <div class="scroll" tabIndex={0} role="region" aria-label={t('table')}>
            <table>
                <thead>
                    <tr><th>{t('seriesOne')}</th><th class="num">{t('value')}</th></tr>
                </thead>
                <tbody>
                    {data.result.slice(0, 1000).map((series) => (
                        <tr key={seriesName(series.metric)}>
                            <td class="wrap"><code>{seriesName(series.metric)}</code></td>
                            <td class="num">
                                {series.value && series.value[1]}
                                {series.histogram && <HistogramCell histogram={series.histogram[1]} />}
                                {(series.values ?? []).slice(-200).map(([time, value]) => <div key={time}>{value} <small>@ {dateTime(time * 1000)}</small></div>)}
                            </td>
                        </tr>
                    ))}
                </tbody>
            </table>
            {data.result.length > 1000 && <p class="quiet">{`${t('moreSeries')}: ${data.result.length - 1000}`}</p>}
        </div>
    )
}

// Buckets as bars, the fullest as wide as the cell.
function HistogramCell({ histogram }: { histogram: PromHistogram }) {
    const { t } = useI18n()
    const most = Math.max(...(histogram.buckets ?? []).map(([, , , count]) => Number(count)), 1)
    return (
        <details>
            <summary>{`${t('count')} ${histogram.count}, ${t('sum')} ${histogram.sum}`}</summary>
            {(histogram.buckets ?? []).map(([rule, low, high, count]) => (
                <div key={low} class="bar-cell">
                    <code>{`${rule === 1 || rule === 3 ? '[' : '('}${low}, ${high}${rule === 0 || rule === 3 ? ']' : ')'}`}</code>
                    <progress max={most} value={Number(count)} aria-label={t('count')} /> {count}
                </div>
            ))}
        </details>
    )
}
