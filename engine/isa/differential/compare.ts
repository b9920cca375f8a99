import { FlatMachine } from './flat-machine.ts'
import { Generator, testableRows } from './generate.ts'
import { buildProgram, Layout, type Sequence } from './program.ts'
import { Random } from './random.ts'
import type { Row } from '../row.ts'
import { Part, partName, RECORD_BYTES } from './record.ts'

/** A batch of sequences and the program that runs them. */
export interface Batch {
  readonly layout: Layout
  readonly sequences: readonly Sequence[]
  /** The ELF file. */
  readonly image: Uint8Array
}

export interface Difference {
  readonly row: string
  readonly words: string
  /** Each differing doubleword: name, ours, theirs; or what our machine complained about. */
  readonly what: string
}

/** `count` sequences that walk the rows in turn, beginning with row number `first`. */
export function makeBatch(seed: number, count: number, first: number, rows: readonly Row[] = testableRows): Batch {
  const layout = new Layout(count)
  const generator = new Generator(new Random(seed))
  const sequences: Sequence[] = []
  for (let i = 0; i < count; i++) sequences.push(generator.sequence(rows[(first + i) % rows.length]!, layout, i))
  return { layout, sequences, image: buildProgram(layout, sequences) }
}

/** Errors of QEMU 7.2 that are known and excused, by name. */
const excused: readonly { readonly why: string; readonly applies: (s: Sequence) => boolean }[] = [
  {
    why: 'scalar half-precision FCVTZS/FCVTZU with fraction bits leaves upper bits set',
    // Scalar shift by immediate, immh = 001x: half precision. U, opcode 11111.
    applies: (s) => s.words.some((w) => (w & 0xdff0fc00) >>> 0 === 0x5f10fc00),
  },
]

/** Executes the words from `start` to `end` on the machine's state. */
export type Execute = (machine: FlatMachine, start: number, end: number) => void

/** The evaluating builder. */
export const tier0: Execute = (machine, start, end) => machine.run(start, end)

/**
 * Run every sequence and compare with `theirs`, the records that the reference wrote.
 * @param theirs layout.count * RECORD_BYTES bytes.
 */
export function compare(batch: Batch, theirs: Uint8Array, execute: Execute = tier0): Difference[] {
  const { layout, sequences, image } = batch
  const machine = new FlatMachine(image)
  const differences: Difference[] = []
  sequences.forEach((s, i) => {
    const reference = theirs.subarray(i * RECORD_BYTES, (i + 1) * RECORD_BYTES)
    const words = s.words.map((w) => (w >>> 0).toString(16).padStart(8, '0')).join(' ')
    const fpcr = new DataView(s.record.buffer).getUint32(Part.fpcr, true)
    let ours: Uint8Array
    machine.load(s.record)
    try {
      execute(machine, layout.test(i), layout.testEnd(i))
      ours = machine.save(layout.record(i), fpcr)
    } catch (e) {
      if (!(e instanceof Error)) throw e
      differences.push({ row: s.row.name, words, what: e.message })
      return
    }
    const a = new DataView(ours.buffer)
    const b = new DataView(reference.buffer, reference.byteOffset, RECORD_BYTES)
    const start = new DataView(s.record.buffer)
    const what: string[] = []
    for (let at = 0; at < RECORD_BYTES; at += 8) {
      const x = a.getBigUint64(at, true)
      const y = b.getBigUint64(at, true)
      if (x === y) continue
      what.push(`${partName(at)} ${hex(start.getBigUint64(at, true))} -> ours ${hex(x)} theirs ${hex(y)}`)
    }
    if (what.length > 0 && !excused.some((e) => e.applies(s))) {
      differences.push({ row: s.row.name, words, what: `fpcr ${fpcr.toString(16)}; ${what.join('; ')}` })
    }
  })
  return differences
}

const hex = (v: bigint) => v.toString(16)
