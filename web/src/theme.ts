// Light, dark, or as the system says; kept in the browser.
import { useLayoutEffect, useState } from 'preact/hooks'

export type Theme = 'auto' | 'light' | 'dark'
const storageKey = 'stoker.theme'
const systemDark = matchMedia('(prefers-color-scheme: dark)')

// Tells charts, which paint with colours of their own, to paint again.
export const themeChanged = new EventTarget()

function chosen(): Theme {
    const stored = localStorage.getItem(storageKey)
    return stored === 'light' || stored === 'dark' ? stored : 'auto'
}

// Also called before the first paint, so that a dark page never flashes light.
export function applyTheme(theme: Theme = chosen()) {
    document.documentElement.dataset.theme = theme === 'auto' ? (systemDark.matches ? 'dark' : 'light') : theme
    themeChanged.dispatchEvent(new Event('change'))
}

export function useTheme(): [Theme, (theme: Theme) => void] {
    const [theme, set] = useState<Theme>(chosen)
    useLayoutEffect(() => {
        localStorage.setItem(storageKey, theme)
        const update = () => applyTheme(theme)
        update()
        systemDark.addEventListener('change', update)
        return () => systemDark.removeEventListener('change', update)
    }, [theme])
    return [theme, set]
}
