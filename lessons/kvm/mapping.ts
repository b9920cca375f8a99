/** The VMM's own memory: mapped, loaded, stored, and reached by the kernel in two other ways. */
import { needBigint, needBoolean, needBytes, needInteger, needName, needOptions, needValue } from './arguments.ts'
import type { MapOptions, Mapping, Memory } from './lab.d.ts'
import { littleEndian, wordOf } from './kvm-structs.ts'
import type { VmmProcess } from './process.ts'
import { showValue, type Span } from './trace.ts'

const PROTECTION = { none: 0, r: 1, rw: 3, rx: 5, rwx: 7 } as const
const MAP_SHARED = 1
const MAP_PRIVATE = 2
const MAP_FIXED = 0x10
const MAP_ANONYMOUS = 0x20
const MAP_POPULATE = 0x8000
const O_RDWR = 2
export const O_CLOEXEC = 0x80000
/** A read of this size fits any pipe at once. */
const PIPE_BYTES = 4096
/** The most that one call reads or writes here; a script that wants more asks again. */
const MOST_BYTES = 1 << 24

/** `mmap` of anonymous memory or of a descriptor, as part of a larger call. */
export async function mapInto(
  process: VmmProcess,
  span: Span,
  bytes: number,
  { protection = 'rw', shared = false, populate = false, at }: MapOptions = {},
  fd = -1,
): Promise<bigint> {
  const flags =
    (shared ? MAP_SHARED : MAP_PRIVATE) | (fd < 0 ? MAP_ANONYMOUS : 0) | (populate ? MAP_POPULATE : 0) | (at === undefined ? 0 : MAP_FIXED)
  return process.call(span, 'mmap', [at ?? 0, bytes, PROTECTION[protection], flags, fd, 0])
}

export async function unmapFrom(process: VmmProcess, span: Span, address: bigint, bytes: number): Promise<void> {
  await process.call(span, 'munmap', [address, bytes])
}

export class OwnMapping implements Mapping {
  constructor(
    protected readonly process: VmmProcess,
    readonly address: bigint,
    readonly bytes: number,
  ) {}

  get traceName(): string {
    return `mapping ${showValue(this.address)}`
  }

  unmap(): Promise<void> {
    return this.process.tracer.span(null, `${this.traceName}.unmap()`, span => unmapFrom(this.process, span, this.address, this.bytes))
  }
}

export class ProcessMemory implements Memory {
  constructor(private readonly process: VmmProcess) {}

  async map(bytes: number, options: MapOptions = {}): Promise<Mapping> {
    return this.traced('map', [bytes, options], async span => {
      needInteger('mem.map', 'bytes', bytes, { least: 1, most: 2 ** 40 })
      needOptions('mem.map', 'options', options, ['protection', 'shared', 'populate', 'at'])
      if (options.protection !== undefined) needName('mem.map', 'protection', options.protection, PROTECTION)
      if (options.shared !== undefined) needBoolean('mem.map', 'shared', options.shared)
      if (options.populate !== undefined) needBoolean('mem.map', 'populate', options.populate)
      if (options.at !== undefined) needBigint('mem.map', 'at', options.at, { multipleOf: 4096n })
      return new OwnMapping(this.process, await mapInto(this.process, span, bytes, options), bytes)
    })
  }

  async unmap(address: bigint, bytes: number): Promise<void> {
    return this.traced('unmap', [address, bytes], async span => {
      needBigint('mem.unmap', 'address', address)
      needInteger('mem.unmap', 'bytes', bytes)
      await unmapFrom(this.process, span, address, bytes)
    })
  }

  async read(address: bigint, bytes: number): Promise<Uint8Array> {
    return this.traced('read', [address, bytes], span => {
      needBigint('mem.read', 'address', address)
      needInteger('mem.read', 'bytes', bytes, { most: MOST_BYTES })
      return this.process.load(span, address, bytes)
    })
  }

  async write(address: bigint, bytes: Uint8Array): Promise<void> {
    return this.traced('write', [address, bytes], span => {
      needBigint('mem.write', 'address', address)
      needBytes('mem.write', 'bytes', bytes)
      return this.process.store(span, address, bytes)
    })
  }

  async read32(address: bigint): Promise<number> {
    return this.traced('read32', [address], async span => {
      needBigint('mem.read32', 'address', address, { multipleOf: 4n })
      return Number(wordOf(await this.process.load(span, address, 4, 4)))
    })
  }

  async read64(address: bigint): Promise<bigint> {
    return this.traced('read64', [address], async span => {
      needBigint('mem.read64', 'address', address, { multipleOf: 8n })
      return wordOf(await this.process.load(span, address, 8, 8))
    })
  }

  async write32(address: bigint, value: number): Promise<void> {
    return this.traced('write32', [address, value], span => {
      needBigint('mem.write32', 'address', address, { multipleOf: 4n })
      return this.process.store(span, address, littleEndian(needValue('mem.write32', 'value', value, 32), 4), 4)
    })
  }

  async write64(address: bigint, value: bigint | number): Promise<void> {
    return this.traced('write64', [address, value], span => {
      needBigint('mem.write64', 'address', address, { multipleOf: 8n })
      return this.process.store(span, address, littleEndian(needValue('mem.write64', 'value', value), 8), 8)
    })
  }

