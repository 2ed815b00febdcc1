// The PromQL editor: highlighting, completion from this Stoker's own metrics, errors where they are.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { bracketMatching, HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import { lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint'
import { EditorState, Prec } from '@codemirror/state'
import { EditorView, keymap, placeholder } from '@codemirror/view'
import { tags } from '@lezer/highlight'
import { PromQLExtension } from '@prometheus-io/codemirror-promql'
import { useEffect, useRef } from 'preact/hooks'
import type { Mistake } from './mistake'

const theme = EditorView.theme({
    '&': { fontSize: '13px', backgroundColor: 'var(--card)', color: 'var(--ink)' },
    '&.cm-focused': { outline: 'none' },
    '.cm-content': { fontFamily: "ui-monospace, 'SF Mono', 'DejaVu Sans Mono', monospace", caretColor: 'var(--ink)', padding: '7px 0' },
    '.cm-cursor': { borderLeftColor: 'var(--ink)' },
    '.cm-gutters': { backgroundColor: 'transparent', border: 'none' },
    '.cm-selectionBackground, &.cm-focused .cm-selectionBackground': { backgroundColor: 'var(--sunken) !important' },
    '.cm-tooltip': { backgroundColor: 'var(--card)', color: 'var(--ink)', border: '1px solid var(--line)', borderRadius: '7px', overflow: 'hidden' },
    '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--accent)', color: 'var(--accent-ink)' },
    '.cm-completionDetail': { color: 'var(--quiet)', fontStyle: 'normal', marginLeft: '1em' },
    '.cm-matchingBracket': { backgroundColor: 'var(--warn-soft) !important', outline: 'none' },
    '.cm-placeholder': { color: 'var(--quiet)' },
})

const colors = HighlightStyle.define([
    { tag: tags.number, color: 'var(--series-3)' },
    { tag: tags.string, color: 'var(--series-1)' },
    { tag: tags.keyword, color: 'var(--series-4)', fontWeight: '600' },
    { tag: tags.function(tags.variableName), color: 'var(--series-2)' },
    { tag: tags.labelName, color: 'var(--series-5)' },
    { tag: [tags.operator, tags.arithmeticOperator], color: 'var(--series-4)' },
    { tag: tags.comment, color: 'var(--quiet)', fontStyle: 'italic' },
    { tag: tags.invalid, color: 'var(--bad)' },
])

// A text from outside. What is typed is not among them: the editor itself is where that lives, and to write it back
// would race with the next key.
export interface Given {
    text: string
}

interface EditorProps {
    given: Given
    mistake: Mistake | null
    label: string
    hint: string
    onChange: (query: string) => void
    onRun: () => void
}

export default function Editor({ given, mistake, label, hint, onChange, onRun }: EditorProps) {
    const box = useRef<HTMLDivElement>(null)
    const view = useRef<EditorView | null>(null)
    const handlers = useRef({ onChange, onRun })
    handlers.current = { onChange, onRun }
    useEffect(() => {
        const promql = new PromQLExtension().setComplete({ remote: { url: '', httpMethod: 'GET', cache: { maxAge: 60_000 } } })
        const run = () => {
            handlers.current.onRun()
            return true
        }
        const state = EditorState.create({
            doc: given.text,
            extensions: [
                history(), bracketMatching(), closeBrackets(), lintGutter(), EditorView.lineWrapping, theme, syntaxHighlighting(colors), placeholder(hint),
                autocompletion({ icons: false }),
                promql.asExtension(),
                Prec.highest(keymap.of([{ key: 'Mod-Enter', run }, { key: 'Shift-Enter', run: () => false }])),
                // Completion takes Enter first while its list is open.
                keymap.of([...completionKeymap, { key: 'Enter', run }, ...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...lintKeymap]),
                EditorView.contentAttributes.of({ 'aria-label': label, spellcheck: 'false' }),
                EditorView.updateListener.of((update) => update.docChanged && handlers.current.onChange(update.state.doc.toString())),
            ],
        })
        view.current = new EditorView({ state, parent: box.current! })
        return () => {
            view.current?.destroy()
            promql.destroy()
        }
    }, [])
    useEffect(() => {
        const editor = view.current
        if (editor && editor.state.doc.toString() !== given.text) editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: given.text } })
    }, [given])
    useEffect(() => {
        const editor = view.current
        if (!editor) return
        const end = editor.state.doc.length
        const from = Math.min(mistake?.at ?? 0, Math.max(0, end - 1))
        editor.dispatch(setDiagnostics(editor.state, mistake ? [{ from, to: Math.min(end, from + 1), severity: 'error', message: mistake.message }] : []))
    }, [mistake])
    return <div class="editor" ref={box} />
}
