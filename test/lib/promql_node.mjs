// Expressions of PromQL as trees that know what the differential test must know of them.
//
//   type       'vector', 'scalar', 'matrix' or 'string'
//   phase      at which part of a second, in ms, it is evaluated: 0 or 500. Hoisting keeps to one phase.
//   bits       values are multiples of 1/8 below 2^(bits - 3): sums are exact as long as bits stay below 53. null: not so
//   positive   no value below zero
//   distinct   no two series have the same value at a time
//   odd        NaN, infinities and the like may occur
//   bound      how far (relative) the two stores' values may be apart; 0: one ulp
export class Node {
    constructor(type, phase, children, write, facts = {}) {
        Object.assign(this, { type, phase, children, write, bits: null, positive: false, distinct: false, odd: false, bound: 0 }, facts)
    }

    // 'prometheus' (2.42) or 'stoker': they call a few things differently.
    text(dialect) {
        return this.write(...this.children.map((child) => child.text(dialect)), dialect)
    }

    with(index, child) {
        const children = this.children.slice()
        children[index] = child
        return new Node(this.type, this.phase, children, this.write, this)
    }

    *descendants() {
        for (const child of this.children) {
            yield child
            yield* child.descendants()
        }
    }
}

// What an expression has in common with all of `nodes`.
export function facts(nodes, more = {}) {
    return {
        odd: nodes.some((node) => node.odd),
        bound: nodes.reduce((sum, node) => sum + node.bound, 0),
        ...more,
    }
}

// Every tree that has one node less or so, biggest steps first.
function* smaller(node) {
    for (const inner of node.descendants()) {
        if (inner.type === node.type && inner.phase === node.phase) yield inner
    }
    for (const simpler of node.simpler ?? []) yield simpler
    for (let i = 0; i < node.children.length; ++i) {
        for (const child of smaller(node.children[i])) yield node.with(i, child)
    }
}

// The smallest tree found for which `fails` (async) still says true.
export async function shrink(node, fails, tries = 400) {
    for (let left = tries; left > 0; ) {
        let found = null
        for (const candidate of smaller(node)) {
            if (--left <= 0) break
            if (await fails(candidate)) {
                found = candidate
                break
            }
        }
        if (!found) return node
        node = found
    }
    return node
}
