// The shapes that the console API answers in (docs/api.md). null means "not known", never 0.
export type Known = number | null

export interface Traffic {
    requests_per_s: Known
    errors_per_s: Known
    error_ratio: Known
    active_requests: Known
    prompt_tokens_per_s: Known
    completion_tokens_per_s: Known
    ttft_p50_s: Known
    ttft_p99_s: Known
    itl_p50_s: Known
    itl_p99_s: Known
    duration_p50_s: Known
    duration_p99_s: Known
}

export type ReplicaState = 'serving' | 'down' | 'hung' | 'open' | 'half_open' | 'ejected' | 'draining' | 'discovered'

export interface Overview {
    time_ms: number
    demo: boolean
    version: string
    traffic: Traffic
    engines: { id: string; state: ReplicaState; outstanding: number; kv_usage: Known; running: Known; waiting: Known; tokens_per_s: Known }[]
    host: {
        cpu_ratio: Known
        load1: Known
        memory_used_bytes: Known
        memory_total_bytes: Known
        network_receive_bytes_per_s: Known
        network_transmit_bytes_per_s: Known
        disk_read_bytes_per_s: Known
        disk_write_bytes_per_s: Known
    }
    degraded: { pool: string; name: string; why: string }[]
    incidents: { open: number }
}

export interface Engine {
    id: string
    pool: string
    url: string
    kind: string
    version: string
    models: string[]
    engine_models: string[]
    state: ReplicaState
    reason?: string
    since_ms?: number
    outstanding?: number
    requests_total?: number
    failures_total?: number
    last_progress_ms?: number
    health?: { ok: boolean; detail: string; at_ms: number }
    scrape: { ok: boolean; last_ms: number; duration_s: number; samples: number; error: string } | null
    process?: { pid: number; restarts: number; state: string } | null
    metrics?: { running: Known; waiting: Known; kv_usage: Known }
    findings: Finding[]
}

// What looks wrong with an engine's own numbers.
export interface Finding {
    finding: string
    severity: 'note' | 'warning' | 'error'
    metric: string
    text: string
    fix: string
}

export interface Attempt {
    replica: string
    status: number
    error: string
    started_ns: number
    duration_ns: number
    kind?: string // retry, fallback, continuation, hedge; of the first none.
}

export interface RequestRecord {
    id: string
    trace_id: string
    time_ms: number
    endpoint: string
    model: string
    pool: string
    replica: string
    tenant: string
    client: string
    stream: boolean
    status: number
    outcome: string
    error: string
    finish_reason: string
    prompt_tokens: number
    completion_tokens: number
    cached_tokens: number
    usage_source: string
    duration_ns: number
    ttft_ns: number
    itl_mean_ns: number
    itl_max_ns: number
    events: number
    request_bytes: number
    response_bytes: number
    attempts: Attempt[]
}

export type IncidentStatus = 'open' | 'awaiting_approval' | 'acting' | 'resolved' | 'escalated'

export interface Incident {
    id: string
    kind: string
    status: IncidentStatus
    severity: string
    title: string
    replica: string
    pool: string
    policy: string
    opened_ms: number
    updated_ms: number
    resolved_ms: number
    hypotheses: { cause: string; summary: string; confidence: number; evidence: { text: string; query: string; value: string }[] }[]
    timeline: { at_ms: number; phase: string; text: string; actor: string; ok: boolean }[]
}

export interface Target {
    labels: Record<string, string>
    scrapePool: string
    scrapeUrl: string
    lastError: string
    lastScrape: string
    lastScrapeDuration: number
    lastScrapeSamples: number
    health: string
    scrapeInterval?: string
}

// Where a pool's targets come from.
export interface TargetSource {
    scrapePool: string
    source: string
    targets: number
    asked: boolean
    lastError: string
    lastSuccess: string
}

export interface Targets {
    activeTargets: Target[]
    droppedTargetCounts: Record<string, number>
    discovery?: TargetSource[]
}

export interface Rule {
    name: string
    query: string
    type: 'alerting' | 'recording'
    health: string
    lastError?: string
    lastEvaluation?: string
    evaluationTime?: number
    duration?: number
    labels?: Record<string, string>
    annotations?: Record<string, string>
    state?: string
    alerts?: { labels: Record<string, string>; annotations: Record<string, string>; state: string; activeAt: string; value: string }[]
}

