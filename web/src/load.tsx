// Loading something from the API: its state, and what to show meanwhile.
import type { ComponentChildren } from 'preact'
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { useI18n } from './i18n'

export interface Loaded<T> {
    value: T | null
    error: string
    reload: () => void
    set: (value: T) => void
}

// Runs `load` now, whenever a dependency changes, and every `every` ms while the page is visible.
export function useLoad<T>(load: () => Promise<T>, dependencies: unknown[], every = 0): Loaded<T> {
    const [value, set] = useState<T | null>(null)
    const [error, setError] = useState('')
    const turn = useRef(0)
    const reload = useCallback(() => {
        const mine = ++turn.current
        load().then(
            (result) => {
                if (mine !== turn.current) return
                set(result)
                setError('')
            },
            (problem: Error) => mine === turn.current && setError(problem.message),
        )
        // eslint-disable-next-line react-hooks/exhaustive-deps
    }, dependencies)
    useEffect(() => {
        reload()
        if (!every) return
        const timer = setInterval(() => document.visibilityState === 'visible' && reload(), every)
        return () => clearInterval(timer)
    }, [reload, every])
    return { value, error, reload, set }
}

export function Loading<T>({ of, children }: { of: Loaded<T>; children: (value: T) => ComponentChildren }) {
    const { t } = useI18n()
    return (
        <>
            {of.error && (
                <p class="notice bad" role="alert">
                    {t('error')}: {of.error} <button onClick={of.reload}>{t('retry')}</button>
                </p>
            )}
            {of.value === null ? of.error ? null : <p class="quiet">{t('loading')}</p> : children(of.value)}
        </>
    )
}
