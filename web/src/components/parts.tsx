// Small pieces that several pages use.
import type { ComponentChildren } from 'preact'
import { useI18n } from '../i18n'
import { Link } from '../router'

const tones: Record<string, string> = {
    serving: 'good', ok: 'good', resolved: 'good', active: 'good',
    down: 'bad', hung: 'bad', open: 'bad', circuit_open: 'bad', escalated: 'bad', upstream_error: 'bad', truncated: 'bad', critical: 'bad',
    ejected: 'warn', half_open: 'warn', draining: 'warn', acting: 'warn', awaiting_approval: 'warn', rejected: 'warn', client_error: 'warn', warning: 'warn', expired: 'warn', revoked: 'warn', unknown_tenant: 'warn',
}

// A state or outcome as a coloured word; the word carries the meaning, the colour only helps.
export function Word({ of }: { of: string }) {
    const { word } = useI18n()
    return <span class={`word ${tones[of] ?? ''}`}>{word(of)}</span>
}

export function Card(props: { title: string; aside?: ComponentChildren; wide?: boolean; flush?: boolean; children: ComponentChildren }) {
    return (
        <section class={`card ${props.wide ? 'wide' : ''} ${props.flush ? 'flush' : ''}`}>
            <h2>
                {props.title} {props.aside && <span class="aside">{props.aside}</span>}
            </h2>
            {props.children}
        </section>
    )
}

// A value with its unit set smaller: "182 ms". `tone` colours the value when it asks for attention.
export function Stat({ label, value, detail, tone }: { label: string; value: string; detail?: ComponentChildren; tone?: 'bad' | 'good' }) {
    const [amount, ...unit] = value.split(' ')
    return (
        <div class="stat">
            <span class="label">{label}</span>
            <span class={`value ${tone ?? ''}`}>
                {amount}
                {unit.length > 0 && <span class="unit"> {unit.join(' ')}</span>}
            </span>
            {detail && <span class="detail">{detail}</span>}
        </div>
    )
}

// A share as a bar with its number; null shows no bar.
export function Bar({ share, text, label }: { share: number | null; text: string; label: string }) {
    return (
        <span class="bar-cell">
            {share !== null && <progress max={1} value={Math.min(1, share)} aria-label={label} />}
            <span>{text}</span>
        </span>
    )
}

// To the list above. Where the visitor came from it, the list is as it was left (its filter is in the address).
export function Back({ to, name }: { to: string; name: string }) {
    return (
        <p class="back">
            <Link to={to} back>
                <span aria-hidden="true">←</span> {name}
            </Link>
        </p>
    )
}

// Nothing to show, and why.
export function Empty({ text, children }: { text: string; children?: ComponentChildren }) {
    return (
        <div class="empty">
            <p>{text}</p>
            {children}
        </div>
    )
}

export function Facts({ rows }: { rows: [string, ComponentChildren][] }) {
    return (
        <dl class="facts">
            {rows.map(([name, value]) => (
                <div key={name}>
                    <dt>{name}</dt>
                    <dd>{value}</dd>
                </div>
            ))}
        </dl>
    )
}
