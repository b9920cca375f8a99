import { expect, it } from 'vitest'
import { factIn, withoutInterruptions } from './facts.ts'

it('the kernel may break into a line anywhere', () => {
  const line = 'version=Linux version 7.2\r\n'
  const message = '[    0.362356] Checked W+X mappings: passed, no W+X pages found\r\n'
  for (let at = 0; at <= line.length; at++) {
    for (const messages of [message, message + message]) {
      const console = `${message}${line.slice(0, at)}${messages}${line.slice(at)}probe=done\r\n`
      const facts = withoutInterruptions(console).split('\n').flatMap(text => factIn(text) ?? [])
      expect(facts).toEqual([{ key: 'version', value: 'Linux version 7.2' }, { key: 'probe', value: 'done' }])
    }
  }
})
