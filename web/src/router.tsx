// Paths without a library: '/', '/requests', '/requests/ID', ... Links are real links, so they open in new tabs too.
import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'

const moved = new EventTarget()

// The entry of the history remembers where it was reached from.
export function go(path: string) {
    history.pushState({ from: location.pathname }, '', path)
    moved.dispatchEvent(new Event('move'))
    window.scrollTo(0, 0)
    // The link that was followed may be gone; the keyboard goes on from the new page, not from the top of the frame.
    setTimeout(() => document.activeElement === document.body && document.getElementById('content')?.focus())
}

// Changes the address without a new entry in the history.
export function replace(path: string) {
    history.replaceState(history.state, '', path)
    moved.dispatchEvent(new Event('move'))
}

function useLocation<T>(read: () => T): T {
    const [value, set] = useState(read)
    useEffect(() => {
        const update = () => set(read())
        moved.addEventListener('move', update)
        window.addEventListener('popstate', update)
        return () => {
            moved.removeEventListener('move', update)
            window.removeEventListener('popstate', update)
        }
    }, [])
    return value
}

export const useSearch = () => useLocation(() => location.search)

function decoded(segment: string): string {
    try {
        return decodeURIComponent(segment)
    } catch {
        return segment
    }
}

// The segments of the present path: '/requests/x' is ['requests', 'x'].
export const usePath = () => useLocation(() => location.pathname).split('/').filter(Boolean).map(decoded)

// `back`: where the visitor came from `to`, return there instead of going there anew.
export function Link(props: { to: string; class?: string; current?: boolean; back?: boolean; children: ComponentChildren }) {
    const click = (event: MouseEvent) => {
        if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return
        event.preventDefault()
        event.stopPropagation()
        if (props.back && history.state?.from === props.to) history.back()
        else go(props.to)
    }
    return (
        <a href={props.to} class={props.class} onClick={click} aria-current={props.current ? 'page' : undefined}>
            {props.children}
        </a>
    )
}
