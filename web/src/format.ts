// Numbers for people. null (not known) is a dash, never 0.
import type { Known } from './types'

const dash = '–'

export function number(value: Known, digits = 1): string {
    if (value === null) return dash
    if (Math.abs(value) >= 1e6) return `${(value / 1e6).toFixed(digits)} M`
    if (Math.abs(value) >= 1e4) return `${(value / 1e3).toFixed(digits)} k`
    return Number.isInteger(value) ? String(value) : value.toFixed(digits)
}

export function seconds(value: Known): string {
    if (value === null) return dash
    if (value < 1e-3) return `${(value * 1e6).toFixed(0)} µs`
    if (value < 1) return `${(value * 1e3).toFixed(value < 0.1 ? 1 : 0)} ms`
    if (value < 120) return `${value.toFixed(2)} s`
    return `${(value / 60).toFixed(1)} min`
}

export const nanos = (value: number) => (value === 0 ? dash : seconds(value / 1e9))

export function percent(value: Known): string {
    return value === null ? dash : `${(value * 100).toFixed(value < 0.1 && value > 0 ? 2 : 0)} %`
}

export function bytes(value: Known): string {
    if (value === null) return dash
    const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
    let unit = 0
    while (value >= 1024 && unit < units.length - 1) {
        value /= 1024
        unit++
    }
    return `${value.toFixed(unit === 0 || value >= 100 ? 0 : 1)} ${units[unit]}`
}

export function clock(ms: number): string {
    return ms === 0 ? dash : new Date(ms).toLocaleTimeString(undefined, { hour12: false })
}

export function dateTime(ms: number): string {
    return ms === 0 ? dash : new Date(ms).toLocaleString(undefined, { hour12: false })
}

// From an earlier moment: "+1.24 s".
export const offset = (ms: number) => `+${seconds(Math.max(0, ms) / 1000)}`
