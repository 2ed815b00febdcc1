// The live feed: one EventSource for the whole page, shared by everyone who listens, reconnecting by itself.
import { useEffect, useState } from 'preact/hooks'
import type { Incident, Overview, RequestRecord } from './types'

interface Events {
    overview: Overview
    incident: Incident
    request: RequestRecord
}

type Listener<K extends keyof Events> = (data: Events[K]) => void

const listeners: { [K in keyof Events]: Set<Listener<K>> } = { overview: new Set(), incident: new Set(), request: new Set() }
const connection = new Set<(up: boolean) => void>()
let source: EventSource | null = null
let up = false

function setUp(value: boolean) {
    up = value
    for (const tell of connection) tell(up)
}

function open() {
    source = new EventSource('/api/v1/stream')
    source.onopen = () => setUp(true)
    source.onerror = () => setUp(false)
    const follow = <K extends keyof Events>(name: K) =>
        source!.addEventListener(name, (event) => {
            const data = JSON.parse((event as MessageEvent<string>).data) as Events[K]
            for (const listener of listeners[name]) listener(data)
        })
    follow('overview')
    follow('incident')
    follow('request')
}

export function useLive<K extends keyof Events>(name: K, listener: Listener<K>) {
    useEffect(() => {
        if (!source) open()
        listeners[name].add(listener)
        return () => {
            listeners[name].delete(listener)
        }
    }, [name, listener])
}

// Whether the feed is connected now.
export function useConnected(): boolean {
    const [value, set] = useState(up)
    useEffect(() => {
        connection.add(set)
        set(up)
        return () => {
            connection.delete(set)
        }
    }, [])
    return value
}
