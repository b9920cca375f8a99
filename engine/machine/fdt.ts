/**
 * Flattened device trees: a writer and a reader of the version 17 format (Devicetree Specification 0.4, chapter 5).
 */

/** Value of a property: bytes, a string or strings, or cells (32-bit big-endian numbers); `true` is an empty property. */
export type FdtValue = Uint8Array | string | readonly string[] | readonly number[] | true

export interface FdtNode {
  /** With its unit address; '' for the root. */
  readonly name: string
  readonly properties: ReadonlyMap<string, Uint8Array>
  readonly children: readonly FdtNode[]
}

/** A blob that is not a device tree. The message says what is wrong with it. */
export class FdtError extends Error {
  override readonly name = 'FdtError'
}

const text = new TextEncoder()

const MAGIC = 0xd00dfeed
const VERSION = 17
const LAST_COMPATIBLE_VERSION = 16
const HEADER_BYTES = 40
const BEGIN_NODE = 1
const END_NODE = 2
const PROP = 3
const NOP = 4
const END = 9

/** Build a node: properties in the order given, then children. */
export function fdtNode(name: string, properties: Record<string, FdtValue>, children: readonly FdtNode[] = []): FdtNode {
  const encoded = new Map<string, Uint8Array>()
  for (const [key, value] of Object.entries(properties)) encoded.set(key, encodeValue(value))
  return { name, properties: encoded, children }
}

/** A 64-bit number as two cells. @param value 0..2^53-1 */
export function cells64(value: number): [number, number] {
  return [Math.floor(value / 0x100000000), value % 0x100000000]
}

function encodeValue(value: FdtValue): Uint8Array {
  if (value === true) return new Uint8Array(0)
  if (value instanceof Uint8Array) return value
  if (typeof value === 'string') return text.encode(`${value}\0`)
  if (value.length > 0 && typeof value[0] === 'string') return text.encode(`${value.join('\0')}\0`)
  const out = new Uint8Array(4 * value.length)
  const view = new DataView(out.buffer)
  value.forEach((cell, i) => {
    view.setUint32(4 * i, cell as number)
  })
  return out
}

/** Serialise a tree. @returns the blob; its length is a multiple of 8. */
export function writeFdt(root: FdtNode): Uint8Array {
  const strings = new StringTable()
  const structure = new ByteWriter()
  writeNode(structure, strings, root)
  structure.u32(END)

  // Header, then an empty memory reservation block (one zero entry of 16 bytes), structure, strings.
  const structureAt = HEADER_BYTES + 16
  const stringsAt = structureAt + structure.length
  const total = Math.ceil((stringsAt + strings.bytes.length) / 8) * 8
  const out = new Uint8Array(total)
  const view = new DataView(out.buffer)
  const header = [
    MAGIC,
    total,
    structureAt,
    stringsAt,
    HEADER_BYTES,
    VERSION,
    LAST_COMPATIBLE_VERSION,
    0,
    strings.bytes.length,
    structure.length,
  ]
  header.forEach((word, i) => {
    view.setUint32(4 * i, word)
  })
  out.set(structure.bytes, structureAt)
  out.set(strings.bytes, stringsAt)
  return out
}

function writeNode(out: ByteWriter, strings: StringTable, node: FdtNode): void {
  out.u32(BEGIN_NODE)
  out.padded(text.encode(`${node.name}\0`))
  for (const [name, value] of node.properties) {
    out.u32(PROP)
    out.u32(value.length)
    out.u32(strings.offsetOf(name))
    out.padded(value)
  }
  for (const child of node.children) writeNode(out, strings, child)
  out.u32(END_NODE)
}

class ByteWriter {
  #buffer = new Uint8Array(4096)
  length = 0

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.length)
  }

  u32(value: number): void {
    const at = this.#extend(4)
    this.#buffer[at] = value >>> 24
    this.#buffer[at + 1] = value >>> 16
    this.#buffer[at + 2] = value >>> 8
    this.#buffer[at + 3] = value
  }

  /** Append, then zeros up to a multiple of 4. */
  padded(data: Uint8Array): void {
    this.#buffer.set(data, this.#extend(Math.ceil(data.length / 4) * 4))
  }

  /** Room for so many bytes more. @returns where they begin */
  #extend(bytes: number): number {
    const at = this.length
    const end = at + bytes
    if (end > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(end, 2 * this.#buffer.length))
      grown.set(this.bytes)
      this.#buffer = grown
    }
    this.length = end
    return at
  }
}

