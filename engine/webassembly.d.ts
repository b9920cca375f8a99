/** The part of WebAssembly's JavaScript interface that the engine uses; neither ES nor Node's types declare it. */
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
