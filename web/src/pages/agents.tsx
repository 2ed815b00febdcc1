// The node agents that send here, and the tokens that let them: made (and shown this once), revoked.
import { useState } from 'preact/hooks'
import { api, type IssuedAgentToken } from '../api'
import { Card, Empty, Word } from '../components/parts'
import { bytes, dateTime, number } from '../format'
import { useI18n } from '../i18n'
import { Loading, useLoad } from '../load'
import type { Agent, AgentToken } from '../types'

export function Agents() {
    const { t } = useI18n()
    const [issued, setIssued] = useState<IssuedAgentToken | null>(null)
    const [name, setName] = useState('')
    const [problem, setProblem] = useState('')
    const agents = useLoad('agents', api.agents, 2_000)
    const tokens = useLoad('agent tokens', api.agentTokens, 5_000)
    const attempt = (change: Promise<unknown>) => {
        setProblem('')
        return change.then(() => (agents.reload(), tokens.reload()), (error: Error) => setProblem(error.message))
    }
    const make = (event: Event) => {
        event.preventDefault()
        attempt(api.createAgentToken(name.trim()).then((made) => (setName(''), setIssued(made))))
    }
    return (
        <>
            <div class="title">
                <h1>{t('nav.agents')}</h1>
            </div>
            {problem && <p class="notice bad" role="alert">{problem}</p>}
            <Loading of={agents}>
                {(all) => (all.length === 0 ? <Empty text={t('noAgents')}><code>stoker agent run --config agent.yaml</code></Empty> : <AgentTable agents={all} onForget={(one) => attempt(api.forgetAgent(one))} />)}
            </Loading>
            <Card title={t('agentTokens')}>
                {issued && (
                    <div class="notice secret" role="alert">
                        <p><strong>{t('shownOnce')}</strong> <code>{issued.secret}</code></p>
                        <span class="buttons"><button onClick={() => setIssued(null)}>{t('done')}</button></span>
                    </div>
                )}
                <form class="filters" onSubmit={make}>
                    <input type="text" required placeholder={t('agentTokenFor')} aria-label={t('agentTokenFor')} value={name} onInput={(event) => setName(event.currentTarget.value)} />
                    <button class="primary" type="submit">{t('newAgentToken')}</button>
                </form>
                <Loading of={tokens}>
                    {(all) => (all.length === 0 ? <Empty text={t('noAgentTokens')} /> : <TokenTable tokens={all} onRevoke={(id) => attempt(api.revokeAgentToken(id))} />)}
                </Loading>
            </Card>
        </>
    )
}

function AgentTable({ agents, onForget }: { agents: Agent[]; onForget: (name: string) => void }) {
    const { t } = useI18n()
    return (
        <div class="scroll" tabIndex={0} role="region" aria-label={t('nav.agents')}>
            <table>
                <thead>
                    <tr><th>{t('agent')}</th><th>{t('state')}</th><th>{t('lastSeen')}</th><th>{t('version')}</th><th>{t('agentToken')}</th><th class="number">{t('requests')}</th><th class="number">{t('received')}</th><th /></tr>
                </thead>
                <tbody>
                    {agents.map((one) => (
                        <tr key={one.name}>
                            <td>{one.name}</td>
                            <td><Word of={one.state} /></td>
                            <td>{dateTime(one.last_seen_ms)}</td>
                            <td>{one.version}</td>
                            <td>{one.token ?? '–'}</td>
                            <td class="number">{number(one.requests, 0)}</td>
                            <td class="number">{bytes(one.bytes)}</td>
                            <td>{one.state === 'silent' && <button onClick={() => onForget(one.name)}>{t('forget')}</button>}</td>
                        </tr>
                    ))}
                </tbody>
            </table>
        </div>
    )
}

function TokenTable({ tokens, onRevoke }: { tokens: AgentToken[]; onRevoke: (id: string) => void }) {
    const { t } = useI18n()
    return (
        <div class="scroll" tabIndex={0} role="region" aria-label={t('agentTokens')}>
            <table>
                <thead>
                    <tr><th>{t('id')}</th><th>{t('name')}</th><th>{t('state')}</th><th>{t('created')}</th><th>{t('lastUsed')}</th><th /></tr>
                </thead>
                <tbody>
                    {tokens.map((one) => (
                        <tr key={one.id}>
                            <td><code>{one.id}</code></td>
                            <td>{one.name}</td>
                            <td><Word of={one.state} /></td>
                            <td>{dateTime(one.created_ms)}</td>
                            <td>{one.last_used_ms === null ? '–' : dateTime(one.last_used_ms)}</td>
                            <td>{one.state === 'active' && <button onClick={() => onRevoke(one.id)}>{t('revoke')}</button>}</td>
                        </tr>
                    ))}
                </tbody>
            </table>
        </div>
    )
}
