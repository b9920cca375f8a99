/**
 * What the engine uses of its host besides the language: WebAssembly and text coding, which browsers and Node share.
 * Declared here because the engine compiles without the `dom` lib and without Node's types.
 */
declare namespace WebAssembly {
  interface MemoryDescriptor {
    initial: number
    maximum?: number
  }
  class Memory {
    constructor(descriptor: MemoryDescriptor)
    readonly buffer: ArrayBuffer
  }
  interface TableDescriptor {
    element: 'anyfunc'
    initial: number
    maximum?: number
  }
  class Table {
    constructor(descriptor: TableDescriptor)
    readonly length: number
    set(index: number, value: unknown): void
    get(index: number): unknown
    grow(delta: number): number
  }
  class Module {
    constructor(bytes: Uint8Array)
  }
  class Instance {
    constructor(module: Module, imports?: Record<string, Record<string, unknown>>)
    readonly exports: Record<string, unknown>
  }
  function validate(bytes: Uint8Array): boolean
}

declare class TextEncoder {
  encode(text: string): Uint8Array
}
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean })
  decode(bytes?: Uint8Array, options?: { stream?: boolean }): string
}
