// Loading something from the API: its state, and what to show meanwhile.
import type { ComponentChildren } from 'preact'
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { Unreachable } from './api'
import { useI18n } from './i18n'
import { useReturn } from './live'

export interface Loaded<T> {
    value: T | null
    // The value belongs to an earlier key; the one asked for is under way.
    stale: boolean
    error: Error | null
    reload: () => void
    set: (value: T) => void
}

// What was shown last, so that coming back to a page shows it at once instead of an empty frame.
const remembered = new Map<string, unknown>()
const mostRemembered = 40

function remember(key: string, value: unknown) {
    remembered.delete(key)
    remembered.set(key, value)
    if (remembered.size > mostRemembered) remembered.delete(remembered.keys().next().value!)
}

// Runs `load` now, whenever `key` (which names what is loaded) changes, every `every` ms while the page is visible, and
// when Stoker is back after it was away.
export function useLoad<T>(key: string, load: () => Promise<T>, every = 0): Loaded<T> {
    const [held, hold] = useState<{ key: string; value: T | null }>({ key, value: null })
    const [error, setError] = useState<Error | null>(null)
    // Answers may overtake each other: one that was asked for before the newest that was taken is dropped.
    const asked = useRef(0)
    const taken = useRef(0)
    const set = useCallback(
        (value: T) => {
            taken.current = asked.current
            remember(key, value)
            hold({ key, value })
            setError(null)
        },
        [key],
    )
    const reload = useCallback(() => {
        const mine = ++asked.current
        load().then(
            (value) => {
                if (mine <= taken.current) return
                set(value)
                taken.current = mine
            },
            (problem: Error) => mine > taken.current && setError(problem),
        )
        // `key` stands for everything that `load` depends on.
    }, [key])
    useEffect(() => {
        taken.current = asked.current
        reload()
        if (!every) return
        const reloadSeen = () => document.visibilityState === 'visible' && reload()
        const timer = setInterval(reloadSeen, every)
        document.addEventListener('visibilitychange', reloadSeen)
        return () => {
            clearInterval(timer)
            document.removeEventListener('visibilitychange', reloadSeen)
        }
    }, [reload, every])
    useReturn(reload)
    const known = held.key === key && held.value !== null ? held.value : ((remembered.get(key) as T | undefined) ?? null)
    return { value: known ?? held.value, stale: known === null && held.value !== null, error, reload, set }
}

export function Loading<T>({ of, children }: { of: Loaded<T>; children: (value: T) => ComponentChildren }) {
    const { t } = useI18n()
    // That Stoker cannot be reached is said once, above every page.
    const failed = of.error !== null && !(of.error instanceof Unreachable)
    return (
        <>
            {failed && (
                <p class="notice bad" role="alert">
                    <span>
                        {t('error')}: {of.error!.message}
                    </span>
                    <button onClick={of.reload}>{t('retry')}</button>
                </p>
            )}
            {of.value !== null ? (
                <div class={of.stale ? 'loaded stale' : 'loaded'}>{children(of.value)}</div>
            ) : failed ? null : (
                <div class="skeleton" role="status" aria-label={t('loading')}>
                    <div />
                    <div />
                    <div />
                </div>
            )}
        </>
    )
}