class StringTable {
  readonly #offsets = new Map<string, number>()
  readonly #parts: number[] = []

  offsetOf(name: string): number {
    let at = this.#offsets.get(name)
    if (at === undefined) {
      at = this.#parts.length
      this.#offsets.set(name, at)
      this.#parts.push(...text.encode(`${name}\0`))
    }
    return at
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.#parts)
  }
}

/**
 * Parse and validate a blob.
 * @throws FdtError when it is truncated, has the wrong magic or version, or its blocks do not make a tree.
 */
export function readFdt(blob: Uint8Array): FdtNode {
  if (blob.length < HEADER_BYTES) throw new FdtError('the device tree is shorter than its 40-byte header')
  const view = new DataView(blob.buffer, blob.byteOffset, blob.length)
  if (view.getUint32(0) !== MAGIC) {
    throw new FdtError('this is not a device tree blob: it does not begin with d00dfeed (compile sources with dtc)')
  }
  const total = view.getUint32(4)
  if (total > blob.length) {
    throw new FdtError(`the device tree is truncated: its header says ${total} bytes, the file has ${blob.length}`)
  }
  const version = view.getUint32(20)
  if (version < VERSION || view.getUint32(24) > VERSION) {
    throw new FdtError(`the device tree has format version ${version}; version ${VERSION} is needed`)
  }
  const structureAt = view.getUint32(8)
  const structureEnd = structureAt + view.getUint32(36)
  const stringsAt = view.getUint32(12)
  const stringsEnd = stringsAt + view.getUint32(32)
  if (structureEnd > total || stringsEnd > total || structureAt % 4 !== 0) {
    throw new FdtError('the device tree header points outside the blob')
  }
  return new FdtReader(blob, view, structureAt, structureEnd, stringsAt, stringsEnd).tree()
}

class FdtReader {
  readonly #blob: Uint8Array
  readonly #view: DataView
  #at: number
  readonly #end: number
  readonly #stringsAt: number
  readonly #stringsEnd: number

  constructor(blob: Uint8Array, view: DataView, at: number, end: number, stringsAt: number, stringsEnd: number) {
    this.#blob = blob
    this.#view = view
    this.#at = at
    this.#end = end
    this.#stringsAt = stringsAt
    this.#stringsEnd = stringsEnd
  }

  tree(): FdtNode {
    if (this.#token() !== BEGIN_NODE) throw new FdtError('the device tree does not begin with a node')
    const root = this.#node(0)
    if (this.#token() !== END) throw new FdtError('the device tree goes on after its root node')
    return root
  }

  #token(): number {
    let token: number
    do token = this.#u32()
    while (token === NOP)
    return token
  }

  #u32(): number {
    if (this.#at + 4 > this.#end) throw new FdtError('the device tree structure ends in the middle of a node')
    this.#at += 4
    return this.#view.getUint32(this.#at - 4)
  }

  #node(depth: number): FdtNode {
    if (depth > 64) throw new FdtError('the device tree is nested more than 64 levels deep')
    const name = this.#string(this.#at, this.#end)
    this.#at += Math.ceil((name.length + 1) / 4) * 4
    const properties = new Map<string, Uint8Array>()
    const children: FdtNode[] = []
    for (;;) {
      switch (this.#token()) {
        case PROP: {
          const length = this.#u32()
          const nameAt = this.#stringsAt + this.#u32()
          if (this.#at + length > this.#end) throw new FdtError('a device tree property runs past the structure block')
          properties.set(this.#string(nameAt, this.#stringsEnd), this.#blob.slice(this.#at, this.#at + length))
          this.#at += Math.ceil(length / 4) * 4
          break
        }
        case BEGIN_NODE:
          children.push(this.#node(depth + 1))
          break
        case END_NODE:
          return { name, properties, children }
        default:
          throw new FdtError(`the device tree has an unknown token at byte ${this.#at - 4}`)
      }
    }
  }

  #string(from: number, limit: number): string {
    const nul = this.#blob.subarray(0, limit).indexOf(0, from)
    if (nul < 0) throw new FdtError('a name in the device tree is not terminated')
    let s = ''
    for (let i = from; i < nul; i++) s += String.fromCharCode(this.#blob[i]!)
    return s
  }
}
