import { describe, expect, it } from 'vitest'
import { LineReader } from './console-feed.ts'
import { factIn } from '../lessons/init/facts.ts'
import { taintOf } from './probe-facts.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

describe('console lines', () => {
  it('joins pieces, drops carriage returns and control sequences', () => {
    const reader = new LineReader()
    expect(reader.push(bytes('vm.normal.cre'))).toEqual([])
    expect(reader.push(bytes('ate=fd\r\n\x1b[32mgreen\x1b[0m\r\nrest'))).toEqual(['vm.normal.create=fd', 'green'])
    reader.clear()
    expect(reader.push(bytes('x\n'))).toEqual(['x'])
  })

  it('keeps a character that is cut between two pieces', () => {
    const reader = new LineReader()
    const [first, second] = [bytes('ä\n').slice(0, 1), bytes('ä\n').slice(1)]
    expect(reader.push(first)).toEqual([])
    expect(reader.push(second)).toEqual(['ä'])
  })
})

describe('facts of the probe', () => {
  it('reads key=value lines and nothing else', () => {
    expect(factIn('vm.protected.host_read=SIGSEGV(SEGV_ACCERR)')).toEqual({
      key: 'vm.protected.host_read',
      value: 'SIGSEGV(SEGV_ACCERR)',
    })
    expect(factIn('cmdline=a=b c')).toEqual({ key: 'cmdline', value: 'a=b c' })
    expect(factIn('[    0.1] Kernel command line: console=ttyAMA0')).toBeNull()
    expect(factIn('~ # echo x')).toBeNull()
  })

  it('names taint flags', () => {
    expect(taintOf('0')).toBe('0')
    expect(taintOf('64')).toBe('64 U')
    expect(taintOf('576')).toBe('576 UW')
  })
})
