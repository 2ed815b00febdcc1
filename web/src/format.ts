// Numbers for people. null (not known) is a dash, never 0.
import type { Known } from './types'

const dash = '–'

export function number(value: Known, digits = 1): string {
    if (value === null) return dash
    if (Math.abs(value) >= 1e6) return `${(value / 1e6).toFixed(digits)}M`
    if (Math.abs(value) >= 1e4) return `${(value / 1e3).toFixed(digits)}k`
    if (Math.abs(value) >= 1e3) return value.toFixed(0)
    return Number.isInteger(value) ? String(value) : value.toFixed(Math.abs(value) < 1 ? Math.max(2, digits) : digits)
}

export function seconds(value: Known): string {
    if (value === null) return dash
    if (value === 0) return '0 s'
    if (value < 1e-3) return `${(value * 1e6).toFixed(0)} µs`
    if (value < 1) return `${(value * 1e3).toFixed(value < 0.1 ? 1 : 0)} ms`
    if (value < 120) return `${value.toFixed(2)} s`
    return `${(value / 60).toFixed(1)} min`
}

export const nanos = (value: number) => (value === 0 ? dash : seconds(value / 1e9))

// A rate of bytes.
export const bytesPerSecond = (value: Known) => (value === null ? dash : `${bytes(value)}/s`)

export function percent(value: Known): string {
    return value === null ? dash : `${(value * 100).toFixed(value >= 0.1 || value === 0 ? 0 : value >= 0.01 ? 1 : 2)} %`
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

// Dates as ISO 8601 writes them, in local time: the same in every language, and they sort.
const two = (value: number) => String(value).padStart(2, '0')

export function clock(ms: number): string {
    if (ms === 0) return dash
    const at = new Date(ms)
    return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
}

export function dateTime(ms: number): string {
    if (ms === 0) return dash
    const at = new Date(ms)
    return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${clock(ms)}`
}

// From an earlier moment: "+1.24 s".
export const offset = (ms: number) => (ms < 1 ? '+0 s' : `+${seconds(ms / 1000)}`)

// A number on an axis: without the zeros that a value in a table would have.
export const tick = (text: string) => text.replace(/(\.\d*?)0+(?= |$)/, '$1').replace(/\.(?= |$)/, '')
