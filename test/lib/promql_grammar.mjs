// Random PromQL over the series of promql_data.mjs, from what Prometheus 2.42 and 3.x answer alike.
// The rules that keep their differences out are in docs/decisions/005-differential-test.md.
import { base, families, length } from './promql_data.mjs'
import { Node, facts } from './promql_node.mjs'
import { Operands, comparisons, seconds } from './promql_operands.mjs'

const groupings = ['job', 'instance', 'zone', 'code', 'le', '__name__', 'nosuch']
// What an operation whose results may differ by rounding may differ by.
const kSum = 1e-13 // Summed plainly there, with Kahan's correction here; of up to a few hundred positive values.
const kLibm = 1e-14 // Go's math package and glibc each promise about one ulp.
const kSpread = 1e-9 // Deviations, whose differences from the mean cancel.
const kQuantile = 1e-9 // Interpolation between buckets whose counts were rounded.

const exactSum = (node, more) => node.bits !== null && node.bits + more <= 52

export class Grammar extends Operands {
    // { expr, start, end, step }: an instant query where there is no step. All times are half past a second.
    query() {
        const { random } = this
        const depth = random.weighted([[2, 1], [4, 2], [4, 3], [2, 4]])
        const type = random.weighted([[10, 'rough'], [60, 'vector'], [4, 'scalar'], [3, 'matrix'], [3, 'wrong']])
        const expr = type === 'rough' ? this.rough(depth, 500) : type === 'vector' ? this.vector(depth, 500) : type === 'scalar' ? this.scalar(depth, 500) : type === 'matrix' ? this.matrix(depth, 500) : this.wrong(depth)
        const start = base + random.int(0, length / 1000 + 300) * 1000 + 500
        if (random.chance(0.5)) return { expr, start }
        const step = random.pick([1, 5, 7, 15, 15, 30, 60, 61, 300]) * 1000
        return { expr, start, end: start + step * random.int(0, 60) + random.pick([0, 0, 1000]), step }
    }

    // Something of the wrong type somewhere: both must refuse it.
    wrong(depth) {
        const { random } = this
        const vector = this.vector(depth, 500)
        const scalar = this.scalar(1, 500)
        const matrix = this.matrix(1, 500)
        const make = (children, write) => new Node('vector', 500, children, write)
        return random.pick([
            () => make([scalar], (s) => `sum(${s})`),
            () => make([vector], (v) => `rate(${v})`),
            () => make([matrix], (m) => `abs(${m})`),
            () => make([scalar, scalar], (a, b) => `(${a}) ${random.pick(['and', 'or', 'unless'])} (${b})`),
            () => make([this.number(500), this.number(500)], (a, b) => `${a} == ${b}`),
            () => make([vector, matrix], (v, m) => `(${v}) + ${m}`),
            () => make([vector], (v) => `nosuchfunction(${v})`),
            () => make([vector], (v) => `clamp_max(${v})`),
            () => make([vector, vector], (a, b) => `(${a}) and on(job) group_left (${b})`),
            () => make([vector, scalar], (v, s) => `(${v}) + on(job) (${s})`),
            () => make([vector, vector], (a, b) => `(${a}) * bool (${b})`),
            () => make([vector], (v) => `topk(${v})`),
            () => make([vector], (v) => `(${v})[5m]`),
            () => make([vector], (v) => `label_replace(${v}, "a", "$1", "job", "(")`),
            () => make([vector], (v) => `label_replace(${v}, "", "$1", "job", "(.*)")`),
            () => make([vector], (v) => `label_join(${v}, "", ",", "job")`),
            () => make([vector], (v) => `count_values("", ${v})`),
            () => make([], () => '{job=""}'),
            () => make([], () => 'ints{job="a", __name__="b"}'),
            () => make([matrix], (m, dialect) => `${dialect === 'stoker' ? 'double_exponential_smoothing' : 'holt_winters'}(${m}, 2, 0.5)`),
        ])()
    }

    // --- Ranges ---

