// What goes wrong during the soak: faults of two of the three engines, at random; the third stays well, so that nearly
// every request can be answered.
import { startSim } from '../lib/stoker.mjs'

const kinds = [
    { kind: 'rate_limit', retry_after: '1s' },
    { kind: 'rate_limit' },
    { kind: 'error_rate', status: 500, probability: 0.3 },
    { kind: 'error_rate', status: 503 },
    { kind: 'reset_before_headers', probability: 0.5 },
    { kind: 'no_answer', probability: 0.3 },
    { kind: 'slow_first_token', delay: '3s', probability: 0.5 },
    { kind: 'cut_stream', after_tokens: 12, probability: 0.5 },
    { kind: 'stall_stream', after_tokens: 9, probability: 0.3 },
    { kind: 'malformed_event', after_tokens: 5, probability: 0.3 },
    { kind: 'missing_done' },
    { kind: 'hang' },
    { kind: 'hang_all' },
    { kind: 'kv_exhausted', share: 0.9 },
    { kind: 'latency_ramp', to: 4, over: 1 },
    'kill',
    'stop',
]

// Breaks and mends `engines` (those of startSim()) until `stopped()`; counts what it did.
export async function breakEngines({ engines, random, stopped, told }) {
    const counts = {}
    const wait = (ms) => new Promise((done) => setTimeout(done, ms))
    while (!stopped()) {
        await wait(1000 + random.int(4000))
        if (stopped()) break
        const at = random.int(2)
        const engine = engines[at]
        const fault = kinds[random.int(kinds.length)]
        const name = typeof fault === 'string' ? fault : fault.kind
        counts[name] = (counts[name] ?? 0) + 1
        try {
            if (fault === 'kill') {
                engine.child.kill('SIGKILL')
                await wait(500 + random.int(3000))
                engines[at] = await startSim({ port: engine.port, profile: engine.profile })
                engines[at].profile = engine.profile
            } else if (fault === 'stop') {
                engine.child.kill('SIGSTOP')
                await wait(1000 + random.int(4000))
                engine.child.kill('SIGCONT')
            } else {
                await engine.fault({ ...fault, for: `${2 + random.int(6)}s` })
            }
        } catch (error) {
            told(`fault ${name} could not be set: ${error.message}`) // A hung engine may not answer; it comes back by itself.
        }
    }
    for (const engine of engines) await engine.clearFaults()
    return counts
}
