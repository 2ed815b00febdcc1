// Random series for the differential test of PromQL.
//
// What docs/decisions/005-differential-test.md promises of them: no sample lies on a multiple of half a second (where
// all edges of windows lie), every series has its first sample at the start (so that both stores meet the series in the
// same order), and what a family is said to be below, it is.
import { STALE } from './remote_write.mjs'

export const base = 1_700_000_000_000 // Fixed: a seed then means the same queries and answers on every day.
export const length = 80 * 60_000 // Of the data.

export const jobs = ['api', 'db', 'web']
export const instances = ['a:1', 'b:1', 'c:1', 'd:2']
export const zones = ['east', 'west', '']
export const bounds = ['0.1', '0.5', '1', '2.5', '10', '+Inf']

// `bits`: values are multiples of 1/8 below 2^(bits - 3), so sums of few enough are exact in any order; null: not so.
// `distinct`: no two series ever have the same value.
export const families = {
    ints: { bits: 13 },
    eighths: { bits: 13 },
    noise: { bits: null, positive: true, distinct: true },
    drift: { bits: null },
    odd: { bits: null, odd: true }, // NaN, infinities, zeros of both signs, the largest and the smallest numbers.
    requests_total: { bits: 31, positive: true, counter: true },
    fresh_total: { bits: 31, positive: true, counter: true },
    latency_bucket: { bits: 31, positive: true, counter: true, buckets: true },
}

const oddValues = [NaN, Infinity, -Infinity, 0, -0, 1e300, -1e300, Number.MAX_VALUE, 5e-324, -2.5e-310, 1, -1]

// How the values of a series of the family go on, sample by sample.
function walk(random, name) {
    switch (name) {
        case 'ints': {
            let value = random.int(-50, 50)
            return () => (random.chance(0.3) ? value : (value = random.int(-500, 500)))
        }
        case 'eighths':
            return () => random.int(-4000, 4000) / 8
        case 'noise':
            return () => random.real() * 100 + 0.001
        case 'drift': {
            let value = random.real() * 10 - 5
            return () => (value += random.real() - 0.5)
        }
        case 'odd':
            return () => (random.chance(0.6) ? random.real() * 20 - 10 : random.pick(oddValues))
        case 'requests_total': {
            // Even after a reset far above what it gains in all, and one reset in half an hour at most: see "to zero" in
            // the decision.
            let value = random.int(150e6, 200e6)
            let untilReset = random.int(1, 360)
            return () => {
                const reset = --untilReset === 0
                if (reset) untilReset = random.int(181, 360)
                return (value = reset ? Math.floor(value * (0.5 + random.real() * 0.3)) : value + (random.chance(0.2) ? 0 : random.int(0, 2000)))
            }
        }
        default: {
            // From zero, at even intervals: see "to zero" again.
            let value = null
            return () => (value = value === null ? 0 : value + random.int(1, 900))
        }
    }
}

function times(random, regular) {
    const every = random.pick([10_000, 15_000, 15_000, 30_000])
    const odd = random.int(1, 499)
    const all = []
    let gapUntil = 0
    for (let at = base + odd; at < base + length; at += every) {
        if (!regular && at > base + every && random.chance(0.004)) gapUntil = at + random.int(1, 12) * 60_000
        if (at < gapUntil) continue
        let time = at
        if (!regular && random.chance(0.5)) time += random.int(0, 4000)
        if (time % 500 === 0) time += 1
        all.push(time)
    }
    return all
}

function oneSeries(random, labels) {
    const name = labels.__name__
    const regular = name === 'fresh_total' || name === 'latency_bucket'
    const next = walk(random, name)
    const samples = times(random, regular).map((time) => [time, next()])
    if (!regular) {
        // Markers, here and there; perhaps nothing after one, or nothing for long after the first sample.
        for (let i = 1; i < samples.length; ++i) if (random.chance(0.005)) samples[i][1] = STALE
        if (random.chance(0.1)) samples.splice(random.int(samples.length >> 1, samples.length - 1))
        if (random.chance(0.1)) samples.splice(1, random.int(10, samples.length >> 1))
    }
    return { labels, samples }
}

// Sorted by labels: [{ labels, samples: [[timeMs, value], ...] }, ...].
export function randomSeries(random) {
    const all = []
    for (const name of Object.keys(families)) {
        for (const job of jobs) {
            for (const instance of instances) {
                if (random.chance(0.15)) continue
                for (const code of name === 'requests_total' ? ['200', '404', '500'] : ['']) {
                    const labels = { __name__: name, job, instance }
                    const zone = random.pick(zones)
                    if (zone) labels.zone = zone
                    if (code) labels.code = code
                    if (name === 'latency_bucket') all.push(...histogram(random, labels))
                    else all.push(oneSeries(random, labels))
                }
            }
        }
    }
    return all.sort((a, b) => compareLabels(a.labels, b.labels))
}

// Buckets rise together, each at least as much as the one below.
function histogram(random, labels) {
    const at = times(random, true)
    const counts = bounds.map(() => 0)
    const all = bounds.map((le) => ({ labels: { ...labels, le }, samples: [] }))
    for (const time of at) {
        let gained = 0
        bounds.forEach((_, i) => {
            if (time !== at[0]) gained += random.int(0, 40)
            counts[i] += gained
            all[i].samples.push([time, counts[i]])
        })
    }
    return all
}

function compareLabels(a, b) {
    const names = (labels) => Object.keys(labels).sort()
    const [left, right] = [names(a), names(b)]
    for (let i = 0; i < left.length && i < right.length; ++i) {
        if (left[i] !== right[i]) return left[i] < right[i] ? -1 : 1
        if (a[left[i]] !== b[right[i]]) return a[left[i]] < b[right[i]] ? -1 : 1
    }
    return left.length - right.length
}

// The series cut into batches that go forward in time together, as a store without an out-of-order window wants them.
export function batches(series, every = 5 * 60_000) {
    const all = []
    for (let start = base; start < base + length + every; start += every) {
        const batch = []
        for (const { labels, samples } of series) {
            const some = samples.filter(([time]) => time >= start && time < start + every)
            if (some.length > 0) batch.push({ labels, samples: some })
        }
        if (batch.length > 0) all.push(batch)
    }
    return all
}
