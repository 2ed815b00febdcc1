// Calls to the console API. Every failure becomes an Error with the server's own sentence.
import type { Agent, AgentToken, ClientKey, Engine, Gpu, GpuReader, Incident, LogFilter, LogLine, Overview, Queue, RequestRecord, RuleGroup, Span, Targets, TraceList, TsdbStatus } from './types'

// No answer came at all: Stoker is stopped, or the network between is.
export class Unreachable extends Error {}

async function call<T>(path: string, options?: RequestInit): Promise<T> {
    let response: Response
    let text: string
    try {
        response = await fetch(path, { ...options, signal: AbortSignal.timeout(15_000) })
        text = await response.text()
    } catch (problem) {
        throw new Unreachable((problem as Error).message)
    }
    let body: unknown
    try {
        body = JSON.parse(text)
    } catch {
        throw new Error(`${path}: ${response.status} ${text.slice(0, 200)}`)
    }
    if (!response.ok) {
        const error = (body as { error?: string | { message: string } }).error
        throw new Error(typeof error === 'string' ? error : (error?.message ?? `${path}: ${response.status}`))
    }
    return body as T
}

export interface RequestFilter {
    last: string
    model: string
    outcome: string
    q: string
    sort: string
    from: string
    to: string
    limit: number
    offset: number
}

export interface TraceFilter {
    last: string
    service: string
    q: string
    min_duration: string
    errors: string
    from: string
    to: string
    limit: number
}

// An exemplar: one request behind a sample.
export interface Exemplar {
    labels: Record<string, string>
    value: string
    timestamp: number
}

export interface NewKey {
    tenant: string
    id?: string
    models?: string[]
    expires: string | null
}

// What is not there stays as it is; null takes a text away.
export interface KeyChanges {
    models?: string[]
    metadata?: Record<string, string | null>
}

// The secret is there this once.
export interface IssuedAgentToken {
    token: AgentToken
    secret: string
}

// The secret is there this once.
export interface IssuedKey {
    key: ClientKey
    secret: string | null
}

export interface PromHistogram {
    count: string
    sum: string
    buckets?: [number, string, string, string][]
}

export interface PromSeries {
    metric: Record<string, string>
    values?: [number, string][]
    value?: [number, string]
    histogram?: [number, PromHistogram]
    histograms?: [number, PromHistogram][]
}

export interface SeriesData {
    resultType: 'vector' | 'matrix'
    result: PromSeries[]
}

export interface SingleData {
    resultType: 'scalar' | 'string'
    result: [number, string]
}

export type PromData = SeriesData | SingleData

export interface PromAnswer {
    data: PromData
    warnings?: string[]
    infos?: string[]
}

// Of a trace, all lines: whenever it was.
function logParams(filter: LogFilter): URLSearchParams {
    const params = new URLSearchParams()
    for (const [key, value] of Object.entries(filter)) if (value !== '' && !(key === 'last' && filter.trace_id)) params.set(key, value)
    return params
}

const data = <T>(path: string) => call<{ data: T }>(path).then((answer) => answer.data)

