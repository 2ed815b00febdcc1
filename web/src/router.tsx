// Paths without a library: '/', '/requests', '/requests/ID', ... Links are real links, so they open in new tabs too.
import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'

const moved = new EventTarget()

export function go(path: string) {
    history.pushState(null, '', path)
    moved.dispatchEvent(new Event('move'))
    window.scrollTo(0, 0)
}

// The segments of the present path: '/requests/x' is ['requests', 'x'].
export function usePath(): string[] {
    const [path, set] = useState(location.pathname)
    useEffect(() => {
        const update = () => set(location.pathname)
        moved.addEventListener('move', update)
        window.addEventListener('popstate', update)
        return () => {
            moved.removeEventListener('move', update)
            window.removeEventListener('popstate', update)
        }
    }, [])
    return path.split('/').filter(Boolean).map(decodeURIComponent)
}

export function Link(props: { to: string; class?: string; current?: boolean; children: ComponentChildren }) {
    const click = (event: MouseEvent) => {
        if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return
        event.preventDefault()
        go(props.to)
    }
    return (
        <a href={props.to} class={props.class} onClick={click} aria-current={props.current ? 'page' : undefined}>
            {props.children}
        </a>
    )
}
