// Keys of the gateway's clients: made (and shown this once), changed, given a new secret, revoked.
import { useState } from 'preact/hooks'
import { api, type IssuedKey, type KeyChanges, type NewKey } from '../api'
import { Empty, Word } from '../components/parts'
import { dateTime } from '../format'
import { useI18n } from '../i18n'
import { Loading, useLoad } from '../load'
import type { ClientKey } from '../types'

const lifetimes = ['never', '30d', '90d', '365d'] as const
const overlap = '24h'

export function Keys() {
    const { t } = useI18n()
    const [prefix, setPrefix] = useState('')
    const [issued, setIssued] = useState<IssuedKey | null>(null)
    const [problem, setProblem] = useState('')
    const [making, setMaking] = useState(false)
    const [editing, setEditing] = useState<ClientKey | null>(null)
    const loaded = useLoad(`keys ${prefix}`, () => api.keys(withoutSecret(prefix)), 5_000)

    const attempt = (change: Promise<unknown>) => {
        setProblem('')
        return change.then(loaded.reload, (error: Error) => setProblem(error.message))
    }
    const issue = (change: Promise<IssuedKey>) => attempt(change.then((made) => (setMaking(false), setIssued(made))))

    return (
        <>
            <div class="title">
                <h1>{t('nav.keys')}</h1>
                {!making && <button class="primary" onClick={() => setMaking(true)}>{t('newKey')}</button>}
            </div>
            {problem && <p class="notice bad" role="alert">{problem}</p>}
            {issued && <Secret issued={issued} onDone={() => setIssued(null)} />}
            {editing && <Editor key={editing.id} of={editing} onSave={(changes) => attempt(api.editKey(editing.id, changes).then(() => setEditing(null)))} onCancel={() => setEditing(null)} />}
            {making && <Maker onMake={(key) => issue(api.createKey(key))} onCancel={() => setMaking(false)} />}
            <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
                <input type="search" placeholder={t('searchKeys')} aria-label={t('searchKeys')} value={prefix} onInput={(event) => setPrefix(event.currentTarget.value)} />
                <output class="total">{loaded.value ? loaded.value.total : ''}</output>
            </form>
            <Loading of={loaded}>
                {({ keys }) =>
                    keys.length === 0 ? (
                        <Empty text={prefix ? t('noSuchKeys') : t('noKeys')}>{!prefix && <code>stoker keys create --tenant NAME</code>}</Empty>
                    ) : (
                        <KeyTable keys={keys} onRotate={(id) => issue(api.rotateKey(id, overlap))} onRevoke={(id) => attempt(api.revokeKey(id))} onEdit={setEditing} />
                    )
                }
            </Loading>
        </>
    )
}

// Who pastes a whole key to learn whose it is must not send its secret about.
function withoutSecret(text: string): string {
    const hyphen = text.lastIndexOf('-')
    return text.length - hyphen - 1 === 43 ? text.slice(0, hyphen + 1) : text
}

function Secret({ issued, onDone }: { issued: IssuedKey; onDone: () => void }) {
    const { t } = useI18n()
    const [copied, setCopied] = useState(false)
    const copy = () => navigator.clipboard.writeText(issued.secret ?? '').then(() => setCopied(true), () => {})
    return (
        <div class="notice secret" role="alert">
            <p>
                <strong>{t('shownOnce')}</strong> <code>{issued.secret}</code>
                {issued.key.previous_until_ms !== null && <span class="quiet">{t('oldKeyUntil')} {dateTime(issued.key.previous_until_ms)}</span>}
            </p>
            <span class="buttons">
                <button class="primary" onClick={copy}>{copied ? t('copied') : t('copyKey')}</button>
                <button onClick={onDone}>{t('done')}</button>
            </span>
        </div>
    )
}

const modelsIn = (text: string) => text.split(/[\s,]+/).filter(Boolean)

// What turns one set of texts into the other: null for those that go. Null if a line is none.
function metadataChanges(before: Record<string, string>, text: string): Record<string, string | null> | null {
    const after: Record<string, string> = {}
    for (const line of text.split('\n').map((each) => each.trim()).filter(Boolean)) {
        const equals = line.indexOf('=')
        if (equals < 1) return null
        after[line.slice(0, equals).trim()] = line.slice(equals + 1).trim()
    }
    const changed = Object.entries(after).filter(([name, value]) => before[name] !== value)
    const gone = Object.keys(before).filter((name) => !(name in after)).map((name) => [name, null] as const)
    return Object.fromEntries([...changed, ...gone])
}

