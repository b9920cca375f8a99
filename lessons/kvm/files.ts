import { needInteger, needText } from './arguments.ts'
import type { Proc } from './lab.d.ts'
import { O_CLOEXEC } from './mapping.ts'
import type { VmmProcess } from './process.ts'
import { showValue, type Span } from './trace.ts'

const O_WRONLY = 1
const O_DIRECTORY = 0x4000
const CHUNK = 8192
const MOST_BYTES = 1 << 20

/** Reads a whole file as part of another call. */
export async function readFile(process: VmmProcess, span: Span, path: string, mostBytes = MOST_BYTES): Promise<Uint8Array> {
  const fd = await process.call(span, 'openat', [-100, path, O_CLOEXEC, 0])
  try {
    const parts: Uint8Array[] = []
    let bytes = 0
    while (bytes < mostBytes) {
      const part = new Uint8Array(Math.min(CHUNK, mostBytes - bytes))
      const got = Number(await process.call(span, 'read', [fd, part, part.length]))
      if (got === 0) break
      parts.push(part.subarray(0, got))
      bytes += got
    }
    const whole = new Uint8Array(bytes)
    let at = 0
    for (const part of parts) {
      whole.set(part, at)
      at += part.length
    }
    return whole
  } finally {
    await process.call(span, 'close', [fd]).catch(() => {})
  }
}

export async function readText(process: VmmProcess, span: Span, path: string): Promise<string> {
  return new TextDecoder().decode(await readFile(process, span, path))
}

export class ProcFiles implements Proc {
  constructor(private readonly process: VmmProcess) {}

  async read(path: string, mostBytes = MOST_BYTES): Promise<string> {
    return this.process.tracer.span(null, `proc.read(${showValue(path)})`, async span => {
      needText('proc.read', 'path', path)
      needInteger('proc.read', 'mostBytes', mostBytes, { least: 1 })
      return new TextDecoder().decode(await readFile(this.process, span, path, mostBytes))
    })
  }

  async write(path: string, text: string): Promise<void> {
    return this.process.tracer.span(null, `proc.write(${showValue(path)}, ${showValue(text)})`, async span => {
      needText('proc.write', 'path', path)
      needText('proc.write', 'text', text)
      const fd = await this.process.call(span, 'openat', [-100, path, O_WRONLY | O_CLOEXEC, 0])
      try {
        const bytes = new TextEncoder().encode(text)
        await this.process.call(span, 'write', [fd, bytes, bytes.length])
      } finally {
        await this.process.call(span, 'close', [fd]).catch(() => {})
      }
    })
  }

  async list(path: string): Promise<string[]> {
    return this.process.tracer.span(null, `proc.list(${showValue(path)})`, async span => {
      needText('proc.list', 'path', path)
      const fd = await this.process.call(span, 'openat', [-100, path, O_CLOEXEC | O_DIRECTORY, 0])
      try {
        const names: string[] = []
        for (;;) {
          const entries = new Uint8Array(CHUNK)
          const bytes = Number(await this.process.call(span, 'getdents64', [fd, entries, entries.length]))
          if (bytes === 0) return names.filter(name => name !== '.' && name !== '..')
          names.push(...directoryNames(entries.subarray(0, bytes)))
        }
      } finally {
        await this.process.call(span, 'close', [fd]).catch(() => {})
      }
    })
  }
}

/** struct linux_dirent64: u64 inode, s64 offset, u16 record length, u8 type, name with a NUL. */
export function directoryNames(entries: Uint8Array): string[] {
  const view = new DataView(entries.buffer, entries.byteOffset, entries.byteLength)
  const names: string[] = []
  for (let at = 0; at + 19 < entries.length; ) {
    const length = view.getUint16(at + 16, true)
    const name = entries.subarray(at + 19, at + length)
    names.push(new TextDecoder().decode(name.subarray(0, name.indexOf(0))))
    if (length === 0) break
    at += length
  }
  return names
}
