import { answer, type Mapping, mem, print } from 'lab'

// One fresh page, and the first store to it.
const one = await mem.map(4096)
await mem.write64(one.address, 1n)
const first = (await mem.physical(one.address)) ?? 0n
answer('first', first)
print('the first page is at', first)

// Sixteen times 1 MiB. <- map them, keep them in `all`, and where the first page of each is in `pages`
const all: Mapping[] = []
const pages: bigint[] = []

answer('pages', pages)
print(all.length, 'mappings begin at', ...pages)

// Once more. <- unmap all, map 16 MiB, and record where the first page of it is as `again`
