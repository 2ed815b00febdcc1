// A seeded source of random numbers (splitmix32 into xoshiro128**), so that what a test did can be done again.
export class Random {
    constructor(...seeds) {
        let state = 0x9e3779b9
        const mix = () => {
            state = (state + 0x9e3779b9) | 0
            let z = state
            z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
            z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
            return (z ^ (z >>> 15)) >>> 0
        }
        for (const seed of seeds) state = (Math.imul(mix() ^ seed, 0x9e3779b1) + seed) | 0
        this.words = [mix(), mix(), mix(), mix()]
    }

    // 32 bits.
    bits() {
        const s = this.words
        const times5 = Math.imul(s[1], 5)
        const result = Math.imul((times5 << 7) | (times5 >>> 25), 9) >>> 0
        const t = s[1] << 9
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = (s[3] << 11) | (s[3] >>> 21)
        return result
    }

    // In [0, 1), with all 53 bits of a double.
    real() {
        return ((this.bits() >>> 5) * 67108864 + (this.bits() >>> 6)) / 9007199254740992
    }

    // A whole number in [low, high].
    int(low, high) {
        return low + Math.floor(this.real() * (high - low + 1))
    }

    chance(probability) {
        return this.real() < probability
    }

    pick(list) {
        return list[this.int(0, list.length - 1)]
    }

    // One of [[weight, value], ...].
    weighted(choices) {
        let at = this.real() * choices.reduce((sum, [weight]) => sum + weight, 0)
        for (const [weight, value] of choices) {
            at -= weight
            if (at < 0) return value
        }
        return choices.at(-1)[1]
    }

    // Some of the list, at least `least`, in its order.
    some(list, least = 0) {
        const chosen = new Set()
        const count = this.int(least, list.length)
        while (chosen.size < count) chosen.add(this.pick(list))
        return list.filter((item) => chosen.has(item))
    }
}
