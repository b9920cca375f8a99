import { describe, expect, it } from 'vitest'
import type { SystemSources } from './build-protocol.ts'
import { machineFactory } from './machine-factory.ts'
import type { PageMessage, WorkerMessage } from './protocol.ts'
import { Session, type SessionHost } from './session.ts'

const SYSTEM = `
        .text
        b       start
        .long   0
        .quad   0, _end - _text, 0xa
        .quad   0, 0, 0
        .ascii  "ARM\\x64"
        .long   0
start:  mov     x1, #0x09000000
        .if     CONFIG_LOUD
        mov     w0, #'!'
        str     w0, [x1]
        .endif
        mov     w0, #'\\n'
        str     w0, [x1]
        ldr     x0, =0x84000008
        smc     #0
`

const system = (text = SYSTEM, loud = true): SystemSources => ({ sources: { 'mini-pkvm.s': text }, options: { CONFIG_LOUD: loud } })
const load = (image: SystemSources): PageMessage => ({
  type: 'load',
  image,
  initrd: null,
  settings: { append: '', ramMiB: 128, crypto: false },
  milestones: ['start'],
  hashAt: [],
})

/** A session with its messages, its turns taken when asked for. */
function session() {
  const messages: WorkerMessage[] = []
  const turns: (() => void)[] = []
  const host: SessionHost = {
    post: (message) => void messages.push(message as WorkerMessage),
    now: () => 0,
    soon: (callback) => void turns.push(callback),
    after: () => () => {},
  }
  const it = new Session(host, machineFactory)
  return {
    messages,
    receive: (message: PageMessage) => it.receive(message),
    run: () => {
      for (let turn = turns.shift(); turn !== undefined; turn = turns.shift()) turn()
    },
    console: () =>
      messages.flatMap((m) => (m.type === 'console' ? [new TextDecoder().decode(m.bytes)] : [])).join(''),
  }
}

describe('a system that is assembled for the machine', () => {
  it('boots as it was built, and is built and booted again', () => {
    const s = session()
    for (const loud of [true, false]) {
      s.receive(load(system(SYSTEM, loud)))
      s.receive({ type: 'boot' })
      s.run()
    }
    expect(s.console()).toBe('!\n\n')
    expect(s.messages.filter((m) => m.type === 'stopped')).toMatchObject([{ reason: 'off' }, { reason: 'off' }])
    expect(s.messages.flatMap((m) => (m.type === 'milestones' ? m.reached : []))).toMatchObject([{ symbol: 'start' }, { symbol: 'start' }])
  })

  it('does not disturb the machine that is there when it has errors', () => {
    const s = session()
    s.receive(load(system()))
    s.receive(load(system(SYSTEM.replace('smc     #0', 'smcc    #0'))))
    const failed = s.messages.find((m) => m.type === 'buildFailed')
    expect(failed).toMatchObject({
      message: "the system does not assemble: mini-pkvm.s:17: unknown instruction 'smcc'",
      diagnostics: [{ severity: 'error', file: 'mini-pkvm.s', line: 17, column: 9, within: [] }],
    })
    s.receive({ type: 'boot' })
    s.run()
    expect(s.console()).toBe('!\n')
  })
})

describe('questions about sources', () => {
  it('are answered without a machine', () => {
    const s = session()
    s.receive({ type: 'build', id: 7, system: system() })
    expect(s.messages).toMatchObject([{ type: 'built', id: 7, ok: true, diagnostics: [] }])
    s.receive({ type: 'build', id: 8, system: system(`${SYSTEM}.macro m\n.warning "old"\nnopp\n.endm\nm`) })
    expect(s.messages[1]).toMatchObject({
      ok: false,
      bytes: 0,
      diagnostics: [
        { severity: 'error', line: 20, within: [{ file: 'mini-pkvm.s', line: 22 }] },
        { severity: 'warning', message: 'old', line: 19 },
      ],
    })
  })

  it('show what an option does to the code, and not what merely moved', () => {
    const s = session()
    s.receive({ type: 'diffListing', id: 1, system: system(), before: { CONFIG_LOUD: false }, after: { CONFIG_LOUD: true } })
    const [answer] = s.messages
    if (answer?.type !== 'listingDiff' || !answer.ok) return expect.unreachable()
    expect(answer).toMatchObject({ added: 2, removed: 0 })
    expect(answer.hunks).toHaveLength(1)
    expect(answer.hunks[0]!.filter((r) => r.change === 'added').map((r) => r.text)).toEqual(["mov     w0, #'!'", 'str     w0, [x1]'])
    expect(answer.hunks[0]![0]).toMatchObject({ change: 'same', file: 'mini-pkvm.s' })
  })

  it('say where a system does not assemble when two builds are to be compared', () => {
    const s = session()
    s.receive({ type: 'diffListing', id: 1, system: system(), before: {}, after: { CONFIG_LOUD: true } })
    expect(s.messages[0]).toMatchObject({ ok: false, diagnostics: [{ message: "'CONFIG_LOUD' is not defined" }] })
  })
})
