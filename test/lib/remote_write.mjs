// Prometheus' remote write 1.0, by hand: protobuf, and snappy with literals only (which every snappy reader takes).
//
//   await remoteWrite(url, [{ labels: { __name__: 'up' }, samples: [[timeMs, value], ...] }])
//
// A value of STALE is sent as the staleness marker, bit for bit.
import { request } from 'node:http'

export const STALE = Symbol('stale')
const staleBits = 0x7ff0000000000002n

function varint(value) {
    const bytes = []
    let rest = BigInt(value)
    do {
        const low = Number(rest & 0x7fn)
        rest >>= 7n
        bytes.push(rest > 0n ? low | 0x80 : low)
    } while (rest > 0n)
    return Buffer.from(bytes)
}

const field = (number, content) => Buffer.concat([Buffer.from([(number << 3) | 2]), varint(content.length), content])
const text = (number, value) => field(number, Buffer.from(value))

function sample([time, value]) {
    const double = Buffer.alloc(9)
    double[0] = 0x09 // Field 1, 64 bits.
    if (value === STALE) double.writeBigUInt64LE(staleBits, 1)
    else double.writeDoubleLE(value, 1)
    return Buffer.concat([double, Buffer.from([0x10]), varint(time)])
}

// Prometheus wants labels sorted by name.
function encode(series) {
    const parts = series.map(({ labels, samples }) => {
        const names = Object.keys(labels).sort()
        const pairs = names.map((name) => field(1, Buffer.concat([text(1, name), text(2, labels[name])])))
        return field(1, Buffer.concat([...pairs, ...samples.map((one) => field(2, sample(one)))]))
    })
    return Buffer.concat(parts)
}

export function snappy(plain) {
    const parts = [varint(plain.length)]
    for (let at = 0; at < plain.length; at += 65536) {
        const piece = plain.subarray(at, at + 65536)
        const tag = Buffer.alloc(3)
        tag[0] = 61 << 2 // A literal whose length less one is in the next two bytes.
        tag.writeUInt16LE(piece.length - 1, 1)
        parts.push(tag, piece)
    }
    return Buffer.concat(parts)
}

export function remoteWrite(url, series) {
    const body = snappy(encode(series))
    const headers = {
        'content-type': 'application/x-protobuf',
        'content-encoding': 'snappy',
        'x-prometheus-remote-write-version': '0.1.0',
        'content-length': body.length,
    }
    return new Promise((done, fail) => {
        const call = request(url, { method: 'POST', headers }, (response) => {
            let answer = ''
            response.on('data', (data) => (answer += data))
            response.on('end', () => {
                if (response.statusCode < 300) done()
                else fail(new Error(`${url} refused a write with ${response.statusCode}: ${answer.slice(0, 300)}`))
            })
        })
        call.once('error', fail)
        call.end(body)
    })
}
