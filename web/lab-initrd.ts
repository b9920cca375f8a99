import initProgram from 'virtual:init-program'
import type { LabInitrd } from '../engine/worker/protocol.ts'

/**
 * What the lab's initial RAM disk is made of. The shell's busybox is not part of the project: set-up fetches it, and a
 * command line that does not ask for a shell does not load it.
 */
export async function labInitrd(append: string): Promise<LabInitrd> {
  return { program: initProgram, busybox: /(^|\s)lab\.init=shell(\s|$)/.test(append) ? await fetchBusybox() : null }
}

async function fetchBusybox(): Promise<ArrayBuffer | null> {
  try {
    const response = await fetch(new URL('busybox', document.baseURI))
    if (!response.ok) return null
    const program = await response.arrayBuffer()
    // Some hosts answer every address with a page of their own.
    const isElf = program.byteLength > 4 && new DataView(program).getUint32(0) === 0x7f454c46
    return isElf ? program : null
  } catch {
    return null
  }
}
