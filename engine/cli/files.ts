import { readFile } from 'node:fs/promises'

/** A file named on the command line cannot be read. */
export class InputFileError extends Error {
  override name = 'InputFileError'
}

/** @param role what the file is for, as the message names it. @throws InputFileError */
export async function readInput(path: string, role: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(path))
  } catch (e) {
    const code = (e as NodeJS.ErrnoException).code
    const why = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a directory' : `it cannot be read (${code})`
    throw new InputFileError(`${role} ${path}: ${why}.`)
  }
}
