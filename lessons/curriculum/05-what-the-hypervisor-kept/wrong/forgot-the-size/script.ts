import { answer, AT_FDCWD, hex, host, print, syscall } from 'lab'

const RAM = 0x4000_0000n

// The pool: the memory that the kernel set aside for the hypervisor, as its message says.
const message = (await host.messages()).find(line => /kvm.*Reserved/.test(line)) ?? ''
const pool = BigInt(/0x[0-9a-f]+/.exec(message)?.[0] ?? 0)
answer('pool', pool)
print(message)

// The last page below the pool is the host's.
const neighbour = pool - 4096n
answer('neighbour', neighbour)
print('at', hex(neighbour), 'the kernel reads', hex(await readPhysical(neighbour), 16))

// The pool begins with the table of owners: 8 bytes for each page of RAM, the first page first.
// Its page is the (pool - RAM) / 4096th of RAM, and as many records stand before it.
const record = pool + ((pool - RAM) >> 12n)
answer('record', record)

const told = await readPhysical(record)
answer('told', told)
print('at', hex(record), 'the kernel reads', hex(told, 16))

/** Has the kernel read 8 bytes at a physical address: /proc/kcore is its memory as a file, with a table of what is where. */
async function readPhysical(address: bigint): Promise<bigint> {
  const file = Number(await syscall('openat', AT_FDCWD, '/proc/kcore', 0))
  const head = new Uint8Array(4096)
  await syscall('pread64', file, head, head.length, 0)
  const table = new DataView(head.buffer)
  const bytes = new Uint8Array(8)
  for (let i = 0; i < table.getUint16(56, true); i++) {
    const entry = Number(table.getBigUint64(32, true)) + 56 * i
    const [offset, , start, size] = [8, 16, 24, 32].map(at => table.getBigUint64(entry + at, true)) as [bigint, bigint, bigint, bigint]
    if (address < start || address + 8n > start + size) continue
    await syscall('pread64', file, bytes, bytes.length, offset + address - start)
    await syscall('close', file)
    return new DataView(bytes.buffer).getBigUint64(0, true)
  }
  throw new Error(`the kernel has no RAM at ${hex(address)}`)
}
