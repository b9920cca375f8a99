import type { Row } from '../../isa/row.ts'
import { FlatMachine } from './flat-machine.ts'
import { Generator, testableRows } from './generate.ts'
import { buildProgram, Layout, type Sequence } from './program.ts'
import { Random } from './random.ts'
import { Part, partName, RECORD_BYTES } from './record.ts'
import { TranslatedMachine } from './translated-machine.ts'

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

/** What a machine makes of a sequence: the record it leaves, or what it complained about. */
export type Outcome = Uint8Array | Error

const fpcrOf = (s: Sequence) => new DataView(s.record.buffer).getUint32(Part.fpcr, true)

/** Every sequence on the evaluating builder. */
export function evaluated(batch: Batch): Outcome[] {
  const { layout, sequences, image } = batch
  const machine = new FlatMachine(image)
  return sequences.map((s, i) => {
    machine.load(s.record)
    try {
      machine.run(layout.test(i), layout.testEnd(i))
      return machine.save(layout.record(i), fpcrOf(s))
    } catch (e) {
      return e as Error
    }
  })
}

/**
 * Every sequence as translated code: run over and over until its blocks are hot, then once more for the result.
 * @param report told how many instructions were translated, and how many tier 0 still had to do in the last run.
 */
export function translated(batch: Batch, report: (translated: number, evaluated: number) => void): Outcome[] {
  const { layout, sequences, image } = batch
  const machine = new TranslatedMachine(image, layout)
  const pass = (): Outcome[] =>
    sequences.map((s, i) => {
      machine.load(s.record)
      machine.restore(layout.record(i), s.record)
      try {
        machine.runTranslated(i)
        return machine.save(layout.record(i), fpcrOf(s))
      } catch (e) {
        return e as Error
      }
    })
  for (let n = 0; n < WARMING_PASSES; n++) pass()
  const before = machine.evaluated
  const outcomes = pass()
  report(machine.blocksTranslated, machine.evaluated - before)
  return outcomes
}

/** Enough for the patience of the translator with a block that is hot but alone. */
const WARMING_PASSES = 10

/**
 * Compare outcomes with the records that the reference wrote. QEMU 7.2's known errors (half-precision FCVTZS with fraction
 * bits, FJCVTZS) are in instructions that the table does not have, so nothing is excused.
 * @param theirs layout.count * RECORD_BYTES bytes.
 */
export function compare(batch: Batch, outcomes: readonly Outcome[], theirs: Uint8Array): Difference[] {
  const differences: Difference[] = []
  batch.sequences.forEach((s, i) => {
    const ours = outcomes[i]!
    const words = s.words.map((w) => (w >>> 0).toString(16).padStart(8, '0')).join(' ')
    if (ours instanceof Error) {
      differences.push({ row: s.row.name, words, what: ours.message })
      return
    }
    const reference = theirs.subarray(i * RECORD_BYTES, (i + 1) * RECORD_BYTES)
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
    if (what.length > 0) {
      differences.push({ row: s.row.name, words, what: `fpcr ${hex(fpcrOf(s))}; ${what.join('; ')}` })
    }
  })
  return differences
}

const hex = (v: bigint | number) => v.toString(16)
