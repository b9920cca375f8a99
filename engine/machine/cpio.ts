/**
 * Writes cpio archives in the `newc` format, which Linux unpacks as an initramfs.
 * Format: Documentation/driver-api/early-userspace/buffer-format.rst of Linux; `cpio(5)`.
 */

export interface CpioEntry {
  /** Path without a leading slash. Directories must come before what is in them. */
  readonly path: string
  /** File type and permissions as in `st_mode`, see `Mode`. */
  readonly mode: number
  /** Content of a regular file, target of a symbolic link. */
  readonly data?: Uint8Array
  /** Major and minor number of a device node. */
  readonly device?: readonly [major: number, minor: number]
}

/** File type bits of `st_mode`. */
export const Mode = {
  directory: 0o040000,
  characterDevice: 0o020000,
  regular: 0o100000,
  symbolicLink: 0o120000,
} as const

/** The kernel reads archives up to a multiple of this; `cpio` pads to it as well. */
const BLOCK = 512

/**
 * The bytes of an archive. Times and owners are zero and inode numbers count up, so equal entries give equal bytes.
 * @throws RangeError on a path that is empty, absolute or holds NUL.
 */
export function writeCpio(entries: readonly CpioEntry[]): Uint8Array {
  const members = entries.map((e, i) => {
    if (e.path === '' || e.path.startsWith('/') || e.path.includes('\0'))
      throw new RangeError(`bad cpio path '${e.path}'`)
    return { name: new TextEncoder().encode(e.path), entry: e, inode: i + 1 }
  })
  members.push({ name: new TextEncoder().encode('TRAILER!!!'), entry: { path: 'TRAILER!!!', mode: 0 }, inode: 0 })
  const sizes = members.map((m) => align4(110 + m.name.length + 1) + align4(m.entry.data?.length ?? 0))
  const total = sizes.reduce((a, b) => a + b, 0)
  const out = new Uint8Array(Math.ceil(total / BLOCK) * BLOCK)
  let at = 0
  members.forEach(({ name, entry, inode }, i) => {
    const links = entry.mode === 0 ? 1 : (entry.mode & 0o170000) === Mode.directory ? 2 : 1
    const [major, minor] = entry.device ?? [0, 0]
    const size = entry.data?.length ?? 0
    // magic, ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check
    const fields = [inode, entry.mode, 0, 0, links, 0, size, 0, 0, major, minor, name.length + 1, 0]
    const header = `070701${fields.map((f) => f.toString(16).padStart(8, '0')).join('')}`
    for (let k = 0; k < header.length; k++) out[at + k] = header.charCodeAt(k)
    out.set(name, at + 110)
    if (entry.data !== undefined) out.set(entry.data, at + align4(110 + name.length + 1))
    at += sizes[i]!
  })
  return out
}

function align4(n: number): number {
  return (n + 3) & ~3
}
