// What the process takes, over time: resident memory, descriptors, threads.
import { readFileSync, readdirSync } from 'node:fs'

export function sample(pid) {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const field = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)[1])
    return { rss: field('VmRSS') / 1024, threads: field('Threads'), descriptors: readdirSync(`/proc/${pid}/fd`).length }
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1]

// Growth of a measure in time: the median of the last quarter of the samples against that of the second. The first is left out,
// as caches and pools fill in it.
export function growth(samples, name) {
    const quarter = samples.length >> 2
    if (quarter < 3) return null
    const values = samples.map((each) => each[name])
    const [early, late] = [median(values.slice(quarter, 2 * quarter)), median(values.slice(-quarter))]
    return { early, late, factor: late / early }
}
