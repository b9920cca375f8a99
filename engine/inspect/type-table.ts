/**
 * What `inspect/` asks of a system's own description of its types, whatever that is made of: the kernel's BTF, or the
 * constants of an assembled system. An `UnknownType` (or another Error with a sentence for the user) is thrown for what
 * the system does not have.
 */
export interface TypeTable {
  /** Size in bytes of the structure, enum or typedef of this name. @throws UnknownType */
  sizeOfNamed(name: string): number
  /** Does the structure have this member? See `field`. */
  has(struct: string, path: string): boolean
  /**
   * Where a member lies: `field('pkvm_hyp_vm', 'kvm.arch.pkvm.handle')`. Members of anonymous structs and unions are
   * named as in C; `name[3]` is an element of an array.
   * @throws UnknownType when no structure of this name has it.
   */
  field(struct: string, path: string): TypeField
  /** Byte offset of a member, see `field`. @throws UnknownType */
  offsetOf(struct: string, path: string): number
  /** Names and values of an enum, in the order of the source. @throws UnknownType when there is none of this name. */
  enumValues(name: string): Map<string, bigint>
}

/** Where a member lies in its structure. */
export interface TypeField {
  /** Bytes from the start of the outermost structure; of a bit-field, the byte that holds its first bit. */
  readonly offset: number
  /** First bit within that byte; 0 unless a bit-field. */
  readonly bit: number
  /** Width in bits. */
  readonly bits: number
}

/** The system's description of its types is missing, damaged, or lacks what was asked for. The message is for the user. */
export class UnknownType extends Error {
  override name = 'UnknownType'
}

/** Attributes of a member or type; a member may have such a name too (`memblock_region.size`). */
const ATTRIBUTES = ['bytes', 'size', 'shift', 'width', 'count'] as const
const WORD_BYTES = 8

interface Member {
  readonly offset: number
  /** Said, or until the next member. */
  readonly bytes: number
  readonly shift: number | undefined
  readonly width: number | undefined
}

/**
 * Types as an assembled system states them, in constants:
 * - `type.member` is the member's byte offset; the member's name may have dots itself: `pkvm_hyp_vm.kvm.arch.pkvm.handle`.
 * - `type.sizeof` (or `type.size`, where no member has that name) is the size of the structure in bytes.
 * - `type.member.bytes` (or `.size`) is the member's size in bytes. Without it a member has 8, or fewer where the next one
 *   begins sooner.
 * - `type.member.shift` and `.width` make it a bit-field, counted from the lowest bit of the word at the member's offset;
 *   without `type.member` that is the structure's first word.
 * - `type.member.count`: an array of so many elements, of 8 bytes each without this.
 * - `enum_name.MEMBER` is the value of a member of an enum.
 */
export class AssemblerTypes implements TypeTable {
  /** Constants of a type by what stands after the first dot. */
  private readonly types = new Map<string, Map<string, bigint>>()

  /** @param constants of the assembler, by name, in the order of the source. */
  constructor(constants: ReadonlyMap<string, bigint>) {
    for (const [name, value] of constants) {
      const dot = name.indexOf('.')
      if (dot <= 0) continue
      const type = name.slice(0, dot)
      let members = this.types.get(type)
      if (members === undefined) this.types.set(type, (members = new Map()))
      members.set(name.slice(dot + 1), value)
    }
  }

  sizeOfNamed(name: string): number {
    const members = this.need(name)
    const size = members.get('sizeof') ?? members.get('size')
    if (size !== undefined) return Number(size)
    throw new UnknownType(`this system does not say how large ${name} is: ${name}.sizeof is missing`)
  }

  has(struct: string, path: string): boolean {
    return this.find(struct, path) !== null
  }

  field(struct: string, path: string): TypeField {
    this.need(struct)
    const found = this.find(struct, path)
    if (found === null) throw new UnknownType(`this system's ${struct} has no member ${path}: ${struct}.${path} is missing`)
    const { offset, bytes, shift, width } = found
    if (shift === undefined && width === undefined) return { offset, bit: 0, bits: bytes * 8 }
    const first = shift ?? 0
    return { offset: offset + Math.floor(first / 8), bit: first % 8, bits: width ?? bytes * 8 - first }
  }

  offsetOf(struct: string, path: string): number {
    return this.field(struct, path).offset
  }

  enumValues(name: string): Map<string, bigint> {
    const values = new Map<string, bigint>()
    for (const [label, value] of this.need(name)) {
      if (!label.includes('.') && label !== 'sizeof') values.set(label, value)
    }
    return values
  }

  private need(type: string): Map<string, bigint> {
    const members = this.types.get(type)
    if (members === undefined) throw new UnknownType(`this system says nothing of ${type}`)
    return members
  }

  /** `path` = a member's name, perhaps with an index at its end. */
  private find(struct: string, path: string): Member | null {
    const members = this.types.get(struct)
    if (members === undefined) return null
    const indexed = /^(.*)\[(\d+)\]$/.exec(path)
    const name = indexed === null ? path : indexed[1]!
    const offset = members.get(name) ?? (members.has(`${name}.width`) ? 0n : undefined)
    if (offset === undefined || name === 'sizeof' || isAttribute(members, name)) return null
    const bytes = sizeOf(members, name, Number(offset))
    const number = (what: string): number | undefined => {
      const value = members.get(`${name}.${what}`)
      return value === undefined ? undefined : Number(value)
    }
    if (indexed === null) return { offset: Number(offset), bytes, shift: number('shift'), width: number('width') }
    const count = number('count')
    const each = count === undefined || count === 0 ? WORD_BYTES : bytes / count
    return { offset: Number(offset) + Number(indexed[2]) * each, bytes: each, shift: undefined, width: undefined }
  }
}

/** `handle.size` is an attribute where there is a member `handle`; `size` alone is a member. */
function isAttribute(members: ReadonlyMap<string, bigint>, name: string): boolean {
  const dot = name.lastIndexOf('.')
  const owner = name.slice(0, dot)
  return dot > 0 && ATTRIBUTES.some((a) => a === name.slice(dot + 1)) && (members.has(owner) || members.has(`${owner}.width`))
}

function sizeOf(members: ReadonlyMap<string, bigint>, name: string, offset: number): number {
  const said = members.get(`${name}.bytes`) ?? members.get(`${name}.size`)
  if (said !== undefined) return Number(said)
  let next = Math.min(offset + WORD_BYTES, Number(members.get('sizeof') ?? Number.POSITIVE_INFINITY))
  for (const [other, value] of members) {
    if (other === 'sizeof' || isAttribute(members, other)) continue
    if (Number(value) > offset && Number(value) < next) next = Number(value)
  }
  return next > offset ? next - offset : WORD_BYTES
}