    rangeSelector(phase, names, fixable = true) {
        const { random } = this
        const { some, text, plain } = this.selectorText(names)
        const shift = this.shift(phase, fixable)
        const range = `[${seconds(random.pick([20, 30, 60, 60, 90, 300, 300, 600, 1800]) * 1000 + random.pick([0, 0, 500]))}]`
        const node = new Node('matrix', phase, [], () => text + range + shift.text, { ...this.selectorFacts(some), distinct: false, points: 9 })
        node.simpler = [text + range, plain + range + shift.text, plain + range].filter((one) => one !== text + range + shift.text).map((one) => new Node('matrix', phase, [], () => one, node))
        return node
    }

    // No multiple of its step falls on an edge: a whole step under times at half a second, or half a second more.
    subquery(phase, inner) {
        const { random } = this
        const shift = this.shift(phase)
        const step = random.pick([5, 10, 15, 30, 60, 0])
        const count = random.int(1, 30)
        const ms = (step || 60) * 1000 * count + (shift.phase === 0 ? 500 : 0)
        const wrapped = inner.plainSelector || inner.call ? (x) => x : (x) => `(${x})`
        const text = `[${seconds(ms)}:${step ? `${step}s` : ''}]${shift.text}`
        return new Node('matrix', phase, [inner], (x) => wrapped(x) + text, { ...facts([inner]), bits: inner.bits, positive: inner.positive, points: 6 })
    }

    matrix(depth, phase, names = Object.keys(families)) {
        if (depth > 0 && this.random.chance(0.3)) return this.subquery(phase, this.vector(depth - 1, 0, names))
        return this.rangeSelector(phase, names)
    }

    // Only of counters, for which the two versions of extrapolation agree.
    counterMatrix(phase) {
        const names = Object.keys(families).filter((name) => families[name].counter)
        if (this.random.chance(0.2)) return this.subquery(phase, this.selector(0, ['requests_total']))
        return this.rangeSelector(phase, names)
    }

    window(depth, phase) {
        const { random } = this
        const call = (name, m, more = {}) => {
            const node = new Node('vector', phase, [m], (x) => `${name}(${x})`, facts([m], more))
            node.call = true
            return node
        }
        const any = () => this.matrix(depth - 1, phase)
        const plain = () => this.matrix(depth - 1, phase, Object.keys(families).filter((name) => !families[name].odd))
        return random.weighted([
            [6, () => call(random.pick(['rate', 'increase', 'irate']), this.counterMatrix(phase), { positive: true })],
            [3, () => { const m = any(); return call(random.pick(['min_over_time', 'max_over_time', 'last_over_time']), m, { bits: m.bits, positive: m.positive }) }],
            [2, () => call(random.pick(['count_over_time', 'present_over_time', 'changes', 'resets']), any(), { bits: 13, positive: true, odd: false })],
            [1, () => call('absent_over_time', any(), { bits: 4, positive: true, odd: false })],
            [2, () => { const m = plain(); return m.odd ? this.window(depth, phase) : call('sum_over_time', m, { bits: exactSum(m, m.points) ? m.bits + m.points : null, positive: m.positive }) }],
            [3, () => { const m = plain(); return m.odd ? this.window(depth, phase) : call(random.pick(['delta', 'idelta', 'deriv', 'stddev_over_time', 'stdvar_over_time']), m) }],
            [1, () => { const [m, s] = [this.rangeSelector(phase, ['ints', 'noise', 'drift'], false), this.number(phase)]; return new Node('vector', phase, [m, s], (x, y) => `predict_linear(${x}, ${y})`, facts([m])) }],
            [1, () => { const [m, s] = [any(), this.quantileArgument(phase)]; return new Node('vector', phase, [s, m], (x, y) => `quantile_over_time(${x}, ${y})`, facts([m], { odd: true })) }],
            [1, () => {
                const m = plain()
                const factors = `${random.int(1, 9) / 10}, ${random.int(1, 9) / 10}`
                const name = (dialect) => (dialect === 'stoker' ? 'double_exponential_smoothing' : 'holt_winters')
                return m.odd ? this.window(depth, phase) : new Node('vector', phase, [m], (x, dialect) => `${name(dialect)}(${x}, ${factors})`, facts([m]))
            }],
        ])()
    }

