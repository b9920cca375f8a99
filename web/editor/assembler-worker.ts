import { assembleFileSet, type AssemblyRequest } from './a64/assemble-files.ts'

/** Assembles beside the page, so that a large source or a macro that grows never holds it up. */
declare const self: {
  onmessage: ((event: MessageEvent<{ id: number; request: AssemblyRequest }>) => void) | null
  postMessage(message: unknown, transfer: ArrayBufferLike[]): void
}

self.onmessage = event => {
  const { id, request } = event.data
  const result = assembleFileSet(request)
  // The image is handed over, not copied.
  self.postMessage({ id, result }, [result.bytes.buffer])
}
