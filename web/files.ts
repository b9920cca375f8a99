/**
 * Kernels and files the page can start. The store holds their names and sizes; the bytes live here, so that the store
 * stays plain data.
 */

export interface KernelEntry {
  /** Kernel release, as `uname -r` prints it. */
  version: string
  bytes: number
  source: string
}

export interface Progress {
  received: number
  total: number
}

/** A file of the supply or of the learner's that could not be used: one sentence, and what to do. */
export class FileError extends Error {
  override name = 'FileError'
  readonly hint: string
  constructor(message: string, hint = '') {
    super(message)
    this.hint = hint
  }
}

/** @returns the kernels served beside the page, newest first; none when there are none or no list */
export async function listKernels(): Promise<KernelEntry[]> {
  try {
    const response = await fetch(new URL('kernels/index.json', document.baseURI), { cache: 'no-cache' })
    if (!response.ok) return []
    const list: unknown = await response.json()
    if (!Array.isArray(list)) return []
    return list.filter(isKernelEntry).map(({ version, bytes, source }) => ({ version, bytes, source }))
  } catch {
    // No server behind the page, or a host that answers every address with a page of its own.
    return []
  }
}

function isKernelEntry(value: unknown): value is KernelEntry {
  if (typeof value !== 'object' || value === null) return false
  const entry = value as Partial<Record<keyof KernelEntry, unknown>>
  return typeof entry.version === 'string' && typeof entry.bytes === 'number' && typeof entry.source === 'string'
}

/** The last kernel downloaded stays in memory: a second boot of it starts at once. */
let held: { version: string; image: ArrayBuffer } | null = null

/**
 * @param onProgress called with bytes received so far
 * @throws FileError when the kernel cannot be loaded whole
 */
export async function downloadKernel(
  entry: KernelEntry,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<ArrayBuffer> {
  if (held?.version === entry.version) return held.image
  const url = new URL(`kernels/${encodeURIComponent(entry.version)}/Image`, document.baseURI)
  const retry = 'Check that the server behind this page still runs, then press Boot again.'
  let response: Response
  try {
    response = await fetch(url, { signal })
  } catch (error) {
    if (signal.aborted) throw error
    throw new FileError(`Linux ${entry.version} could not be loaded: the server did not answer.`, retry)
  }
  if (!response.ok || response.body === null) {
    throw new FileError(`Linux ${entry.version} could not be loaded: the server answered ${response.status}.`, retry)
  }
  const image = new Uint8Array(entry.bytes)
  const reader = response.body.getReader()
  let received = 0
  onProgress({ received, total: entry.bytes })
  for (;;) {
    let chunk: ReadableStreamReadResult<Uint8Array>
    try {
      chunk = await reader.read()
    } catch (error) {
      if (signal.aborted) throw error
      throw new FileError(`Linux ${entry.version} could not be loaded: the transfer broke off.`, retry)
    }
    if (chunk.done) break
    if (received + chunk.value.length > entry.bytes) {
      await reader.cancel()
      throw new FileError(`The server sends more than the ${entry.bytes} bytes listed for Linux ${entry.version}.`, retry)
    }
    image.set(chunk.value, received)
    received += chunk.value.length
    onProgress({ received, total: entry.bytes })
  }
  if (received !== entry.bytes) {
    throw new FileError(`Only ${received} of ${entry.bytes} bytes of Linux ${entry.version} arrived.`, retry)
  }
  held = { version: entry.version, image: image.buffer }
  return held.image
}

/** Bytes of the files the learner brought. */
export const ownFiles: { image: ArrayBuffer | null; initrd: ArrayBuffer | null } = { image: null, initrd: null }

/** @throws FileError when the browser cannot read it */
export async function readOwnFile(file: File): Promise<ArrayBuffer> {
  if (file.size === 0) throw new FileError(`${file.name} is empty.`, 'Choose another file.')
  if (file.size > 1 << 30) throw new FileError(`${file.name} is larger than 1 GB.`, 'Choose a smaller file.')
  try {
    return await file.arrayBuffer()
  } catch {
    throw new FileError(`${file.name} could not be read.`, 'Choose it again, or choose another file.')
  }
}