    quantileArgument(phase) {
        const value = this.random.weighted([[8, this.random.real()], [1, 0], [1, 1], [1, -0.5], [1, 1.5]])
        return new Node('scalar', phase, [], () => String(value), {})
    }

    // --- Vectors whose values both compute by the same steps ---

    vector(depth, phase, names = Object.keys(families)) {
        const { random } = this
        if (depth <= 0) return this.selector(phase, names)
        const inner = () => this.vector(depth - 1, phase, names)
        return random.weighted([
            [4, () => this.selector(phase, names)],
            [8, () => this.window(depth, phase)],
            [6, () => this.oneToOne(inner(), phase)],
            [8, () => this.binary(depth, phase, names)],
            [5, () => this.withScalar(inner(), this.scalar(depth - 1, phase), phase)],
            [4, () => this.setOperation(inner(), inner(), phase)],
            [7, () => this.aggregate(inner(), phase)],
            [3, () => this.exactAggregate(depth, phase)],
            [2, () => this.best(depth, phase)],
            [2, () => this.relabel(inner(), phase)],
            [1, () => this.absent(inner(), phase)],
            [1, () => { const s = this.scalar(depth - 1, phase); return new Node('vector', phase, [s], (x) => `vector(${x})`, facts([s], { bits: s.bits, positive: s.positive })) }],
            [1, () => { const v = this.selector(phase, names, false); return new Node('vector', phase, [v], (x) => `timestamp(${x})`, { positive: true }) }],
            [1, () => { const v = inner(); return new Node('vector', phase, [v], (x) => `timestamp(+(${x}))`, { positive: true }) }],
            [1, () => this.date(phase)],
            [2, () => this.buckets(depth, phase)],
        ])()
    }

    oneToOne(v, phase) {
        const { random } = this
        const call = (name, more, ...args) => {
            const node = new Node('vector', phase, [v, ...args], (...texts) => `${name}(${texts.slice(0, 1 + args.length).join(', ')})`, facts([v], more))
            node.call = true
            return node
        }
        const same = { bits: v.bits, positive: v.positive }
        return random.weighted([
            [2, () => call('abs', { bits: v.bits, positive: true, distinct: v.distinct && v.positive })],
            [2, () => call(random.pick(['ceil', 'floor']), same)],
            [1, () => call('sgn', { bits: 4, positive: v.positive })],
            [1, () => call('sqrt', { positive: true, odd: true })],
            [1, () => call(random.pick(['deg', 'rad']), { positive: v.positive })],
            [1, () => call('round', { odd: true }, ...(random.chance(0.5) ? [this.number(phase)] : []))],
            [1, () => call(random.pick(['clamp_min', 'clamp_max']), {}, this.number(phase))],
            [1, () => call('clamp', {}, this.number(phase), this.number(phase))],
            [1, () => call(random.pick(['sort', 'sort_desc']), same)],
            // Names are away before the sign takes them, so that no two series come to take turns.
            [2, () => new Node('vector', phase, [v], (x) => (v.oneName ? `-(${x})` : `-min without() (${x})`), facts([v], { bits: v.bits }))],
            [1, () => new Node('vector', phase, [v], (x) => `+(${x})`, facts([v], same))],
        ])()
    }

    date(phase) {
        const { random } = this
        const name = random.pick(['minute', 'hour', 'day_of_week', 'day_of_month', 'day_of_year', 'days_in_month', 'month', 'year'])
        const made = { bits: 14, positive: true }
        if (random.chance(0.3)) return new Node('vector', phase, [], () => `${name}()`, made)
        const selector = this.selector(phase, ['ints', 'eighths', 'requests_total'])
        const factor = random.pick([1, 86400])
        return new Node('vector', phase, [selector], (x) => `${name}(${x} * ${factor})`, made)
    }

    labels(least = 0) {
        return this.random.some(groupings.slice(0, this.random.int(2, groupings.length)), least).join(', ')
    }

