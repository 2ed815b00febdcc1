// Whether two answers of Prometheus' query API are the same.

const view = new DataView(new ArrayBuffer(8))

// Doubles in order as whole numbers: neighbours differ by one, and -0 is 0.
function rank(value) {
    view.setFloat64(0, value)
    const bits = view.getBigInt64(0)
    return bits < 0n ? -(bits & 0x7fffffffffffffffn) : bits
}

// Equal to one ulp, or to `bound` of the greater.
export function same(left, right, bound) {
    const [a, b] = [toNumber(left), toNumber(right)]
    if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) && Number.isNaN(b)
    if (a === b) return true
    if (!Number.isFinite(a) || !Number.isFinite(b)) return false
    if (Math.abs(a - b) <= bound * Math.max(Math.abs(a), Math.abs(b))) return true
    const apart = rank(a) - rank(b)
    return apart >= -1n && apart <= 1n
}

function toNumber(text) {
    if (text === '+Inf') return Infinity
    if (text === '-Inf') return -Infinity
    return Number(text)
}

function key(labels) {
    return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
}

function pointDifference(what, theirs, ours, bound) {
    if (theirs[0] !== ours[0]) return `${what}: times ${theirs[0]} and ${ours[0]}`
    if (!same(theirs[1], ours[1], bound)) return `${what} at ${theirs[0]}: ${theirs[1]} and ${ours[1]}`
    return null
}

// Null, or a sentence: Prometheus' value first. The order of series does not count.
export function difference(theirs, ours, bound) {
    if (theirs.error !== undefined || ours.error !== undefined) {
        if (theirs.error !== undefined && ours.error !== undefined) return null
        return theirs.error === undefined ? `only Stoker refuses it: ${ours.error}` : `only Prometheus refuses it: ${theirs.error}`
    }
    if (theirs.type !== ours.type) return `types ${theirs.type} and ${ours.type}`
    if (theirs.type === 'scalar' || theirs.type === 'string') return pointDifference('the value', theirs.result, ours.result, bound)
    if (theirs.result.length !== ours.result.length) return `${theirs.result.length} and ${ours.result.length} series`
    const byLabels = new Map(ours.result.map((series) => [key(series.metric), series]))
    for (const series of theirs.result) {
        const name = key(series.metric)
        const other = byLabels.get(name)
        if (!other) return `only Prometheus has ${name}`
        const [points, others] = [series.values ?? [series.value], other.values ?? [other.value]]
        if (points.length !== others.length) return `${name}: ${points.length} and ${others.length} points`
        for (let i = 0; i < points.length; ++i) {
            const found = pointDifference(name, points[i], others[i], bound)
            if (found) return found
        }
    }
    return null
}
