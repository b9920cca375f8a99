import type { SymbolTable } from './symbol-table.ts'
import { type TypeField, type TypeTable, UnknownType } from './type-table.ts'

/**
 * The kernel's own description of its types, BTF (Documentation/bpf/btf.rst, include/uapi/linux/btf.h, version 1):
 * a header, a type section of records, a string section. A record is `name_off` u32, `info` u32 (vlen 15:0, kind 28:24,
 * kind_flag 31), `size` or `type` u32, then what the kind adds.
 */
export const BtfKind = {
  void: 0,
  int: 1,
  pointer: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  forward: 7,
  typedef: 8,
  volatile: 9,
  const: 10,
  restrict: 11,
  function: 12,
  functionPrototype: 13,
  variable: 14,
  dataSection: 15,
  float: 16,
  declarationTag: 17,
  typeTag: 18,
  enum64: 19,
} as const

const MAGIC = 0xeb9f
const HEADER_BYTES = 24
const RECORD_BYTES = 12
const POINTER_BYTES = 8
/** Longest chain of typedefs and qualifiers, and deepest nesting of anonymous members, that is believed. */
const DEPTH_LIMIT = 64

/** Bytes after the 12 of a record: fixed, and per element of vlen. */
const EXTRA: Readonly<Record<number, readonly [fixed: number, each: number]>> = {
  [BtfKind.int]: [4, 0],
  [BtfKind.array]: [12, 0],
  [BtfKind.struct]: [0, 12],
  [BtfKind.union]: [0, 12],
  [BtfKind.enum]: [0, 8],
  [BtfKind.functionPrototype]: [0, 8],
  [BtfKind.variable]: [4, 0],
  [BtfKind.dataSection]: [0, 12],
  [BtfKind.declarationTag]: [4, 0],
  [BtfKind.enum64]: [0, 12],
}

/** The type information is missing, damaged, or has no such type or member. The message is for the user. */
export class BtfError extends UnknownType {
  override name = 'BtfError'
}

/** Where a member lies in its structure. */
export interface BtfField extends TypeField {
  readonly typeId: number
}

export interface BtfMember {
  /** Empty for an anonymous struct or union. */
  readonly name: string
  readonly typeId: number
  /** From the start of the structure. */
  readonly bitOffset: number
  /** Width of a bit-field, 0 for others. */
  readonly bitWidth: number
}

export class Btf implements TypeTable {
  private readonly view: DataView
  private readonly typeBase: number
  private readonly stringBase: number
  private readonly stringEnd: number
  /** Offset of each record from typeBase, by type id; id 0 is void. */
  private readonly starts: readonly number[]
  private readonly byName = new Map<string, number[]>()