    grouping() {
        return this.random.weighted([[3, ''], [5, ` by(${this.labels()})`], [3, ` without(${this.labels()})`]])
    }

    aggregate(v, phase) {
        const { random } = this
        const by = this.grouping()
        const make = (write, more, ...args) => {
            const node = new Node('vector', phase, [v, ...args], write, facts([v], more))
            node.call = true
            return node
        }
        return random.weighted([
            [3, () => { const op = random.pick(['min', 'max']); return make((x) => `${op}${by}(${x})`, { bits: v.bits, positive: v.positive }) }],
            [3, () => make((x) => `count${by}(${x})`, { bits: 13, positive: true, odd: false })],
            [1, () => make((x) => `group${by}(${x})`, { bits: 4, positive: true, odd: false })],
            [1, () => make((x, q) => `quantile${by}(${q}, ${x})`, { odd: true }, this.quantileArgument(phase))],
            [1, () => make((x) => `count_values${by}("zzz", ${x})`, { bits: 13, positive: true, odd: false })],
            [exactSum(v, 8) && !v.odd ? 4 : 0, () => make((x) => `sum${by}(${x})`, { bits: v.bits + 8, positive: v.positive })],
        ])()
    }

    exactNames() {
        return Object.keys(families).filter((name) => families[name].bits !== null)
    }

    exactAggregate(depth, phase) {
        const v = this.random.chance(0.5) ? this.selector(phase, this.exactNames()) : this.vector(depth - 1, phase, this.exactNames())
        if (!exactSum(v, 8) || v.odd) return this.aggregate(v, phase)
        const by = this.grouping()
        const node = new Node('vector', phase, [v], (x) => `sum${by}(${x})`, facts([v], { bits: v.bits + 8, positive: v.positive }))
        node.call = true
        return node
    }

    // The best k: only where no two are the same.
    best(depth, phase) {
        const { random } = this
        const k = random.weighted([[5, () => String(random.int(0, 6))], [1, () => 'scalar(vector(3))'], [1, () => '-1'], [1, () => '2.7'], [1, () => '(time() / 10) % 5']])()
        const fixable = !k.includes('time')
        let v = this.selector(phase, ['noise'], fixable)
        if (depth > 1 && random.chance(0.5)) {
            const m = this.rangeSelector(phase, ['noise'], fixable)
            v = new Node('vector', phase, [m], (x) => `last_over_time(${x})`, { positive: true, distinct: true })
        }
        const op = random.pick(['topk', 'bottomk'])
        const by = this.grouping()
        return new Node('vector', phase, [v], (x) => `${op}${by}(${k}, ${x})`, { positive: true, distinct: true })
    }

    relabel(v, phase) {
        const { random } = this
        const write = random.weighted([
            [4, () => {
                const [target, source] = [random.pick(['job', 'zone', 'fresh', '__name__']), random.pick(groupings)]
                const [value, regex] = random.pick([['$1', '(.*)'], ['$1-$2', '(.).*(.)'], ['x', '.*'], ['${1}y', '([a-z]+).*'], ['', '.*'], ['$nosuch', '(.*)'], ['$name!', '(?P<name>.*)']])
                return (x) => `label_replace(${x}, "${target}", "${value}", "${source}", "${regex}")`
            }],
            [2, () => {
                const sources = random.some(['job', 'zone', 'instance', 'nosuch']).map((name) => `, "${name}"`).join('')
                const target = random.pick(['fresh', 'zone', 'job'])
                return (x) => `label_join(${x}, "${target}", "/"${sources})`
            }],
        ])()
        const node = new Node('vector', phase, [v], write, facts([v], { bits: v.bits, positive: v.positive }))
        node.call = true
        return node
    }

    absent(v, phase) {
        const sure = this.random.chance(0.5)
        return new Node('vector', phase, [v], (x) => `absent(${sure ? `${x} > Inf` : x})`, { bits: 4, positive: true })
    }

    // --- Binary operators ---

