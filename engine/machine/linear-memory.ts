/**
 * Linear memories of machines. One is kept of a machine that is no more: half a gigabyte asked for anew at each boot
 * makes the JavaScript engine collect garbage in the middle of it, which takes a small system as long as its boot.
 */
import { RAM_BASE } from '../cpu/state.ts'

const WASM_PAGE = 65536
const PAGE = 4096
/** A machine that wrote more pages of RAM than this gives nothing back: 64 MiB are held at most. */
const MOST_PAGES = 16_384

let kept: WebAssembly.Memory | undefined

/**
 * @param bytes of state area and RAM
 * @returns a memory of all zeros
 * @throws RangeError when the host has no room for it
 */
export function takeLinearMemory(bytes: number): WebAssembly.Memory {
  const found = kept
  kept = undefined
  if (found?.buffer.byteLength === bytes) return found
  const pages = Math.ceil(bytes / WASM_PAGE)
  return new WebAssembly.Memory({ initial: pages, maximum: pages })
}

/**
 * Keep the memory of a machine that will never run again, emptied.
 * @param written one byte for each page of RAM, not zero where anything may have been stored
 */
export function giveBackLinearMemory(memory: WebAssembly.Memory, written: Uint8Array): void {
  let pages = 0
  for (const page of written) pages += page
  if (pages > MOST_PAGES) return
  const bytes = new Uint8Array(memory.buffer)
  bytes.fill(0, 0, RAM_BASE)
  for (let page = written.indexOf(1); page >= 0; page = written.indexOf(1, page + 1)) {
    const at = RAM_BASE + page * PAGE
    bytes.fill(0, at, at + PAGE)
  }
  kept = memory
}
