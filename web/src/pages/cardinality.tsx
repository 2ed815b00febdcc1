// Where the series are: which metrics and labels make the most of them.
import type { ComponentChildren } from 'preact'
import { api } from '../api'
import { Back, Bar, Card, Stat } from '../components/parts'
import { bytes, dateTime, number } from '../format'
import { useI18n } from '../i18n'
import { Loading, useLoad } from '../load'
import { Link } from '../router'
import { emptyPanel, toSearch } from '../metrics/panel'
import type { Named } from '../types'

const shown = 15

function Ranking({ title, rows, format, link }: { title: string; rows: Named[]; format: (value: number) => string; link?: (name: string) => string }) {
    const most = Math.max(...rows.map((row) => row.value), 1)
    const name = (row: Named): ComponentChildren => (link ? <Link to={link(row.name)}>{row.name}</Link> : row.name)
    return (
        <Card title={title} flush>
            <table>
                <tbody>
                    {rows.map((row) => (
                        <tr key={row.name}>
                            <td class="wrap"><code>{name(row)}</code></td>
                            <td class="num"><Bar share={row.value / most} text={format(row.value)} label={title} /></td>
                        </tr>
                    ))}
                </tbody>
            </table>
        </Card>
    )
}

const explore = (query: string) => `/explore${toSearch({ panels: [{ ...emptyPanel, query, view: 'table' }], range: 3600, end: null, step: null })}`
const quoted = (text: string) => JSON.stringify(text)

export function Cardinality() {
    const { t } = useI18n()
    const loaded = useLoad('cardinality', () => api.tsdbStatus(shown), 15_000)
    return (
        <>
            <Back to="/explore" name={t('nav.explore')} />
            <div class="title">
                <h1>{t('cardinality')}</h1>
            </div>
            <Loading of={loaded}>
                {(status) => (
                    <>
                        <div class="stats">
                            <Stat label={t('series')} value={number(status.headStats.numSeries)} />
                            <Stat label={t('labelPairs')} value={number(status.headStats.numLabelPairs)} />
                            <Stat label={t('chunks')} value={number(status.headStats.chunkCount)} />
                            <Stat label={t('oldestSample')} value={dateTime(Math.max(0, status.headStats.minTime))} />
                        </div>
                        <div class="grid">
                            <Ranking title={t('seriesByMetric')} rows={status.seriesCountByMetricName} format={number} link={(name) => explore(`count({__name__=${quoted(name)}})`)} />
                            <Ranking title={t('valuesByLabel')} rows={status.labelValueCountByLabelName} format={number} link={(name) => explore(`topk(20, count by (${name}) ({${name}!=""}))`)} />
                            <Ranking
                                title={t('seriesByPair')}
                                rows={status.seriesCountByLabelValuePair}
                                format={number}
                                link={(pair) => explore(`topk(20, count by (__name__) ({${pair.slice(0, pair.indexOf('='))}=${quoted(pair.slice(pair.indexOf('=') + 1))}}))`)}
                            />
                            <Ranking title={t('bytesByLabel')} rows={status.memoryInBytesByLabelName} format={bytes} />
                        </div>
                    </>
                )}
            </Loading>
        </>
    )
}
