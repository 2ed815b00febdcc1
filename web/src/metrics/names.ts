// How series and values are written.
export function seriesName(metric: Record<string, string>): string {
    const { __name__: name = '', ...labels } = metric
    const text = Object.entries(labels).map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(', ')
    return text || !name ? `${name}{${text}}` : name
}

export function valueText(value: number | null): string {
    if (value === null) return '–'
    const size = Math.abs(value)
    if (size !== 0 && (size >= 1e15 || size < 1e-4)) return value.toExponential(3)
    if (size >= 1e5) {
        const power = Math.min(4, Math.floor(Math.log10(size) / 3))
        return `${Number((value / 1000 ** power).toPrecision(5))}${['', 'k', 'M', 'G', 'T'][power]}`
    }
    return String(Number(value.toPrecision(6)))
}