    matching(grouped) {
        const { random } = this
        const match = random.weighted([
            [4, ''],
            [4, ` on(${this.labels()})`],
            [4, ' on(job, instance)'],
            [3, ` ignoring(${this.labels()})`],
            [2, ' ignoring(code, le, zone)'],
        ])
        if (!match || !grouped) return match
        return match + random.weighted([[3, ''], [3, ` ${random.pick(['group_left', 'group_right'])}${random.weighted([[2, ''], [1, '()'], [2, `(${random.pick(['zone', 'code', 'nosuch', 'zone, code'])})`]])}`]])
    }

    // Without `filters`: 3.x counts matches that a filter then drops, 2.42 does not.
    operator(filters = true) {
        const { random } = this
        return random.weighted([
            [5, () => ({ text: random.pick(['+', '-', '*', '/', '%']) })],
            [filters ? 3 : 0, () => ({ text: random.pick(comparisons), filter: true })],
            [2, () => ({ text: `${random.pick(comparisons)} bool`, bool: true })],
        ])()
    }

    combined(a, b, op, match, phase) {
        const bits = op.bool ? 4 : op.filter ? a.bits : (op.text === '+' || op.text === '-') && a.bits !== null && b.bits !== null ? Math.max(a.bits, b.bits) + 1 : null
        return new Node('vector', phase, [a, b], (x, y) => `(${x}) ${op.text}${match} (${y})`, facts([a, b], { bits, positive: !!op.bool, odd: a.odd || b.odd || op.text === '/' || op.text === '%' }))
    }

    withScalar(v, s, phase) {
        const op = this.operator()
        if (this.random.chance(0.5)) return this.combined(v, s, op, '', phase)
        const node = this.combined(s, v, op, '', phase)
        if (op.filter) node.bits = v.bits
        return node
    }

    binary(depth, phase, names) {
        const { random } = this
        const op = this.operator()
        return random.weighted([
            // The same series on both sides.
            [3, () => {
                const name = random.pick(names)
                const [a, b] = [this.selector(phase, [name]), this.selector(phase, [name])]
                return this.combined(a, b, op, random.pick(['', '', ...(op.filter ? [] : [' on(job, instance, code, le)', ' ignoring(zone)'])]), phase)
            }],
            // Many to one.
            [3, () => {
                const labels = random.pick(['job', 'instance', 'job, instance', 'zone', 'job, zone'])
                const many = this.vector(depth - 1, phase, names)
                const one = this.vector(depth - 1, phase, names)
                const fold = random.pick(['min', 'max', 'count', 'group'])
                const grouped = new Node('vector', phase, [one], (x) => `${fold} by(${labels})(${x})`, facts([one], { bits: fold === 'count' || fold === 'group' ? 13 : one.bits }))
                const include = op.filter ? '' : random.pick(['', '()', '(zone)', '(nosuch)'])
                if (random.chance(0.5)) return this.combined(many, grouped, op, ` on(${labels}) group_left${include}`, phase)
                return this.combined(grouped, many, op, ` on(${labels}) group_right${include}`, phase)
            }],
            // Whatever comes: often an error, which both must find.
            [3, () => this.combined(this.vector(depth - 1, phase, names), this.vector(depth - 1, phase, names), this.operator(false), this.matching(true), phase)],
        ])()
    }

    setOperation(a, b, phase) {
        const { random } = this
        const op = random.pick(['and', 'or', 'unless'])
        const match = this.matching(false)
        const bits = op === 'or' ? (a.bits !== null && b.bits !== null ? Math.max(a.bits, b.bits) : null) : a.bits
        return new Node('vector', phase, [a, b], (x, y) => `(${x}) ${op}${match} (${y})`, facts([a, b], { bits, positive: a.positive && b.positive }))
    }

    // --- What may differ by rounding; nothing that could magnify it is done with it ---

    buckets(depth, phase) {
        const q = this.quantileArgument(phase)
        const selector = this.selector(phase, ['latency_bucket'])
        const summed = this.random.chance(0.5)
        const by = this.random.pick(['le', 'le, job', 'job, le, zone'])
        return new Node('vector', phase, [q, selector], (p, x) => `histogram_quantile(${p}, ${summed ? `sum by(${by})(${x})` : x})`, { positive: true, odd: true })
    }