export const api = {
    overview: () => call<Overview>('/api/v1/overview'),
    engines: () => call<{ engines: Engine[] }>('/api/v1/engines').then((answer) => answer.engines),
    incidents: () => call<{ incidents: Incident[] }>('/api/v1/incidents').then((answer) => answer.incidents),
    incident: (id: string) => call<Incident>(`/api/v1/incidents/${encodeURIComponent(id)}`),
    decide: (id: string, verdict: 'approve' | 'reject') =>
        call<Incident>(`/api/v1/incidents/${encodeURIComponent(id)}/${verdict}`, { method: 'POST', body: JSON.stringify({ by: 'page' }) }),
    requests: (filter: RequestFilter) => {
        const params = new URLSearchParams()
        for (const [key, value] of Object.entries(filter)) if (value !== '') params.set(key, String(value))
        return call<{ requests: RequestRecord[]; total: number; complete: boolean; searched_from_ms?: number }>(`/api/v1/requests?${params}`)
    },
    logs: (filter: LogFilter, limit: number, place: string) => {
        const params = logParams(filter)
        params.set('limit', String(limit))
        if (place) params.set('place', place)
        return call<{ logs: LogLine[]; next: string }>(`/api/v1/logs?${params}`)
    },
    logServices: (last: string) => call<{ services: { name: string; lines: number }[] }>(`/api/v1/logs/services?last=${last}`).then((answer) => answer.services),
    logTailUrl: (filter: LogFilter) => `/api/v1/logs/tail?${logParams(filter)}`,
    request: (id: string) => call<RequestRecord>(`/api/v1/requests/${encodeURIComponent(id)}`),
    traces: (filter: TraceFilter) => {
        const params = new URLSearchParams()
        for (const [key, value] of Object.entries(filter)) if (value !== '') params.set(key, String(value))
        return call<TraceList>(`/api/v1/traces?${params}`)
    },
    trace: (id: string, near: string) => call<{ spans: Span[] }>(`/api/v1/traces/${encodeURIComponent(id)}${near && `?near=${near}`}`).then((answer) => answer.spans),
    traceServices: () => data<string[]>('/api/services'),
    exemplars: (query: string, start: number, end: number) =>
        data<{ seriesLabels: Record<string, string>; exemplars: Exemplar[] }[]>(`/api/v1/query_exemplars?query=${encodeURIComponent(query)}&start=${start}&end=${end}`),
    range: (query: string, start: number, end: number, step: number) =>
        call<{ data: { result: { metric: Record<string, string>; values: [number, string][] }[] } }>(
            `/api/v1/query_range?query=${encodeURIComponent(query)}&start=${start}&end=${end}&step=${step}`,
        ).then((answer) => answer.data.result),
    query: (query: string, time: number | null) => call<PromAnswer>(`/api/v1/query?query=${encodeURIComponent(query)}${time === null ? '' : `&time=${time}`}`),
    queryRange: (query: string, start: number, end: number, step: number) =>
        call<PromAnswer>(`/api/v1/query_range?query=${encodeURIComponent(query)}&start=${start}&end=${end}&step=${step}`),
    formatQuery: (query: string) => data<string>(`/api/v1/format_query?query=${encodeURIComponent(query)}`),
    targets: () => data<Targets>('/api/v1/targets'),
    rules: () => data<{ groups: RuleGroup[] }>('/api/v1/rules').then((found) => found.groups),
    gpus: () => call<{ gpus: Gpu[]; readers: GpuReader[] }>('/api/v1/gpus'),
    queues: () => call<{ pools: Queue[] }>('/api/v1/queues').then((answer) => answer.pools),
    keys: (prefix: string) => call<{ keys: ClientKey[]; total: number }>(`/api/v1/keys?prefix=${encodeURIComponent(prefix)}`),
    createKey: (key: NewKey) => call<IssuedKey>('/api/v1/keys', { method: 'POST', body: JSON.stringify(key) }),
    editKey: (id: string, changes: KeyChanges) => call<ClientKey>(`/api/v1/keys/${encodeURIComponent(id)}`, { method: 'PATCH', body: JSON.stringify(changes) }),
    rotateKey: (id: string, overlap: string) =>
        call<IssuedKey>(`/api/v1/keys/${encodeURIComponent(id)}/rotate`, { method: 'POST', body: JSON.stringify({ overlap }) }),
    revokeKey: (id: string) => call<ClientKey>(`/api/v1/keys/${encodeURIComponent(id)}/revoke`, { method: 'POST' }),
    agents: () => call<{ agents: Agent[] }>('/api/v1/agents').then((answer) => answer.agents),
    forgetAgent: (name: string) => call<unknown>(`/api/v1/agents/${encodeURIComponent(name)}`, { method: 'DELETE' }),
    agentTokens: () => call<{ tokens: AgentToken[] }>('/api/v1/agent-tokens').then((answer) => answer.tokens),
    createAgentToken: (name: string) => call<IssuedAgentToken>('/api/v1/agent-tokens', { method: 'POST', body: JSON.stringify({ name }) }),
    revokeAgentToken: (id: string) => call<AgentToken>(`/api/v1/agent-tokens/${encodeURIComponent(id)}/revoke`, { method: 'POST' }),
    tsdbStatus: (limit: number) => data<TsdbStatus>(`/api/v1/status/tsdb?limit=${limit}`),
}
