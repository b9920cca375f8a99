import type { Fact } from './store.ts'

/** The fact a console line states as `key=value`, if it does. Kernel messages start with a bracket and never match. */
export function factOf(line: string): Fact | null {
  const match = /^([a-z][a-z0-9_.-]*)=(.*)$/.exec(line.trimEnd())
  return match === null ? null : { key: match[1] ?? '', value: match[2] ?? '' }
}
