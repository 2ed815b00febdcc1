// Small pieces that several pages use.
import type { ComponentChildren } from 'preact'
import { useI18n } from '../i18n'

const tones: Record<string, string> = {
    serving: 'good', ok: 'good', resolved: 'good',
    down: 'bad', hung: 'bad', open: 'bad', escalated: 'bad', upstream_error: 'bad', truncated: 'bad', critical: 'bad',
    ejected: 'warn', draining: 'warn', acting: 'warn', awaiting_approval: 'warn', rejected: 'warn', client_error: 'warn', warning: 'warn',
}

// A state or outcome as a coloured word; the word carries the meaning, the colour only helps.
export function Word({ of }: { of: string }) {
    const { word } = useI18n()
    return <span class={`word ${tones[of] ?? ''}`}>{word(of)}</span>
}

export function Card(props: { title: string; aside?: ComponentChildren; wide?: boolean; children: ComponentChildren }) {
    return (
        <section class={props.wide ? 'card wide' : 'card'}>
            <h2>
                {props.title} {props.aside && <span class="aside">{props.aside}</span>}
            </h2>
            {props.children}
        </section>
    )
}

export function Stat({ label, value, detail }: { label: string; value: string; detail?: string }) {
    return (
        <div class="stat">
            <span class="label">{label}</span>
            <span class="value">{value}</span>
            {detail && <span class="detail">{detail}</span>}
        </div>
    )
}

// A share as a bar with its number; null shows no bar.
export function Bar({ share, text }: { share: number | null; text: string }) {
    return (
        <span class="bar-cell">
            {share !== null && <progress max={1} value={Math.min(1, share)} aria-label={text} />} {text}
        </span>
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
