/** Guests of a script: the learner's assembly, as programs that a VM can be given. */
import { GUEST_ORIGIN, type GuestProgram } from '../../lessons/kvm/guest-image.ts'
import { assembleFiles } from '../editor/assembler-client.ts'
import type { ScriptProblem } from './script-store.ts'

export interface AssembledGuests {
  /** By file. */
  readonly guests: Readonly<Record<string, GuestProgram>>
  /** What is wrong in those that did not assemble. */
  readonly problems: readonly ScriptProblem[]
}

/** Whether a file is assembly. */
export function isAssembly(file: string): boolean {
  return /\.[sS]$/.test(file)
}

/**
 * @param files all texts of the workspace: a guest may include others
 * @param names the guests among them; one that is missing is a problem
 */
export async function assembleGuests(
  files: Readonly<Record<string, string>>,
  names: readonly string[],
): Promise<AssembledGuests> {
  const guests: Record<string, GuestProgram> = {}
  const problems: ScriptProblem[] = []
  for (const file of names) {
    if (files[file] === undefined) {
      problems.push({ file, line: 1, column: 1, message: 'This file is missing: reset the files to have it back.' })
      continue
    }
    const { ok, bytes, symbols, diagnostics } = await assembleFiles(files, file, undefined, { origin: GUEST_ORIGIN })
    if (ok) guests[file] = { bytes, symbols: Object.fromEntries(symbols), address: GUEST_ORIGIN }
    else problems.push(...diagnostics)
  }
  return { guests, problems }
}
