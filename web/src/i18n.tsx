// English and Chinese. `t('key')` in components; the language is the browser's until somebody chooses.
import { createContext, type ComponentChildren } from 'preact'
import { useContext, useLayoutEffect, useState } from 'preact/hooks'
import { en, type Key } from './locales/en'
import { zh } from './locales/zh'

export type Language = 'en' | 'zh'
const tables: Record<Language, Record<Key, string>> = { en, zh }
const storageKey = 'stoker.language'

function initial(): Language {
    const chosen = localStorage.getItem(storageKey)
    if (chosen === 'en' || chosen === 'zh') return chosen
    return navigator.language.startsWith('zh') ? 'zh' : 'en'
}

export interface I18n {
    language: Language
    setLanguage: (language: Language) => void
    t: (key: Key) => string
    // States, phases and outcomes come from the API as words; unknown ones are shown as they are.
    word: (word: string) => string
}

const Context = createContext<I18n>(null as unknown as I18n)

export function I18nProvider({ children }: { children: ComponentChildren }) {
    const [language, set] = useState<Language>(initial)
    useLayoutEffect(() => {
        document.documentElement.lang = language
    }, [language])
    const table = tables[language]
    const value: I18n = {
        language,
        setLanguage: (next) => {
            localStorage.setItem(storageKey, next)
            set(next)
        },
        t: (key) => table[key],
        word: (word) => table[`word.${word}` as Key] ?? word,
    }
    return <Context.Provider value={value}>{children}</Context.Provider>
}

export const useI18n = () => useContext(Context)
