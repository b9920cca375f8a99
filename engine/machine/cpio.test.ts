import { expect, it } from 'vitest'
import { Mode, writeCpio } from './cpio.ts'

/** Read an archive the way Linux's init/initramfs.c does. */
function readCpio(archive: Uint8Array) {
  const members: { path: string; mode: number; rdev: number[]; data: string; inode: number }[] = []
  const text = (from: number, to: number): string => new TextDecoder().decode(archive.subarray(from, to))
  for (let at = 0; ; ) {
    expect(text(at, at + 6)).toBe('070701')
    const field = (i: number): number => Number.parseInt(text(at + 6 + 8 * i, at + 14 + 8 * i), 16)
    const nameBytes = field(11)
    const path = text(at + 110, at + 110 + nameBytes - 1)
    expect(archive[at + 110 + nameBytes - 1]).toBe(0)
    const start = (at + 110 + nameBytes + 3) & ~3
    const size = field(6)
    if (path === 'TRAILER!!!') return members
    members.push({
      path,
      mode: field(1),
      rdev: [field(9), field(10)],
      data: text(start, start + size),
      inode: field(0),
    })
    at = (start + size + 3) & ~3
  }
}

it('writes directories, files, links and devices', () => {
  const bytes = (t: string): Uint8Array => new TextEncoder().encode(t)
  const archive = writeCpio([
    { path: 'dev', mode: Mode.directory | 0o755 },
    { path: 'dev/console', mode: Mode.characterDevice | 0o600, device: [5, 1] },
    { path: 'init', mode: Mode.regular | 0o755, data: bytes('hello') },
    { path: 'link', mode: Mode.symbolicLink | 0o777, data: bytes('init') },
  ])
  expect(archive.length % 512).toBe(0)
  expect(readCpio(archive)).toEqual([
    { path: 'dev', mode: 0o40755, rdev: [0, 0], data: '', inode: 1 },
    { path: 'dev/console', mode: 0o20600, rdev: [5, 1], data: '', inode: 2 },
    { path: 'init', mode: 0o100755, rdev: [0, 0], data: 'hello', inode: 3 },
    { path: 'link', mode: 0o120777, rdev: [0, 0], data: 'init', inode: 4 },
  ])
})

it('is empty but for the trailer without entries', () => {
  expect(readCpio(writeCpio([]))).toEqual([])
})

it.each(['', '/init', 'a\0b'])('refuses path %j', (path) => {
  expect(() => writeCpio([{ path, mode: Mode.regular }])).toThrow(RangeError)
})
