/** Reading what the init program says on the console: one `key=value` a line (README.md). */

/** A message of the kernel that broke into another line: drivers' threads print when they like. */
const INTERRUPTION = /\[ *\d+\.\d{6}\] .*$/
/** Such messages with their ends of line; after them the line goes on that they broke into. */
const INTERRUPTIONS = /(?<=[^\n])(?:\[ *\d+\.\d{6}\] [^\n]*\n)+/g

/** A whole console without the messages that broke into other lines; those on lines of their own stay. */
export function withoutInterruptions(console: string): string {
  return console.replace(INTERRUPTIONS, '')
}

/** The fact that a console line states, if it does. Kernel messages start with a bracket and never match. */
export function factIn(line: string): { key: string; value: string } | null {
  const match = /^([a-z][a-z0-9_.-]*)=(.*)$/.exec(line.trim().replace(INTERRUPTION, ''))
  return match === null ? null : { key: match[1] ?? '', value: match[2] ?? '' }
}
