/** Names that a script may use: the language itself, no browser. */
const LANGUAGE = new Set([
  'Object',
  'Function',
  'Array',
  'Number',
  'parseFloat',
  'parseInt',
  'Infinity',
  'NaN',
  'undefined',
  'Boolean',
  'String',
  'Symbol',
  'Date',
  'Promise',
  'RegExp',
  'Error',
  'AggregateError',
  'EvalError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'TypeError',
  'URIError',
  'SuppressedError',
  'DisposableStack',
  'AsyncDisposableStack',
  'globalThis',
  'JSON',
  'Math',
  'Intl',
  'ArrayBuffer',
  'Atomics',
  'Uint8Array',
  'Int8Array',
  'Uint16Array',
  'Int16Array',
  'Uint32Array',
  'Int32Array',
  'Float16Array',
  'Float32Array',
  'Float64Array',
  'Uint8ClampedArray',
  'BigUint64Array',
  'BigInt64Array',
  'DataView',
  'Map',
  'BigInt',
  'Set',
  'Iterator',
  'WeakMap',
  'WeakSet',
  'WeakRef',
  'FinalizationRegistry',
  'Proxy',
  'Reflect',
  'decodeURI',
  'decodeURIComponent',
  'encodeURI',
  'encodeURIComponent',
  'escape',
  'unescape',
  'eval',
  'isFinite',
  'isNaN',
  'TextEncoder',
  'TextDecoder',
])

/**
 * Takes everything but the language away from a Worker's global scope and from what it inherits. The iframe's origin
 * and policy already deny network and storage; so denied things are not even there to be found.
 */
export function confine(scope: object): void {
  // `await using` is compiled to code that looks for these.
  const symbols = Symbol as unknown as { dispose?: symbol; asyncDispose?: symbol }
  symbols.dispose ??= Symbol('Symbol.dispose')
  symbols.asyncDispose ??= Symbol('Symbol.asyncDispose')
  for (
    let holder: object | null = scope;
    holder !== null && holder !== Object.prototype;
    holder = Object.getPrototypeOf(holder)
  ) {
    for (const name of Object.getOwnPropertyNames(holder)) {
      if (LANGUAGE.has(name) || name === 'constructor') continue
      if (!Reflect.deleteProperty(holder, name)) {
        try {
          Object.defineProperty(holder, name, { value: undefined })
        } catch {
          // A few are fixed; what they lead to is denied by the policy.
        }
      }
    }
    Reflect.deleteProperty(holder, 'constructor')
  }
}
