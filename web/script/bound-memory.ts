/**
 * A bound on what a script allocates. A browser may let a Worker that runs out of memory take the whole page with it,
 * and offers a Worker no way to ask how much it uses. So the ways to allocate much at once are counted over the whole
 * run; no lesson comes near the bound. What is allocated a few bytes at a time takes long enough for the watchdog in
 * `sandbox.ts`, which ends a script that never waits.
 */
const MOST_BYTES = 3 * 2 ** 28
/** What an element of an array, a map or a set takes, roughly. */
const ELEMENT_BYTES = 16

export function boundMemory(scope: Record<string, unknown>): void {
  let used = 0
  const RangeErrorClass = RangeError
  const charge = (bytes: number): void => {
    if (!(bytes > 0)) return
    used += bytes
    if (used > MOST_BYTES) {
      throw new RangeErrorClass(
        `The script has used up the memory that one run may have (${MOST_BYTES >> 20} MiB). Is something growing in a loop?`,
      )
    }
  }
  const lengthOf = (value: unknown): number => {
    if (typeof value === 'number') return value
    const { length, byteLength } = Object(value) as { length?: unknown; byteLength?: unknown }
    return typeof byteLength === 'number' ? byteLength : typeof length === 'number' ? length : 0
  }

  for (const name of [
    'ArrayBuffer',
    'Array',
    'Uint8Array',
    'Int8Array',
    'Uint8ClampedArray',
    'Uint16Array',
    'Int16Array',
    'Uint32Array',
    'Int32Array',
    'Float32Array',
    'Float64Array',
    'BigUint64Array',
    'BigInt64Array',
  ]) {
    const original = scope[name] as (new (
      ...args: unknown[]
    ) => object) & { BYTES_PER_ELEMENT?: number; prototype: object }
    const width = name === 'ArrayBuffer' ? 1 : (original.BYTES_PER_ELEMENT ?? ELEMENT_BYTES)
    // A view of a buffer takes nothing of its own.
    const cost = (args: unknown[]) => (args[0] instanceof ArrayBuffer ? 0 : lengthOf(args[0]) * width)
    const counted = new Proxy(original, {
      construct(target, args, newTarget) {
        charge(cost(args))
        return Reflect.construct(target, args, newTarget)
      },
      apply(target, self, args) {
        charge(cost(args))
        return Reflect.apply(target as unknown as (...args: unknown[]) => unknown, self, args)
      },
    })
    scope[name] = counted
    Object.defineProperty(original.prototype, 'constructor', { value: counted, writable: true, configurable: true })
  }

  /** Counts a method by what its receiver and arguments say. */
  const method = (prototype: object, name: string, cost: (self: unknown, args: unknown[]) => number): void => {
    const original = (prototype as Record<string, unknown>)[name]
    if (typeof original !== 'function') return
    const counted = {
      [name](this: unknown, ...args: unknown[]): unknown {
        charge(cost(this, args))
        return Reflect.apply(original, this, args)
      },
    }[name]
    Object.defineProperty(prototype, name, { value: counted, writable: true, configurable: true })
  }
  const elements = (_: unknown, args: unknown[]) => args.length * ELEMENT_BYTES
  const whole = (self: unknown) => lengthOf(self) * ELEMENT_BYTES
  const { prototype: array } = Array
  for (const name of ['push', 'unshift', 'splice']) method(array, name, elements)
  for (const name of ['slice', 'map', 'filter', 'flat', 'flatMap', 'toSorted', 'toReversed', 'toSpliced', 'with'])
    method(array, name, whole)
  method(array, 'concat', (self, args) =>
    args.reduce<number>((sum, arg) => sum + (Array.isArray(arg) ? whole(arg) : ELEMENT_BYTES), whole(self)),
  )
  method(array, 'fill', self => lengthOf(self) * ELEMENT_BYTES)
  method(Array, 'from', (_, args) => lengthOf(args[0]) * ELEMENT_BYTES)
  method(String.prototype, 'repeat', (self, args) => lengthOf(self) * Number(args[0]))
  for (const name of ['padStart', 'padEnd']) method(String.prototype, name, (_, args) => Number(args[0]))
  for (const name of ['split', 'concat', 'replaceAll']) method(String.prototype, name, self => lengthOf(self))
  method(Map.prototype, 'set', () => 3 * ELEMENT_BYTES)
  method(Set.prototype, 'add', () => 2 * ELEMENT_BYTES)
}
