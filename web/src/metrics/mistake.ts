export interface Mistake {
    message: string
    at: number // Offset in the query.
}

// "1:7: parse error: unexpected …" as a place in `query`; null if the message names none.
export function mistakeIn(query: string, message: string): Mistake | null {
    const found = /(\d+):(\d+): (?:parse error: )?(.*)$/s.exec(message)
    if (!found) return null
    const lines = query.split('\n').slice(0, Number(found[1]) - 1)
    const before = lines.reduce((sum, line) => sum + line.length + 1, 0)
    return { message: found[3], at: Math.min(query.length, before + Number(found[2]) - 1) }
}