function Editor({ of, onSave, onCancel }: { of: ClientKey; onSave: (changes: KeyChanges) => void; onCancel: () => void }) {
    const { t } = useI18n()
    const [models, setModels] = useState(of.models.join(', '))
    const [metadata, setMetadata] = useState(Object.entries(of.metadata).map(([name, value]) => `${name}=${value}`).join('\n'))
    const changes = metadataChanges(of.metadata, metadata)
    const save = (event: Event) => {
        event.preventDefault()
        if (changes) onSave({ models: modelsIn(models), metadata: changes })
    }
    return (
        <form class="card maker" aria-label={`${t('edit')} ${of.id}`} onSubmit={save}>
            <label>
                {t('models')}
                <input type="text" value={models} placeholder={t('allModels')} onInput={(event) => setModels(event.currentTarget.value)} />
            </label>
            <label>
                {t('metadata')}
                <textarea rows={3} value={metadata} placeholder={t('metadataHint')} aria-invalid={changes === null} onInput={(event) => setMetadata(event.currentTarget.value)} />
                {changes === null && <small class="problem">{t('badMetadata')}</small>}
            </label>
            <span class="buttons">
                <button class="primary" type="submit" disabled={changes === null}>{t('save')}</button>
                <button type="button" onClick={onCancel}>{t('cancel')}</button>
            </span>
        </form>
    )
}

function Maker({ onMake, onCancel }: { onMake: (key: NewKey) => void; onCancel: () => void }) {
    const { t } = useI18n()
    const [tenant, setTenant] = useState('')
    const [id, setId] = useState('')
    const [models, setModels] = useState('')
    const [expires, setExpires] = useState<(typeof lifetimes)[number]>('90d')
    const make = (event: Event) => {
        event.preventDefault()
        const names = modelsIn(models)
        onMake({ tenant: tenant.trim(), ...(id.trim() && { id: id.trim() }), ...(names.length > 0 && { models: names }), expires: expires === 'never' ? null : expires })
    }
    const text = (label: string, value: string, set: (value: string) => void, hint: string, required = false) => (
        <label>
            {label}
            <input type="text" value={value} required={required} placeholder={hint} onInput={(event) => set(event.currentTarget.value)} />
        </label>
    )
    return (
        <form class="card maker" onSubmit={make}>
            {text(t('tenant'), tenant, setTenant, '', true)}
            {text(t('id'), id, setId, t('randomId'))}
            {text(t('models'), models, setModels, t('allModels'))}
            <label>
                {t('lifetime')}
                <select value={expires} onChange={(event) => setExpires(event.currentTarget.value as typeof expires)}>
                    {lifetimes.map((each) => <option key={each} value={each}>{t(`lifetime.${each}`)}</option>)}
                </select>
            </label>
            <span class="buttons">
                <button class="primary" type="submit">{t('makeKey')}</button>
                <button type="button" onClick={onCancel}>{t('cancel')}</button>
            </span>
        </form>
    )
}

interface KeyActions {
    onRotate: (id: string) => void
    onRevoke: (id: string) => void
    onEdit: (key: ClientKey) => void
}

function KeyTable({ keys, ...actions }: { keys: ClientKey[] } & KeyActions) {
    const { t } = useI18n()
    return (
        <div class="card flush scroll" tabIndex={0} role="region" aria-label={t('nav.keys')}>
            <table class="rows">
                <thead>
                    <tr>
                        <th>{t('id')}</th>
                        <th>{t('tenant')}</th>
                        <th>{t('keyState')}</th>
                        <th class="roomy">{t('models')}</th>
                        <th class="roomy">{t('expires')}</th>
                        <th class="roomy">{t('lastUsed')}</th>
                        <th />
                    </tr>
                </thead>
                <tbody>
                    {keys.map((key) => (
                        <tr key={key.id}>
                            <td class="name" title={Object.entries(key.metadata).map(([name, value]) => `${name}=${value}`).join('\n')}>{key.id}</td>
                            <td>{key.tenant}</td>
                            <td><Word of={key.state} /></td>
                            <td class="roomy">{key.models.join(', ') || t('allModels')}</td>
                            <td class="roomy tabular">{key.expires_ms === null ? '–' : dateTime(key.expires_ms)}</td>
                            <td class="roomy tabular">{key.last_used_ms === null ? '–' : dateTime(key.last_used_ms)}</td>
                            <td>{key.source === 'config' ? <span class="quiet">{t('inFile')}</span> : key.state !== 'revoked' && <Actions of={key} {...actions} />}</td>
                        </tr>
                    ))}
                </tbody>
            </table>
        </div>
    )
}

// Revoking can't be taken back, so it takes two clicks.
function Actions({ of, onRotate, onRevoke, onEdit }: { of: ClientKey } & KeyActions) {
    const { t } = useI18n()
    const { id } = of
    const [asking, setAsking] = useState(false)
    return (
        <span class="buttons">
            {!asking && <button aria-label={`${t('edit')} ${id}`} onClick={() => onEdit(of)}>{t('edit')}</button>}
            {!asking && <button aria-label={`${t('rotate')} ${id}`} onClick={() => onRotate(id)}>{t('rotate')}</button>}
            {asking && <button class="primary" aria-label={`${t('reallyRevoke')} ${id}`} onClick={() => (setAsking(false), onRevoke(id))}>{t('reallyRevoke')}</button>}
            <button aria-label={`${asking ? t('cancel') : t('revoke')} ${id}`} onClick={() => setAsking(!asking)}>{asking ? t('cancel') : t('revoke')}</button>
        </span>
    )
}