    rough(depth, phase) {
        const { random } = this
        const calm = (v) => v.positive && !v.odd && v.bound === 0
        const positive = () => {
            for (let i = 0; i < 20; ++i) {
                const v = this.vector(depth - 1, phase)
                if (calm(v)) return v
            }
            return this.selector(phase, ['noise'])
        }
        const plain = () => this.selector(phase, ['ints', 'eighths', 'noise', 'drift'])
        const by = this.grouping()
        const node = (children, write, bound, more = {}) => new Node('vector', phase, children, write, { ...more, bound })
        const base = random.weighted([
            [5, () => { const v = positive(); const op = random.pick(['sum', 'avg']); return node([v], (x) => `${op}${by}(${x})`, kSum, { positive: true }) }],
            [2, () => {
                const m = this.rangeSelector(phase, ['noise', 'requests_total', 'latency_bucket'])
                return node([m], (x) => `avg_over_time(${x})`, kSum, { positive: true })
            }],
            [2, () => { const v = plain(); const op = random.pick(['stddev', 'stdvar']); return node([v], (x) => `${op}${by}(${x})`, kSpread) }],
            [2, () => {
                const name = random.pick(['exp', 'sinh', 'cosh', 'tanh', 'asinh', 'atan', 'sin', 'cos', 'tan'])
                return node([plain()], (x) => `${name}(clamp(${x}, -8, 8))`, name === 'sin' || name === 'cos' || name === 'tan' ? kSpread : kLibm)
            }],
            [1, () => { const name = random.pick(['acos', 'asin', 'atanh']); return node([plain()], (x) => `${name}(clamp(${x} / 100, -1, 1))`, kSpread) }],
            [2, () => { const name = random.pick(['ln', 'log2', 'log10', 'acosh']); return node([plain()], (x) => `${name}(${x})`, kSpread) }],
            [1, () => { const s = this.number(phase); return node([plain(), s], (x, y) => `abs(${x}) ^ ${y < 0 ? `(${y})` : y}`, kLibm * 20) }],
            [1, () => node([plain(), plain()], (x, y) => `-min without() (${x}) atan2 ${y}`, kLibm)],
            [3, () => {
                const q = this.quantileArgument(phase)
                const m = this.rangeSelector(phase, ['latency_bucket'])
                const labels = random.pick(['le', 'le, job', 'job, le, zone'])
                return node([q, m], (p, x) => `histogram_quantile(${p}, sum by(${labels})(rate(${x})))`, kQuantile, { odd: true })
            }],
        ])()
        let outer = base
        for (let i = random.int(0, depth - 1); i > 0; --i) outer = this.around(outer, depth, phase)
        return outer
    }

    // Keeps relative differences as they are, or adds them up.
    around(v, depth, phase) {
        const { random } = this
        const more = { bound: v.bound, odd: v.odd }
        const other = this.selector(phase, ['ints', 'noise', 'requests_total'])
        return random.pick([
            () => new Node('vector', phase, [v], (x) => `-min without() (${x})`, more),
            () => new Node('vector', phase, [v], (x) => `abs(${x})`, { ...more, positive: true }),
            () => new Node('vector', phase, [v], (x) => `(${x}) * 1.5`, { ...more, positive: v.positive }),
            () => new Node('vector', phase, [v, other], (x, y) => `(${x}) / on(job, instance, zone, code) (${y})`, { ...more, bound: v.bound + 1e-15 }),
            () => new Node('vector', phase, [v], (x) => `max by(job)(${x})`, { ...more, positive: v.positive }),
            () => new Node('vector', phase, [v], (x) => `min without(instance)(${x})`, { ...more, positive: v.positive }),
            () => new Node('vector', phase, [v, other], (x, y) => `(${x}) and on(job) (${y})`, { ...more, positive: v.positive }),
            () => new Node('vector', phase, [v, other], (x, y) => `(${x}) unless on(zone, instance) (${y})`, { ...more, positive: v.positive }),
            () => this.relabel(v, phase),
        ])()
    }
}
