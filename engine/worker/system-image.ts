/** From what a `load` brings to an Image with its symbols and types: an Image as it is, or a system to assemble first. */
import { describeSystem } from '../inspect/assembled-kernel.ts'
import { describeImage, type KernelDescription } from '../inspect/kernel-data.ts'
import { type BuiltSystem, buildSystem, type SystemSources } from '../machine/assembled-system.ts'
import { parseImage } from '../machine/image.ts'
import { buildSummary, diffListings } from './build-answers.ts'
import { sameEntries } from './same-entries.ts'
import type { BuildAnswer, BuildRequest } from './build-protocol.ts'

/** The sources of a system have errors; they are in `built.diagnostics`, with their places. */
export class SystemBuildError extends Error {
  override readonly name = 'SystemBuildError'
  readonly hint = 'The places are marked in the sources. The machine that was there stays.'

  constructor(readonly built: BuiltSystem) {
    const [first] = built.diagnostics
    const more = built.diagnostics.length > 1 ? ` (and ${built.diagnostics.length - 1} more)` : ''
    super(`the system does not assemble: ${first!.position.file}:${first!.position.line}: ${first!.message}${more}`)
  }
}

export interface OpenedImage {
  readonly image: Uint8Array
  readonly description: KernelDescription
  /** CONFIG_PROTECTED_VM_UAPI, where the system was built with that option one way or the other. */
  readonly buildOption: 'y' | 'n' | null
}

/** @throws SystemBuildError, ImageError */
export function openImage(image: ArrayBuffer | SystemSources): OpenedImage {
  if (image instanceof ArrayBuffer) {
    const bytes = new Uint8Array(image)
    // Before the symbols: a file that is no Image deserves that message, not one about its symbol table.
    parseImage(bytes)
    return { image: bytes, description: describeImage(bytes), buildOption: null }
  }
  const built = build(image)
  if (!built.ok) throw new SystemBuildError(built)
  const option = image.options.CONFIG_PROTECTED_VM_UAPI
  return {
    image: built.image,
    description: describeSystem(built),
    buildOption: option === undefined ? null : option ? 'y' : 'n',
  }
}

/** Builds kept: what was just built to show its errors is what is booted next, or compared with its neighbour. */
const KEPT = 4
const kept: { readonly of: SystemSources; readonly built: BuiltSystem }[] = []

function build(system: SystemSources): BuiltSystem {
  const known = kept.find(({ of }) => of.top === system.top && sameEntries(of.options, system.options) && sameEntries(of.sources, system.sources))
  if (known !== undefined) return known.built
  const built = buildSystem(system)
  if (kept.length >= KEPT) kept.shift()
  kept.push({ of: system, built })
  return built
}

/** Answers a question about sources; no machine takes part. @param now milliseconds of some clock */
export function answerBuild(request: BuildRequest, now: () => number): BuildAnswer {
  const started = now()
  if (request.type === 'build') {
    const built = build(request.system)
    return { type: 'built', id: request.id, milliseconds: now() - started, ...buildSummary(built) }
  }
  const before = build({ ...request.system, options: request.before })
  const after = build({ ...request.system, options: request.after })
  const failed = [before, after].find((b) => !b.ok)
  if (failed !== undefined) return { type: 'listingDiff', id: request.id, ok: false, diagnostics: buildSummary(failed).diagnostics }
  return { type: 'listingDiff', id: request.id, ok: true, ...diffListings(before.listing, after.listing) }
}
