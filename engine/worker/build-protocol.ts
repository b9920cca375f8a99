/**
 * Questions about the sources of an assembled system, asked by the page and answered by the Worker without touching the
 * machine there. Plain data only.
 */
import type { SystemSources } from '../machine/assembled-system.ts'

export type { SystemSources } from '../machine/assembled-system.ts'

/** An error or a warning of the assembler. Lines and columns count from 1. */
export interface BuildDiagnostic {
  readonly severity: 'error' | 'warning'
  readonly message: string
  /** Path from the top folder: `hyp/vectors.s`. */
  readonly file: string
  readonly line: number
  readonly column: number
  /** Macro calls and repetitions around it, innermost first. */
  readonly within: readonly { readonly file: string; readonly line: number }[]
}

export type BuildRequest =
  /** Does it assemble, and to what? */
  | { type: 'build'; id: number; system: SystemSources }
  /** What changes in the machine code from one set of options to another? The options of `system` do not count. */
  | {
      type: 'diffListing'
      id: number
      system: SystemSources
      before: SystemSources['options']
      after: SystemSources['options']
    }

/** A line of a comparison. `same` lines are those around a difference. */
export interface ListingRow {
  readonly change: 'same' | 'added' | 'removed'
  readonly file: string
  readonly line: number
  /** Address where it is, hexadecimal; of an `added` line in the second listing, of others in the first. */
  readonly address: string
  /** The instruction word, or the first bytes of data in the order of memory; hexadecimal. */
  readonly bytes: string
  readonly text: string
}

export type BuildAnswer =
  | {
      type: 'built'
      id: number
      ok: boolean
      diagnostics: readonly BuildDiagnostic[]
      /** Of the Image; 0 when it does not assemble. */
      bytes: number
      instructions: number
      milliseconds: number
    }
  | { type: 'listingDiff'; id: number; ok: false; diagnostics: readonly BuildDiagnostic[] }
  | {
      type: 'listingDiff'
      id: number
      ok: true
      /** Stretches of differences with what stands around them; lines left out between two of them. */
      hunks: readonly (readonly ListingRow[])[]
      added: number
      removed: number
      /** Lines whose bytes differ only because addresses moved; they are not in the hunks. */
      moved: number
    }
