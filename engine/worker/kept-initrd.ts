/** The lab's initial RAM disk from its sources; equal sources, such as those of the boot before, are assembled once. */
import { buildInitrd } from '../machine/init-program.ts'
import type { LabInitrd } from './protocol.ts'

let last: { readonly of: LabInitrd; readonly initrd: Uint8Array } | null = null

/**
 * @returns the archive; whoever takes it must not change it
 * @throws InitSourceError
 */
export function keptInitrd(wanted: LabInitrd): Uint8Array {
  // A shell's busybox is a megabyte that is not worth comparing, and nobody boots it over and over.
  if (wanted.busybox !== null) return buildInitrd({ sources: wanted.sources, busybox: new Uint8Array(wanted.busybox) })
  if (last === null || !sameTexts(last.of.sources, wanted.sources)) {
    last = { of: wanted, initrd: buildInitrd({ sources: wanted.sources }) }
  }
  return last.initrd
}

function sameTexts(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every(name => a[name] === b[name])
}
