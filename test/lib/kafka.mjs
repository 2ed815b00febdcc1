// librdkafka's mock cluster in a process of its own, and kcat, a client that is none of ours.
import { spawn, spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const noKafka = spawnSync('kcat', ['-V']).error ? 'kcat is not installed' : false

// { brokers, topic(name, partitions), down(n), up(n), read(topic) → [{ key, value }], write(topic, lines), stop() }
export async function startKafka() {
    const child = spawn('python3', [join(dirname(fileURLToPath(import.meta.url)), 'kafka_mock.py')], { stdio: ['pipe', 'pipe', 'inherit'] })
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const brokers = (await lines.next()).value
    if (!brokers) throw new Error('the mock cluster did not start')
    const tell = async (command) => {
        child.stdin.write(command + '\n')
        const { value } = await lines.next()
        if (value !== 'ok') throw new Error(`${command}: ${value}`)
    }
    return {
        brokers: brokers.split(','),
        topic: (name, partitions = 2) => tell(`topic ${name} ${partitions}`),
        down: (broker) => tell(`down ${broker}`),
        up: (broker) => tell(`up ${broker}`),
        // All that a topic has now.
        read(topic) {
            const got = spawnSync('kcat', ['-b', brokers, '-C', '-t', topic, '-o', 'beginning', '-e', '-q', '-f', '%k\\x01%s\\x02'], { timeout: 20_000, maxBuffer: 1 << 26 })
            if (got.status !== 0) throw new Error(`kcat: ${got.stderr}`)
            return got.stdout.toString().split('\x02').slice(0, -1).map((one) => ({ key: one.split('\x01')[0], value: one.split('\x01')[1] }))
        },
        write(topic, messages) {
            const got = spawnSync('kcat', ['-b', brokers, '-P', '-t', topic], { input: messages.join('\n') + '\n', timeout: 20_000 })
            if (got.status !== 0) throw new Error(`kcat: ${got.stderr}`)
        },
        stop: () => child.kill('SIGKILL'),
    }
}
