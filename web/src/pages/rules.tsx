// Recording and alerting rules by group, with what they found last.
import { useState } from 'preact/hooks'
import { api } from '../api'
import { Card, Empty, Word } from '../components/parts'
import { dateTime, seconds } from '../format'
import { useI18n } from '../i18n'
import { Loading, useLoad } from '../load'
import { emptyPanel, spanText, toSearch } from '../metrics/panel'
import { Link } from '../router'
import type { Rule, RuleGroup } from '../types'

const states = ['firing', 'pending', 'inactive'] as const
const explore = (query: string) => `/explore${toSearch({ panels: [{ ...emptyPanel, query }], range: 3600, end: null, step: null })}`

export function Rules() {
    const { t } = useI18n()
    const loaded = useLoad('rules', api.rules, 5_000)
    const [state, setState] = useState('')
    return (
        <>
            <div class="title">
                <h1>{t('nav.rules')}</h1>
            </div>
            <Loading of={loaded}>
                {(groups) => (
                    <>
                        <div class="filters">
                            <select aria-label={t('state')} value={state} onChange={(event) => setState(event.currentTarget.value)}>
                                <option value="">{t('all')}</option>
                                {states.map((each) => <option key={each} value={each}>{`${t(`rule.${each}`)} (${countOf(groups, each)})`}</option>)}
                            </select>
                        </div>
                        {groups.length === 0 && <Empty text={t('noRules')} />}
                        {groups.map((group) => <Group key={group.file + group.name} group={group} state={state} />)}
                    </>
                )}
            </Loading>
        </>
    )
}

const countOf = (groups: RuleGroup[], state: string) => groups.reduce((sum, group) => sum + group.rules.filter((rule) => rule.state === state).length, 0)

function Group({ group, state }: { group: RuleGroup; state: string }) {
    const { t } = useI18n()
    const rules = group.rules.filter((rule) => state === '' || rule.state === state)
    if (rules.length === 0) return null
    return (
        <Card title={group.name} aside={`${group.file} · ${t('every')} ${spanText(group.interval)} · ${seconds(group.evaluationTime ?? 0)}`}>
            {rules.map((rule, index) => <RuleRow key={index} rule={rule} />)}
        </Card>
    )
}

function RuleRow({ rule }: { rule: Rule }) {
    const { t } = useI18n()
    const word = rule.health === 'err' ? 'down' : rule.state === 'firing' ? 'critical' : rule.state === 'pending' ? 'warning' : 'ok'
    const text = rule.health === 'err' ? t('rule.failed') : rule.type === 'recording' ? t('rule.recording') : t(`rule.${rule.state as 'firing'}`)
    const alerts = rule.alerts ?? []
    return (
        <details class="rule" open={rule.health === 'err' || undefined}>
            <summary>
                <span class={`word ${word === 'ok' ? 'good' : word === 'warning' ? 'warn' : 'bad'}`}>{text}</span> <b>{rule.name}</b>
                {alerts.length > 0 && <span class="quiet"> {alerts.length}</span>}
            </summary>
            <p><Link to={explore(rule.query)}><code>{rule.query}</code></Link></p>
            {rule.duration ? <p class="quiet">{`for ${spanText(rule.duration)}`}</p> : null}
            {rule.lastError && <p class="problem">{rule.lastError}</p>}
            {Object.entries(rule.annotations ?? {}).map(([name, value]) => <p key={name}><span class="quiet">{name}</span> {value}</p>)}
            {alerts.slice(0, 100).map((alert, index) => (
                <p key={index} class="alert">
                    <Word of={alert.state === 'firing' ? 'critical' : 'warning'} /> <code>{Object.entries(alert.labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(' ')}</code>
                    <span class="quiet"> {alert.value} · {dateTime(Date.parse(alert.activeAt) || 0)}</span>
                </p>
            ))}
        </details>
    )
}
