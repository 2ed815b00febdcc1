// From a graph to what is behind it: the requests that its exemplars name, the largest first, and all traces of the time.
import { useEffect, useState } from 'preact/hooks'
import { api, type Exemplar } from '../api'
import { clock } from '../format'
import { useI18n } from '../i18n'
import { Link } from '../router'
import { valueText } from './names'

const mostShown = 12

export function Behind({ query, start, end }: { query: string; start: number; end: number }) {
    const { t } = useI18n()
    const [exemplars, setExemplars] = useState<Exemplar[]>([])
    useEffect(() => {
        let wanted = true
        // Exemplars are a help: without them the graph is still a graph.
        api.exemplars(query, start, end).then(
            (series) => wanted && setExemplars(series.flatMap((each) => each.exemplars).filter((each) => each.labels.trace_id)),
            () => wanted && setExemplars([]),
        )
        return () => {
            wanted = false
        }
    }, [query, start, end])
    // One trace may stand at several series of the query.
    const byTrace = new Map(exemplars.map((each) => [each.labels.trace_id, each]))
    const largest = [...byTrace.values()].sort((a, b) => Number(b.value) - Number(a.value)).slice(0, mostShown)
    return (
        <p class="links behind">
            <Link to={`/traces?from=${start}&to=${end + 1}`}>{t('tracesHere')}</Link>
            {largest.length > 0 && <span class="quiet">{t('exemplars')}:</span>}
            {largest.map((each) => (
                <Link key={each.labels.trace_id} to={`/traces/${each.labels.trace_id}?near=${Math.floor(each.timestamp)}`}>
                    <code>{`${clock(each.timestamp * 1000)} ${valueText(Number(each.value))}`}</code>
                </Link>
            ))}
        </p>
    )
}
