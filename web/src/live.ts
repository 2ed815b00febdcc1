// The live feed: one EventSource for the whole page, shared by everyone who listens. Whatever ends it, it is opened
// again until it works; silence counts as an end, because the feed speaks every second.
import { useEffect, useState } from 'preact/hooks'
import type { Incident, Overview, RequestRecord } from './types'

interface Events {
    overview: Overview
    incident: Incident
    request: RequestRecord
}

export type Connection = 'connecting' | 'up' | 'down'
type Listener<K extends keyof Events> = (data: Events[K]) => void

const silenceMs = 10_000
const retryMs = 2_000

const listeners: { [K in keyof Events]: Set<Listener<K>> } = { overview: new Set(), incident: new Set(), request: new Set() }
const watchers = new Set<(state: Connection) => void>()
let state: Connection = 'connecting'
let source: EventSource | null = null
let heardAt = 0

function become(next: Connection) {
    if (next === state) return
    state = next
    for (const tell of watchers) tell(state)
}

function open() {
    source?.close()
    const mine = (source = new EventSource('/api/v1/stream'))
    heardAt = Date.now()
    mine.onopen = () => {
        heardAt = Date.now()
        become('up')
    }
    mine.onerror = () => {
        become('down')
        mine.close()
        if (mine === source) setTimeout(() => mine === source && open(), retryMs)
    }
    const follow = <K extends keyof Events>(name: K) =>
        mine.addEventListener(name, (event) => {
            heardAt = Date.now()
            const data = JSON.parse((event as MessageEvent<string>).data) as Events[K]
            for (const listener of listeners[name]) listener(data)
        })
    follow('overview')
    follow('incident')
    follow('request')
}

function watch() {
    if (state !== 'up' || Date.now() - heardAt < silenceMs) return
    become('down')
    open()
}

function start() {
    open()
    setInterval(watch, 1000)
    // A page that is left lets go of its connection at once.
    addEventListener('pagehide', () => source?.close())
    addEventListener('pageshow', (event) => event.persisted && open())
}

export function useLive<K extends keyof Events>(name: K, listener: Listener<K>) {
    useEffect(() => {
        if (!source) start()
        listeners[name].add(listener)
        return () => {
            listeners[name].delete(listener)
        }
    }, [name, listener])
}

export function useConnection(): Connection {
    const [value, set] = useState(state)
    useEffect(() => {
        watchers.add(set)
        set(state)
        return () => {
            watchers.delete(set)
        }
    }, [])
    return value
}

// Calls `again` each time the feed is back after it was lost.
export function useReturn(again: () => void) {
    useEffect(() => {
        let lost = false
        const tell = (now: Connection) => {
            if (now === 'up' && lost) again()
            lost = now === 'down'
        }
        watchers.add(tell)
        return () => {
            watchers.delete(tell)
        }
    }, [again])
}