  async readByKernel(address: bigint, bytes: number): Promise<Uint8Array> {
    return this.traced('readByKernel', [address, bytes], span => {
      needBigint('mem.readByKernel', 'address', address)
      needInteger('mem.readByKernel', 'bytes', bytes, { least: 1, most: MOST_BYTES })
      return this.throughPipe(span, async (reading, writing) => {
        const all = new Uint8Array(bytes)
        for (let at = 0; at < bytes; ) {
          const part = new Uint8Array(Math.min(PIPE_BYTES, bytes - at))
          const from = address + BigInt(at)
          const taken = await this.process.call(span, 'write', [writing, from, part.length], { explainAs: 'write pipe' })
          const got = part.subarray(0, Number(taken))
          await this.process.call(span, 'read', [reading, got, got.length])
          all.set(got, at)
          at += got.length
        }
        return all
      })
    })
  }

  async writeByKernel(address: bigint, bytes: Uint8Array): Promise<void> {
    return this.traced('writeByKernel', [address, bytes], span => {
      needBigint('mem.writeByKernel', 'address', address)
      needBytes('mem.writeByKernel', 'bytes', bytes)
      return this.throughPipe(span, async (reading, writing) => {
        for (let at = 0; at < bytes.length; ) {
          const part = bytes.slice(at, at + PIPE_BYTES)
          await this.process.call(span, 'write', [writing, part, part.length])
          at += Number(
            await this.process.call(span, 'read', [reading, address + BigInt(at), part.length], { explainAs: 'read pipe' }),
          )
        }
      })
    })
  }

  async readByProcMem(address: bigint, bytes: number): Promise<Uint8Array> {
    return this.traced('readByProcMem', [address, bytes], span => {
      needBigint('mem.readByProcMem', 'address', address)
      needInteger('mem.readByProcMem', 'bytes', bytes, { least: 1, most: MOST_BYTES })
      return this.withFile(span, '/proc/self/mem', O_RDWR, async fd => {
        const all = new Uint8Array(bytes)
        for (let at = 0; at < bytes; ) {
          const part = new Uint8Array(Math.min(PIPE_BYTES, bytes - at))
          const got = await this.process.call(span, 'pread64', [fd, part, part.length, address + BigInt(at)], {
            explainAs: 'pread64 /proc/self/mem',
          })
          if (got === 0n) return all.slice(0, at)
          all.set(part.subarray(0, Number(got)), at)
          at += Number(got)
        }
        return all
      })
    })
  }

  async writeByProcMem(address: bigint, bytes: Uint8Array): Promise<void> {
    return this.traced('writeByProcMem', [address, bytes], span => {
      needBigint('mem.writeByProcMem', 'address', address)
      needBytes('mem.writeByProcMem', 'bytes', bytes)
      return this.withFile(span, '/proc/self/mem', O_RDWR, async fd => {
        for (let at = 0; at < bytes.length; ) {
          const part = bytes.slice(at, at + PIPE_BYTES)
          const done = await this.process.call(span, 'pwrite64', [fd, part, part.length, address + BigInt(at)], {
            explainAs: 'pwrite64 /proc/self/mem',
          })
          if (done === 0n) return
          at += Number(done)
        }
      })
    })
  }

  async physical(address: bigint): Promise<bigint | null> {
    return this.traced('physical', [address], span => {
      needBigint('mem.physical', 'address', address)
      return this.withFile(span, '/proc/self/pagemap', 0, async fd => {
        const entry = new Uint8Array(8)
        if ((await this.process.call(span, 'pread64', [fd, entry, 8, (address >> 12n) * 8n])) !== 8n) return null
        const word = wordOf(entry)
        // Documentation/admin-guide/mm/pagemap.rst: bit 63 present, bits 54:0 the page frame's number.
        return word >> 63n === 0n ? null : ((word & ((1n << 55n) - 1n)) << 12n) | (address & 0xfffn)
      })
    })
  }

  /** Does something with an open file, and closes it whatever happens. */
  private async withFile<T>(span: Span, path: string, flags: number, body: (fd: number) => Promise<T>): Promise<T> {
    const fd = Number(await this.process.call(span, 'openat', [-100, path, flags | O_CLOEXEC, 0]))
    try {
      return await body(fd)
    } finally {
      await this.process.call(span, 'close', [fd]).catch(() => {})
    }
  }

  private async throughPipe<T>(span: Span, body: (reading: number, writing: number) => Promise<T>): Promise<T> {
    const fds = new Uint8Array(8)
    await this.process.call(span, 'pipe2', [fds, O_CLOEXEC])
    const view = new DataView(fds.buffer)
    const [reading, writing] = [view.getInt32(0, true), view.getInt32(4, true)]
    try {
      return await body(reading, writing)
    } finally {
      await this.process.call(span, 'close', [reading]).catch(() => {})
      await this.process.call(span, 'close', [writing]).catch(() => {})
    }
  }

  private traced<T>(name: string, args: readonly unknown[], body: (span: Span) => Promise<T>): Promise<T> {
    const shown = args.map(showValue).filter(text => text !== '{}')
    return this.process.tracer.span(null, `mem.${name}(${shown.join(', ')})`, async span => body(span))
  }
}
