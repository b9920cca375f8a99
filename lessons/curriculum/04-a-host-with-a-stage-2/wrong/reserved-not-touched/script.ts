import { answer, type Mapping, mem, print } from 'lab'

// One fresh page, and the first store to it.
const one = await mem.map(4096)
await mem.write64(one.address, 1n)
const first = (await mem.physical(one.address)) ?? 0n
answer('first', first)
print('the first page is at', first)

// Sixteen times 1 MiB: more than the kernel has lying about, so that it must go where it never was.
const all: Mapping[] = []
const pages: bigint[] = []
for (let i = 0; i < 16; i++) {
  const more = await mem.map(1 << 20)
  all.push(more)
  pages.push((await mem.physical(more.address)) ?? 0n)
}

answer('pages', pages)
print(all.length, 'mappings begin at', ...pages)

// Once more: what has been the host's stays mapped for the host.
for (const more of all) await more.unmap()
const once = await mem.map(16 << 20, { populate: true })
const again = (await mem.physical(once.address)) ?? 0n
answer('again', again)
print('and again at', again)