  private constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const view = this.view
    if (bytes.length < HEADER_BYTES) throw new BtfError(`the BTF section has only ${bytes.length} bytes`)
    if (view.getUint16(0, true) !== MAGIC) throw new BtfError('the BTF section does not begin with its magic number')
    const version = view.getUint8(2)
    if (version !== 1) throw new BtfError(`BTF version ${version} is not one this lab reads (it reads version 1)`)
    const header = view.getUint32(4, true)
    const typeLength = view.getUint32(12, true)
    const stringLength = view.getUint32(20, true)
    this.typeBase = header + view.getUint32(8, true)
    this.stringBase = header + view.getUint32(16, true)
    this.stringEnd = this.stringBase + stringLength
    if (header < HEADER_BYTES || this.typeBase + typeLength > bytes.length || this.stringEnd > bytes.length) {
      throw new BtfError('the BTF header names sections outside the BTF')
    }
    this.starts = this.index(typeLength)
  }

  /**
   * @param bytes the BTF, from its header on.
   * @throws BtfError
   */
  static parse(bytes: Uint8Array): Btf {
    return new Btf(bytes)
  }

  /**
   * The BTF inside an Image, between `__start_BTF` and `__stop_BTF`.
   * @throws BtfError when the kernel has none.
   */
  static inImage(image: Uint8Array, symbols: SymbolTable): Btf {
    const start = symbols.find('__start_BTF')?.offset
    const stop = symbols.find('__stop_BTF')?.offset
    if (start === undefined || stop === undefined) {
      throw new BtfError('this kernel carries no type information (CONFIG_DEBUG_INFO_BTF is off)')
    }
    if (start < 0 || stop < start || stop > image.length) throw new BtfError('the BTF section lies outside the Image')
    return new Btf(image.subarray(start, stop))
  }

  /** Number of types, void included. */
  get count(): number {
    return this.starts.length
  }

  /** Ids of the structs, unions, enums and typedefs of this name. */
  named(name: string): readonly number[] {
    return this.byName.get(name) ?? []
  }

  kind(id: number): number {
    return id === 0 ? BtfKind.void : (this.info(id) >>> 24) & 0x1f
  }

  name(id: number): string {
    return id === 0 ? 'void' : this.string(this.view.getUint32(this.record(id), true))
  }

  /** Members of a struct or union. @throws BtfError when it is neither. */
  members(id: number): BtfMember[] {
    const real = this.resolve(id)
    const kind = this.kind(real)
    if (kind !== BtfKind.struct && kind !== BtfKind.union) throw new BtfError(`${this.name(id)} is not a structure`)
    const info = this.info(real)
    const bitFields = info >>> 31 !== 0
    const members: BtfMember[] = []
    let at = this.record(real) + RECORD_BYTES
    for (let i = info & 0xffff; i > 0; i--, at += 12) {
      const offset = this.view.getUint32(at + 8, true)
      members.push({
        name: this.string(this.view.getUint32(at, true)),
        typeId: this.view.getUint32(at + 4, true),
        bitOffset: bitFields ? offset & 0xffffff : offset,
        bitWidth: bitFields ? offset >>> 24 : 0,
      })
    }
    return members
  }

  /** Size of a type in bytes. @throws BtfError for types without one (functions, void). */
  sizeOf(id: number): number {
    let count = 1
    for (let depth = 0; depth < DEPTH_LIMIT; depth++) {
      const real = this.resolve(id)
      switch (this.kind(real)) {
        case BtfKind.pointer:
          return count * POINTER_BYTES
        case BtfKind.array: {
          const at = this.record(real) + RECORD_BYTES
          count *= this.view.getUint32(at + 8, true)
          id = this.view.getUint32(at, true)
          continue
        }
        case BtfKind.int:
        case BtfKind.struct:
        case BtfKind.union:
        case BtfKind.enum:
        case BtfKind.enum64:
        case BtfKind.float:
          return count * this.view.getUint32(this.record(real) + 8, true)
        default:
          throw new BtfError(`type ${this.name(real)} has no size`)
      }
    }
    throw new BtfError('the type information loops')
  }

  /** Size in bytes of the structure, enum or typedef of this name. @throws BtfError */
  sizeOfNamed(name: string): number {
    return this.sizeOf(this.need(name))
  }

  /** Does the structure have this member? See `field`. */
  has(struct: string, path: string): boolean {
    return this.named(struct).some((id) => this.findPath(id, path) !== null)
  }

  /**
   * Where a member lies: `field('pkvm_hyp_vm', 'kvm.arch.pkvm.handle')`. Members of anonymous structs and unions are
   * named as in C; `name[3]` is an element of an array.
   * @throws BtfError when no structure of this name has it.
   */
  field(struct: string, path: string): BtfField {
    const ids = this.named(struct)
    if (ids.length === 0) throw new BtfError(`this kernel's type information has no ${struct}`)
    for (const id of ids) {
      const found = this.findPath(id, path)
      if (found !== null) return found
    }
    throw new BtfError(`struct ${struct} of this kernel has no member ${path}`)
  }

  /** Byte offset of a member, see `field`. @throws BtfError */
  offsetOf(struct: string, path: string): number {
    return this.field(struct, path).offset
  }

  /**
   * Names and values of an enum (32 or 64 bits), in the order of the source.
   * @throws BtfError when there is none of this name.
   */
  enumValues(name: string): Map<string, bigint> {
    const id = this.named(name).find((i) => this.kind(i) === BtfKind.enum || this.kind(i) === BtfKind.enum64)
    if (id === undefined) throw new BtfError(`this kernel's type information has no enum ${name}`)
    return this.enumOf(id)
  }

  /** The same by type id. @throws BtfError when it is not an enum. */
  enumOf(id: number): Map<string, bigint> {
    const real = this.resolve(id)
    const kind = this.kind(real)
    if (kind !== BtfKind.enum && kind !== BtfKind.enum64) throw new BtfError(`${this.name(id)} is not an enum`)
    const info = this.info(real)
    const signed = info >>> 31 !== 0
    const values = new Map<string, bigint>()
    let at = this.record(real) + RECORD_BYTES
    for (let i = info & 0xffff; i > 0; i--) {
      const label = this.string(this.view.getUint32(at, true))
      if (kind === BtfKind.enum64) {
        values.set(label, signed ? this.view.getBigInt64(at + 4, true) : this.view.getBigUint64(at + 4, true))
        at += 12
      } else {
        values.set(label, BigInt(signed ? this.view.getInt32(at + 4, true) : this.view.getUint32(at + 4, true)))
        at += 8
      }
    }
    return values
  }

  /** The type behind typedefs and qualifiers. @throws BtfError when they go in a circle. */
  resolve(id: number): number {
    for (let depth = 0; depth < DEPTH_LIMIT; depth++) {
      switch (this.kind(id)) {
        case BtfKind.typedef:
        case BtfKind.volatile:
        case BtfKind.const:
        case BtfKind.restrict:
        case BtfKind.typeTag:
          id = this.view.getUint32(this.record(id) + 8, true)
          continue
        default:
          return id
      }
    }
    throw new BtfError('the type information loops')
  }

  private need(name: string): number {
    const id = this.named(name)[0]
    if (id === undefined) throw new BtfError(`this kernel's type information has no ${name}`)
    return id
  }

  /** One pass over the records: their places, and the names that can be asked for. */
  private index(typeLength: number): number[] {
    const starts = [0]
    let at = 0
    while (at < typeLength) {
      if (at + RECORD_BYTES > typeLength) throw new BtfError('the last BTF record is cut off')
      const info = this.view.getUint32(this.typeBase + at + 4, true)
      const kind = (info >>> 24) & 0x1f
      if (kind === 0 || kind > BtfKind.enum64)
        throw new BtfError(`BTF record ${starts.length} has the unknown kind ${kind}`)
      const [fixed, each] = EXTRA[kind] ?? [0, 0]
      starts.push(at)
      if (NAMED.has(kind)) this.indexName(this.view.getUint32(this.typeBase + at, true), starts.length - 1)
      at += RECORD_BYTES + fixed + each * (info & 0xffff)
    }
    if (at !== typeLength) throw new BtfError('the last BTF record is cut off')
    return starts
  }

  private indexName(offset: number, id: number): void {
    if (offset === 0) return
    const name = this.string(offset)
    const same = this.byName.get(name)
    if (same === undefined) this.byName.set(name, [id])
    else same.push(id)
  }

  private record(id: number): number {
    const start = this.starts[id]
    if (id === 0 || start === undefined) throw new BtfError(`the type information names a type ${id} that is not there`)
    return this.typeBase + start
  }

  private info(id: number): number {
    return this.view.getUint32(this.record(id) + 4, true)
  }

  private string(offset: number): string {
    let at = this.stringBase + offset
    if (at >= this.stringEnd) throw new BtfError('the type information names a string outside its strings')
    let text = ''
    for (let c = this.bytes[at]!; c !== 0; c = this.bytes[at]!) {
      text += String.fromCharCode(c)
      if (++at >= this.stringEnd) throw new BtfError('a string of the type information does not end')
    }
    return text
  }

  /** `path` = names joined by dots, each with any number of [index]. */
  private findPath(id: number, path: string): BtfField | null {
    let typeId = id
    let bits = 0
    let width = 0
    for (const part of path.split('.')) {
      const m = /^(\w+)((?:\[\d+\])*)$/.exec(part)
      if (m === null) throw new BtfError(`${path} is not the name of a member`)
      const found = this.findMember(typeId, m[1]!, 0)
      if (found === null) return null
      bits += found.bitOffset
      width = found.bitWidth
      typeId = found.typeId
      for (const [, index] of m[2]!.matchAll(/\[(\d+)\]/g)) {
        const array = this.resolve(typeId)
        if (this.kind(array) !== BtfKind.array) throw new BtfError(`${path}: ${m[1]} is not an array`)
        typeId = this.view.getUint32(this.record(array) + RECORD_BYTES, true)
        bits += Number(index) * this.sizeOf(typeId) * 8
        width = 0
      }
    }
    return { offset: Math.floor(bits / 8), bit: bits % 8, bits: width !== 0 ? width : this.sizeOf(typeId) * 8, typeId }
  }

  private findMember(id: number, name: string, depth: number): BtfMember | null {
    if (depth > DEPTH_LIMIT) throw new BtfError('the type information loops')
    const kind = this.kind(this.resolve(id))
    if (kind !== BtfKind.struct && kind !== BtfKind.union) return null
    for (const member of this.members(id)) {
      if (member.name === name) return member
      if (member.name !== '') continue
      const inner = this.findMember(member.typeId, name, depth + 1)
      if (inner !== null) return { ...inner, bitOffset: member.bitOffset + inner.bitOffset }
    }
    return null
  }
}

const NAMED: ReadonlySet<number> = new Set([
  BtfKind.struct,
  BtfKind.union,
  BtfKind.enum,
  BtfKind.enum64,
  BtfKind.typedef,
])
