import type { AccessBytes, AccessOptions, Value, Vec, VecBytes } from '../../isa/builder.ts'
import { Evaluator } from '../evaluate.ts'
import * as exceptions from '../../isa/exceptions.ts'
import { encode, type Row } from '../../isa/row.ts'
import * as system from '../../isa/system.ts'
import { allRows } from '../../isa/table.ts'
import { Fault, FlatMachine } from './flat-machine.ts'
import { type Layout, type Sequence, TEST_WORDS, word } from './program.ts'
import type { Random } from './random.ts'
import { Part, RECORD_BYTES } from './record.ts'

/** Makes random sequences around one row. */

const untestable = new Set<Row>([...exceptions.rows, ...system.rows])
/** The rows that an ordinary program can execute. */
export const testableRows: readonly Row[] = allRows.filter((r) => !untestable.has(r))

/** Rows that only compute on general-purpose registers, used to lengthen sequences. */
const fillers = testableRows.filter(
  (r) =>
    r.feature === undefined &&
    r.ends !== true &&
    r.fields.some((f) => f.name === 'Rd') &&
    r.fields.some((f) => f.name === 'Rn'),
)

/** Rows that set NZCV from general-purpose registers, put before those that read it: the two are often fused. */
const flagSetters = testableRows.filter((r) => /^(ADDS|SUBS|ANDS|BICS|ADCS|SBCS|CCMP|CCMN)/.test(r.name))
const readsFlags = (r: Row) => r.fields.some((f) => f.name === 'cond') || /^(ADC|SBC)/.test(r.name)

interface FirstAccess {
  readonly bytes: number
  readonly options: AccessOptions
}

/** An evaluator that remembers the first access to memory. */
class WatchingEvaluator extends Evaluator {
  first: FirstAccess | null = null

  private note(bytes: number, options: AccessOptions = {}): void {
    this.first ??= { bytes, options }
  }
  override load(address: Value, bytes: AccessBytes, options?: AccessOptions): Value {
    this.note(bytes, options)
    return super.load(address, bytes, options)
  }
  override store(address: Value, bytes: AccessBytes, v: Value, options?: AccessOptions): void {
    this.note(bytes, options)
    super.store(address, bytes, v, options)
  }
  override loadVec(address: Value, bytes: VecBytes, options?: AccessOptions): Vec {
    this.note(bytes, options)
    return super.loadVec(address, bytes, options)
  }
  override storeVec(address: Value, bytes: VecBytes, v: Vec, options?: AccessOptions): void {
    this.note(bytes, options)
    super.storeVec(address, bytes, v, options)
  }
}

export class Generator {
  private watcher!: WatchingEvaluator
  private readonly probe: FlatMachine
  private readonly random: Random

  constructor(random: Random) {
    this.random = random
    this.probe = new FlatMachine(new Uint8Array(0x10000), (cpu) => (this.watcher = new WatchingEvaluator(cpu)))
  }

  /** Sequence number `i` of a program, testing `row`. */
  sequence(row: Row, layout: Layout, i: number): Sequence {
    const record = this.randomRecord(layout, i)
    if (row.ends === true) return this.branch(row, record, layout.test(i))
    const fields = this.fields(row)
    if (row.fields.some((f) => f.name === 'imm19')) {
      // A literal: the words before and under test.
      const target = this.random.below(9) - 4
      return { row, at: 0, words: [encode(row, { ...fields, imm19: target & 0x7ffff })], record }
    }
    const words: number[] = []
    this.aim(row, fields, record, layout.record(i))
    const prelude = this.prelude(row, fields)
    if (prelude !== null) words.push(prelude)
    if (readsFlags(row)) words.push(...this.flagSetting(2))
    const at = words.length
    words.push(encode(row, fields))
    const room = TEST_WORDS - words.length
    for (let extra = Math.min(room, this.random.below(this.random.chance(0.2) ? 7 : 3)); extra > 0; extra--) {
      const filler = this.random.pick(fillers)
      words.push(encode(filler, this.fields(filler)))
    }
    return { row, at, words, record }
  }

  private randomRecord(layout: Layout, i: number): Uint8Array {
    const { random } = this
    const record = new Uint8Array(RECORD_BYTES)
    const view = new DataView(record.buffer)
    for (let n = 0; n < 31; n++) view.setBigUint64(Part.x + 8 * n, random.register(), true)
    view.setBigUint64(Part.sp, BigInt(layout.record(i) + Part.scratch + 0x200), true)
    view.setUint32(Part.nzcv, (random.below(16) << 28) >>> 0, true)
    // AHP, DN, FZ, RMode.
    const fpcr = random.chance(0.5) ? 0 : (random.u32() & 0x07c00000) >>> 0
    view.setUint32(Part.fpcr, fpcr, true)
    view.setUint32(Part.fpsr, 0, true)
    for (let n = 0; n < 64; n++) view.setBigUint64(Part.v + 8 * n, random.vectorHalf(), true)
    for (let at = Part.scratch; at < RECORD_BYTES; at += 8) view.setBigUint64(at, random.vectorHalf(), true)
    return record
  }

