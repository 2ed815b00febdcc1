// A plain streaming client that notes exactly what it saw, for tests that must tell a clean end from a cut one.
import { request } from 'node:http'

// POSTs a streaming chat request. Resolves (never rejects) with
// { status, events, text, pieces, done, error, cut, firstByteAt }: `pieces` has the text of each event that brought some,
// `done` is true after [DONE], `error` the error event's object, `cut` true when the connection ended without a clean end of the body.
export function streamChat(gateway, body, { headers = {}, onFirstByte, path = '/v1/chat/completions' } = {}) {
    return new Promise((finish) => {
        const seen = { status: 0, headers: {}, events: 0, text: '', pieces: [], done: false, error: null, cut: false, firstByteAt: null, finishReason: null, usage: null }
        const url = new URL(gateway + path)
        const call = request(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, agent: false }, (response) => {
            seen.status = response.statusCode
            seen.headers = response.headers
            let pending = ''
            let raw = ''
            response.setEncoding('utf8')
            response.on('data', (text) => {
                if (seen.firstByteAt === null) {
                    seen.firstByteAt = Date.now()
                    onFirstByte?.()
                }
                raw += text
                pending += text
                const parts = pending.split('\n\n')
                pending = parts.pop()
                for (const part of parts) take(part, seen)
            })
            response.on('end', () => {
                if (seen.status !== 200) {
                    try {
                        seen.error = JSON.parse(raw).error
                    } catch {
                        seen.error = { message: raw }
                    }
                }
                finish(seen)
            })
            response.on('error', () => {
                seen.cut = true
                finish(seen)
            })
        })
        call.on('error', (error) => {
            seen.cut = true
            seen.connectError = error.code
            finish(seen)
        })
        call.end(JSON.stringify({ stream: true, ...body }))
    })
}

function take(part, seen) {
    for (const line of part.split('\n')) {
        if (!line.startsWith('data:')) continue
        const data = line.slice(5).trim()
        if (data === '[DONE]') {
            seen.done = true
            continue
        }
        const event = JSON.parse(data)
        if (event.error) {
            seen.error = event.error
            continue
        }
        seen.events++
        const piece = event.choices?.[0]?.delta?.content ?? event.choices?.[0]?.text ?? ''
        seen.text += piece
        if (piece) seen.pieces.push(piece)
        seen.finishReason = event.choices?.[0]?.finish_reason ?? seen.finishReason
        seen.usage = event.usage ?? seen.usage
    }
}