export interface RuleGroup {
    name: string
    file: string
    interval: number
    evaluationTime?: number
    lastEvaluation?: string
    rules: Rule[]
}

export interface Named {
    name: string
    value: number
}

export interface TsdbStatus {
    headStats: { numSeries: number; numLabelPairs: number; chunkCount: number; minTime: number; maxTime: number }
    seriesCountByMetricName: Named[]
    labelValueCountByLabelName: Named[]
    memoryInBytesByLabelName: Named[]
    seriesCountByLabelValuePair: Named[]
}

// A key of one of the gateway's clients; never what it is.
// The highest first.
export const classes = ['high', 'normal', 'low'] as const
// One line of log. Nanoseconds are past what a number counts to.
export interface LogLine {
    time_ns: string
    time: string
    observed_ns: string
    severity: string
    severity_number: number
    severity_text: string
    body: string
    service: string
    trace_id: string
    span_id: string
    source: string
    stream: string
    signature: string
    place?: string
    attributes: Record<string, string>
    resource: Record<string, string>
}

// Texts as the address and the API have them; '' is any.
export interface LogFilter {
    last: string
    service: string
    severity: string
    q: string
    trace_id: string
    signature: string
}

// Of those, clients that left by themselves are none.
export const refusals = ['queue_full', 'too_long', 'shed', 'timeout'] as const

export interface Queue {
    pool: string
    concurrency: 'auto' | 'fixed'
    limit: number | null
    running: number
    queue: number
    waiting: Record<(typeof classes)[number], number>
    oldest_wait_ms: number
    refused: Record<(typeof refusals)[number], number>
    drain_per_second: number
    tenants: { tenant: string; priority: (typeof classes)[number]; waiting: number }[]
    // Only with `auto`.
    by?: 'none' | 'grows' | 'enough' | 'engine_queue' | 'first_token' | 'whole_answer' | 'measures'
    ttft_ratio?: number
}

export interface GpuReader {
    reader: string
    at_ms: number
    age_ms: number
    gpus: number
    error: string
}

export interface Gpu {
    gpu: number
    uuid: string
    name: string
    pci: string
    generation: string
    driver: string
    up: boolean
    health: number
    findings: { id: string; points: number; what: string }[]
    utilization: Known
    sm_active: Known
    tensor_active: Known
    dram_active: Known
    memory_total_bytes: Known
    memory_used_bytes: Known
    temperature_celsius: Known
    slowdown_temperature_celsius: Known
    memory_temperature_celsius: Known
    power_watts: Known
    power_limit_watts: Known
    sm_clock_hertz: Known
    sm_clock_max_hertz: Known
    clock_reasons: string[]
    mig: boolean
    instances: { profile: string }[]
    processes: { pid: number; name: string; memory_bytes: Known; engine: string; replica: string }[]
    xids: { xid: number; count: number; last_ms: number; meaning: string; action: string; detail: string }[]
}

export interface Agent {
    name: string
    state: 'sending' | 'silent'
    token: string | null
    version: string
    first_seen_ms: number
    last_seen_ms: number
    requests: number
    bytes: number
}

export interface AgentToken {
    id: string
    name: string
    state: string
    created_ms: number
    expires_ms: number | null
    revoked_ms: number | null
    last_used_ms: number | null
}

export interface ClientKey {
    id: string
    tenant: string
    source: 'api' | 'config'
    state: string
    models: string[]
    metadata: Record<string, string>
    expires_ms: number | null
    previous_until_ms: number | null
    last_used_ms: number | null
}

export interface TraceSummary {
    trace_id: string
    name: string
    service: string
    start_ns: number
    duration_ns: number
    spans: number
    errors: number
    services: number
    model: string
    input_tokens: number
    output_tokens: number
    weight: number
}

// Not complete: the search ended at searched_from_ns, and there may be more before it.
export interface TraceList {
    traces: TraceSummary[]
    complete: boolean
    searched_from_ns: number
}

// Empty fields are not there.
export interface Span {
    trace_id: string
    span_id: string
    parent_span_id?: string
    name?: string
    kind: string
    service: string
    scope?: string
    format: string
    start_ns: number
    duration_ns?: number
    error?: boolean
    status_message?: string
    attributes?: Record<string, unknown>
    resource?: Record<string, unknown>
    events?: { time_ns: number; name: string; attributes: Record<string, unknown> }[]
    links?: { trace_id: string; span_id: string }[]
    weight?: number
}
