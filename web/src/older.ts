// Searches that ended with their budget go on from where they ended.

const windows: Record<string, number> = { '5m': 300, '1h': 3600, '6h': 21_600, '1d': 86_400, '7d': 604_800 }

// What of a filter changes to search what is older than `searchedFrom` (milliseconds), as far back as it was asked for.
export function older(filter: { last: string; from: string }, searchedFrom: number): { from: string; to: string } {
    const span = windows[filter.last] ?? windows['7d']!
    return { from: filter.from || String(Math.floor(Date.now() / 1000 - span)), to: String(Math.floor(searchedFrom / 1000)) }
}