  /** Random fields that the row allows and whose result the architecture fixes. */
  private fields(row: Row): Record<string, number> {
    const { random } = this
    for (let attempt = 0; attempt < 100000; attempt++) {
      const f: Record<string, number> = {}
      for (const { name, width } of row.fields) f[name] = random.u32() % 2 ** width
      // Often the same register twice.
      if (random.chance(0.2) && f.Rd !== undefined && f.Rn !== undefined) f.Rd = f.Rn
      if (random.chance(0.1) && f.Rm !== undefined && f.Rn !== undefined && f.Rn < 16) f.Rm = f.Rn
      if (row.when !== undefined && !row.when(f)) continue
      if (isUnpredictable(row, f)) continue
      return f
    }
    throw new Error(`${row.name}: no usable fields found`)
  }

  /** If the instruction accesses memory, move its base register so that it does so inside the record. */
  private aim(row: Row, fields: Record<string, number>, record: Uint8Array, recordAddress: number): void {
    const { probe, random } = this
    const view = new DataView(record.buffer)
    probe.load(record)
    probe.state.pc = 0n
    const Rn = fields.Rn
    if (Rn === undefined) return
    // A base whose access surely lies outside of the probe's memory and therefore reports its address.
    const base = 0x7f00_0000_0000n
    probe.state.x[Rn] = base
    this.watcher.first = null
    let touched: bigint
    try {
      this.watcher.step({ word: encode(row, fields), row, fields })
      return
    } catch (e) {
      if (!(e instanceof Fault)) throw e
      touched = e.address
    }
    // Step() has noted the access; TypeScript cannot see that.
    const first = this.watcher.first as FirstAccess | null
    const alignment = first?.options.aligned === true ? (first.options.alignment ?? first.bytes) : 1
    const slip = alignment > 1 || random.chance(0.6) ? 0 : random.below(16)
    const target = BigInt(recordAddress + Part.scratch + 0x100 + 16 * random.below(32) + slip)
    view.setBigUint64(Rn === 31 ? Part.sp : Part.x + 8 * Rn, BigInt.asUintN(64, base + target - touched), true)
    // Sometimes what a compare-and-swap expects is what is there.
    const Rs = fields.Rs
    if (row.name.startsWith('CAS') && Rs !== undefined && Rs < 30 && Rs !== Rn && Rs + 1 !== Rn && random.chance(0.5)) {
      const at = Number(target) - recordAddress
      view.setBigUint64(Part.x + 8 * Rs, view.getBigUint64(at, true), true)
      if (row.name.startsWith('CASP')) {
        const second = row.name.includes('(X)') ? view.getBigUint64(at + 8, true) : BigInt(view.getUint32(at + 4, true))
        view.setBigUint64(Part.x + 8 * Rs + 8, second, true)
      }
    }
  }

  /** Up to `most` instructions that set flags. */
  private flagSetting(most: number): number[] {
    return Array.from({ length: this.random.below(most + 1) }, () => {
      const setter = this.random.pick(flagSetters)
      return encode(setter, this.fields(setter))
    })
  }

  /** Before a store-exclusive usually comes its load-exclusive. */
  private prelude(row: Row, fields: Record<string, number>): number | null {
    const m = /^STL?X([RP][BH]? \([WX]\))$/.exec(row.name)
    if (m === null || this.random.chance(0.3)) return null
    const Rn = fields.Rn!
    const free = [0, 1, 2, 3].filter((n) => n !== Rn)
    return word(`LDX${m[1]}`, { Rn, Rt: free[0]!, Rt2: free[1]! })
  }

  /** A branch to one of the words after it, or back to one before it. */
  private branch(row: Row, record: Uint8Array, address: number): Sequence {
    const { random } = this
    const fields = this.fields(row)
    const add = (Rd: number) => word('ADD (immediate)', { sf: 1, Rd, Rn: Rd, imm12: Rd })
    const forward = random.chance(0.6)
    const before = forward && readsFlags(row) ? this.flagSetting(3) : []
    const words = forward
      ? [...before, 0, add(1), add(2), add(3)]
      : [word('B', { imm26: 4 }), add(1), add(2), word('B', { imm26: 3 }), 0, add(3)]
    const at = forward ? before.length : 4
    const target = (forward ? at : 0) + 1 + random.below(3)
    for (const name of ['imm26', 'imm19', 'imm14']) {
      const field = row.fields.find((f) => f.name === name)
      if (field !== undefined) fields[name] = (target - at) & (2 ** field.width - 1)
    }
    if (row.name === 'BR' || row.name === 'BLR' || row.name === 'RET') {
      const Rn = 4 + random.below(27)
      fields.Rn = Rn
      new DataView(record.buffer).setBigUint64(Part.x + 8 * Rn, BigInt(address + 4 * target), true)
    }
    words[at] = encode(row, fields)
    return { row, at, words, record }
  }
}

/** CONSTRAINED UNPREDICTABLE combinations: two answers may both be right. */
function isUnpredictable(row: Row, f: Readonly<Record<string, number>>): boolean {
  const { name } = row
  const memory = /^(LD|ST|CAS|SWP)/.test(name)
  if (!memory) return false
  // The index must not move with the base that `aim` chooses.
  if (f.Rm !== undefined && f.Rm === f.Rn) return true
  const integer = row.feature === undefined
  if (/index/.test(name) && integer && f.Rn !== 31 && (f.Rt === f.Rn || f.Rt2 === f.Rn)) return true
  if (/^LD.*P/.test(name) && f.Rt2 !== undefined && f.Rt === f.Rt2) return true
  if (/^STL?X/.test(name) && (f.Rs === f.Rt || f.Rs === f.Rt2 || f.Rs === f.Rn)) return true
  return false
}
