// What random PromQL is made of: numbers, label matchers, modifiers, selectors.
import { base, families, instances, jobs, length, zones } from './promql_data.mjs'
import { Node, facts } from './promql_node.mjs'

export const comparisons = ['==', '!=', '<', '<=', '>', '>=']

// A duration as PromQL has it.
export const seconds = (ms) => {
    const parts = []
    for (const [unit, size] of [['h', 3_600_000], ['m', 60_000], ['s', 1000], ['ms', 1]]) {
        if (ms >= size) parts.push(Math.floor(ms / size) + unit)
        ms %= size
    }
    return parts.join('') || '0s'
}

// For Grammar, which has vector().
export class Operands {
    constructor(random) {
        this.random = random
    }

    // --- Numbers ---

    number(phase) {
        const value = this.random.weighted([[6, this.random.int(-5, 20)], [2, this.random.int(-800, 800) / 8], [1, this.random.real() * 100]])
        const bits = Number.isInteger(value * 8) ? 13 : null
        return new Node('scalar', phase, [], () => String(value), { bits, positive: value >= 0, value })
    }

    scalar(depth, phase) {
        const { random } = this
        if (depth <= 0) return this.number(phase)
        return random.weighted([
            [4, () => this.number(phase)],
            [2, () => new Node('scalar', phase, [], () => 'time()', { bits: 34, positive: true })],
            [1, () => new Node('scalar', phase, [], () => 'pi()', { positive: true })],
            [3, () => {
                const v = this.vector(depth - 1, phase)
                return new Node('scalar', phase, [v], (x) => `scalar(${x})`, facts([v], { odd: true }))
            }],
            [2, () => {
                const [a, b] = [this.scalar(depth - 1, phase), this.scalar(depth - 1, phase)]
                const op = random.pick(['+', '-', '*', '/', '%'])
                return new Node('scalar', phase, [a, b], (x, y) => `(${x} ${op} ${y})`, facts([a, b], { odd: true }))
            }],
            [1, () => {
                const [a, b] = [this.scalar(depth - 1, phase), this.scalar(depth - 1, phase)]
                const op = random.pick(comparisons)
                return new Node('scalar', phase, [a, b], (x, y) => `(${x} ${op} bool ${y})`, facts([a, b], { bits: 4, positive: true, odd: false }))
            }],
            [1, () => {
                const a = this.scalar(depth - 1, phase)
                return new Node('scalar', phase, [a], (x) => `-(${x})`, facts([a]))
            }],
        ])()
    }

    // --- Selectors ---

    matchers() {
        const { random } = this
        const choices = [
            () => `job="${random.pick(jobs)}"`,
            () => `job!="${random.pick(jobs)}"`,
            () => `instance=~"${random.pick(['[ab].*', 'a:1|d:2', '.:1', '.+', '.*', 'c', '(a|b|c):1', 'd.2'])}"`,
            () => `instance!~"${random.pick(['[ab].*', 'a:1|d:2', '.:1', 'c', ''])}"`,
            () => `instance="${random.pick(instances)}"`,
            () => `zone="${random.pick(zones)}"`,
            () => `zone!="${random.pick(zones)}"`,
            () => `zone=~"${random.pick(['e.*', '', '|west', '.+', '(?i)EAST'])}"`,
            () => `nosuch="${random.pick(['', 'x'])}"`,
            () => `code=~"${random.pick(['[45]..', '200', '|200'])}"`,
        ]
        return random.weighted([[5, []], [5, [random.pick(choices)()]], [2, [random.pick(choices)(), random.pick(choices)()]]])
    }

    // ` offset 1m`, ` @ 123.5`, both in either order; and the phase of what is under them.
    shift(phase, fixable = true) {
        const { random } = this
        const offset = () => ` offset ${random.chance(0.3) ? '-' : ''}${seconds(random.pick([1, 15, 60, 300, 1200, random.int(1, 3000)]) * 1000)}`
        const at = () => ` @ ${random.weighted([[3, String((base + random.int(0, length / 1000) * 1000 + 500) / 1000)], [1, 'start()'], [1, 'end()']])}`
        return random.weighted([
            [12, () => ({ text: '', phase })],
            [4, () => ({ text: offset(), phase })],
            [fixable ? 2 : 0, () => ({ text: at(), phase: 500 })],
            [fixable ? 1 : 0, () => ({ text: random.chance(0.5) ? at() + offset() : offset() + at(), phase: 500 })],
        ])()
    }

    // The families in `names`, or any.
    selectorText(names) {
        const { random } = this
        const matchers = this.matchers()
        if (names.length > 1 && random.chance(0.15)) {
            const some = random.some(names, 1)
            return { some, text: `{${[`__name__=~"${some.join('|')}"`, ...matchers].join(', ')}}`, plain: `{__name__=~"${some.join('|')}"}` }
        }
        const name = random.pick(names)
        return { some: [name], text: name + (matchers.length ? `{${matchers.join(',')}}` : ''), plain: name }
    }

    selectorFacts(some) {
        const all = some.map((name) => families[name])
        return {
            bits: all.every((family) => family.bits !== null) ? Math.max(...all.map((family) => family.bits)) : null,
            positive: all.every((family) => family.positive),
            distinct: all.length === 1 && !!all[0].distinct,
            odd: all.some((family) => family.odd),
            counter: all.every((family) => family.counter),
        }
    }

    selector(phase, names = Object.keys(families), fixable = true) {
        const { some, text, plain } = this.selectorText(names)
        const shift = this.shift(phase, fixable)
        const node = new Node('vector', phase, [], () => text + shift.text, this.selectorFacts(some))
        node.plainSelector = true
        node.oneName = some.length === 1
        node.simpler = [text, plain + shift.text, plain].filter((one) => one !== text + shift.text).map((one) => new Node('vector', phase, [], () => one, node))
        return node
    }
}
