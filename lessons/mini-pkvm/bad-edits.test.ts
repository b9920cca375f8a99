/**
 * Edits that go wrong, through the session that the page talks to: each is answered with something that helps, the machine that was there
 * stays where it can, and pause and reset are answered whatever the edited system does.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { initSources } from '../../engine/cli/initrd-command.ts'
import { projectRoot } from '../../engine/cli/oracle.ts'
import { buildInitProgram } from '../../engine/machine/init-program.ts'
import { type LabMessage, LocalLab } from '../../engine/worker/local-lab.ts'
import { configureSystem, type SystemFiles } from './system.ts'

const folder = join(projectRoot, 'lessons', 'mini-pkvm')
const files: SystemFiles = Object.fromEntries(
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /(^|[\\/])(Kconfig|defconfig|[^.\\/]+\.s)$/.test(path))
    .map((path) => [path.replaceAll('\\', '/'), readFileSync(join(folder, path), 'utf8')]),
)
const initrd = { program: buildInitProgram(initSources(projectRoot)), busybox: null }

const edited = (path: string, from: string, to: string): SystemFiles => {
  expect(files[path]?.split(from).length).toBe(2)
  return { ...files, [path]: files[path]!.replace(from, () => to) }
}

/** A lab with everything that it said. */
class Page {
  readonly lab = new LocalLab((callback) => void setImmediate(callback))
  readonly messages: LabMessage[] = []
  console = ''
  constructor() {
    const decoder = new TextDecoder()
    this.lab.subscribe((message) => {
      if (message.type === 'console') this.console += decoder.decode(message.bytes)
      else this.messages.push(message)
    })
  }
  load(system: SystemFiles, append = 'kvm-arm.mode=protected'): void {
    const settings = { append: `console=ttyAMA0 lab.init=agent ${append}`, ramMiB: 128, crypto: true }
    this.lab.post({ type: 'load', image: configureSystem(system).system, initrd, settings, milestones: [], hashAt: [] })
  }
  boot(): void {
    this.lab.post({ type: 'boot' })
  }
  /** Until one of these is said, or the machine has run so many instructions. */
  until(types: readonly LabMessage['type'][], instructions = 5_000_000): Promise<LabMessage> {
    return new Promise((resolve) => {
      const stop = this.lab.subscribe((message) => {
        const far = message.type === 'status' && message.instructions > instructions
        if (!types.includes(message.type) && !far) return
        stop()
        resolve(message)
      })
    })
  }
}

/** Load, boot, and wait for the end or for so many instructions. */
async function tried(system: SystemFiles): Promise<{ page: Page; message: LabMessage }> {
  const page = new Page()
  page.load(system)
  page.boot()
  const message = await page.until(['stopped', 'buildFailed', 'error'], 2_000_000)
  return { page, message }
}

/** Whatever runs there: a pause, a question, a resume and a reset are answered, and the system as it was boots then. */
async function answers({ lab, messages }: Page): Promise<void> {
  lab.post({ type: 'pause' })
  expect(messages.findLast((m) => m.type === 'status')).toMatchObject({ state: 'paused' })
  const facts = lab.next('facts')
  lab.post({ type: 'subscribeFacts', hertz: 1 })
  await facts
  lab.post({ type: 'resume' })
  expect(messages.findLast((m) => m.type === 'status')).toMatchObject({ state: 'running' })
  lab.post({ type: 'reset' })
  expect(messages.findLast((m) => m.type === 'status')).toMatchObject({ state: 'empty' })
}

async function bootsUnbroken(page: Page): Promise<void> {
  const ready = page.lab.next('agentState', (m) => m.ready)
  page.load(files)
  page.boot()
  await ready
}

describe('assembly that does not assemble', () => {
  const hyp = 'hyp/vm.s'
  const label = '__pkvm_reserve_vm:\n'
  const line = (files[hyp] ?? '').slice(0, (files[hyp] ?? '').indexOf(label)).split('\n').length + 1
  const add = (text: string) => edited(hyp, label, `${label}        ${text}\n`)
  it.each([
    ['an instruction that does not exist', add('movv    x0, x1'), "unknown instruction 'movv'", line],
    ['a register that does not exist', add('mov     x0, x31'), 'x31', line],
    ['a name that nobody defines', add('bl      hyp_spin_lokc'), 'hyp_spin_lokc', line],
    ['a label that is there twice', add(label.trim()), 'defined', line],
    ['a value that does not fit', add('add     x0, x0, #0x12345'), '', line],
    ['a condition without its end', add('.if     CONFIG_KVM'), '', undefined],
    ['an option that there is not', add('.if     CONFIG_KVN\n        .endif'), 'CONFIG_KVN', line],
    ['a macro that calls itself', add('.macro  again\n        again\n        .endm\n        again'), '', undefined],
    ['a table out of order', add('.org    0'), '', undefined],
  ])('%s: the place is told, and the machine runs on', async (_, system, words, at) => {
    const page = new Page()
    await bootsUnbroken(page)
    page.load(system)
    const failed = page.messages.find((m) => m.type === 'buildFailed')
    if (failed?.type !== 'buildFailed') return expect.unreachable('it assembles')
    const [first] = failed.diagnostics
    expect(first).toMatchObject({ severity: 'error', message: expect.stringContaining(words), file: expect.stringMatching(/\.s$/) })
    if (at !== undefined) expect([first?.file, first?.line]).toEqual([hyp, at])
    expect(failed.message).toContain('does not assemble')
    expect(failed.hint).toContain('The machine that was there stays')
    // The machine is the one from before: its agent still answers.
    page.lab.post({ type: 'pause' })
    expect(page.messages.findLast((m) => m.type === 'status')).toMatchObject({ state: 'paused', instructions: expect.any(Number) })
    expect(page.messages.filter((m) => m.type === 'stopped')).toEqual([])
    page.lab.close()
  })
})

describe('sources deleted or renamed', () => {
  const without = (path: string): SystemFiles => Object.fromEntries(Object.entries(files).filter(([name]) => name !== path))
  it.each([
    ['deleted', without('hyp/tlb.s'), /hyp\/hyp\.s:\d+: there is no file 'hyp\/tlb\.s': it was deleted or renamed; reset it, or correct the name/],
    ['moved', { ...without('hyp/tlb.s'), 'host/tlb.s': files['hyp/tlb.s']! }, /there is no file 'hyp\/tlb\.s'; there is host\/tlb\.s: it was deleted or renamed/],
    ['the first one deleted', without('mini-pkvm.s'), /there is no file 'mini-pkvm\.s'/],
    ['emptied', { ...files, 'mini-pkvm.s': '' }, /0 bytes; the header of an Image alone has 64/],
    ['one emptied that others need', { ...files, 'hyp/tlb.s': '' }, /hyp\/pgtable\.s:\d+: 'host_vttbr' is not defined/],
  ])('%s: one sentence says which', (_, system, words) => {
    const page = new Page()
    page.load(system)
    const failed = page.messages.find((m) => m.type === 'buildFailed')
    expect(failed).toMatchObject({ message: expect.stringMatching(words) })
    page.lab.close()
  })

  it('a Kconfig that is gone or wrong is told before anything is built', () => {
    expect(() => configureSystem(without('Kconfig'))).toThrow(/Kconfig/)
    expect(() => configureSystem({ ...files, Kconfig: 'config\n' })).toThrow(/config/)
  })
})

describe('code that loops for ever', () => {
  it.each([
    ['at EL2, from the first instruction', edited('hyp/boot.s', 'primary_entry:\n', 'primary_entry:\n        b       .\n'), 2],
    ['at EL2, in a hypercall', edited('hyp/setup.s', '__pkvm_init:\n', '__pkvm_init:\n        b       .\n'), 2],
    ['at EL2, waiting for a lock that is never free', edited('hyp/lock.s', '        stlr    wzr, [x16]\n', '        stlr    w16, [x16]\n'), 2],
    ['at EL1', edited('host/start-kernel.s', '        bl      pages_init\n', '        b       .\n'), 1],
  ])('%s: pause and reset are answered', async (_, system, el) => {
    const { page, message } = await tried(system)
    expect(message).toMatchObject({ type: 'status', state: 'running', exceptionLevel: el })
    await answers(page)
    await bootsUnbroken(page)
    page.lab.close()
  })

  it('at EL2: a call by hand is refused with a sentence', async () => {
    const { page } = await tried(edited('hyp/boot.s', 'primary_entry:\n', 'primary_entry:\n        b       .\n'))
    const done = page.lab.next('hostCallDone')
    page.lab.post({ type: 'hostCall', id: 1, call: 'host_share_hyp', args: ['0x48000'] })
    expect(await done).toMatchObject({ ok: false, message: expect.stringMatching(/\.$/) })
    page.lab.close()
  })
})

describe('an exception that the hypervisor has no answer for', () => {
  it.each([
    ['a stack overflow', edited('hyp/page-state.s', 'hyp_phys_to_page:\n', 'hyp_phys_to_page:\n        frame   0\n        bl      hyp_phys_to_page\n'), 'HYP panic: stack overflow at EL2'],
    ['a load from nowhere', edited('hyp/page-state.s', 'hyp_phys_to_page:\n', 'hyp_phys_to_page:\n        mov     x1, #0x1230\n        ldr     x1, [x1]\n'), 'HYP panic: exception at EL2'],
    ['a place that cannot be reached', edited('hyp/page-state.s', 'hyp_phys_to_page:\n', 'hyp_phys_to_page:\n        bl      hyp_bug\n'), 'HYP panic: BUG'],
  ])('%s: a line on the console says so, and the machine is off', async (_, system, words) => {
    const { page, message } = await tried(system)
    expect(message).toMatchObject({ type: 'stopped', reason: 'off' })
    expect(page.console).toContain(words)
    expect(page.console).toMatch(/ELR_EL2 0x[0-9a-f]{16} \(in the listing 0x[0-9a-f]{16}\)/)
    await bootsUnbroken(page)
    page.lab.close()
  })
})

describe('a wrong vector table', () => {
  const before = '        msr     vbar_el2, x1\n'
  it.each([
    ['VBAR_EL2 is 0', edited('hyp/boot.s', before, before.replace('x1', 'xzr')), /^EL2 takes an exception for ever: VBAR_EL2 is 0x0, and no instruction can be fetched/],
    ['VBAR_EL2 leads to a device', edited('hyp/boot.s', before, `        mov     x1, #0x09000000\n${before}`), /VBAR_EL2 is 0x9000000, and /],
    ['VBAR_EL2 leads to RAM with nothing in it', edited('hyp/boot.s', before, `        mov     x1, #0x46000000\n${before}`), /VBAR_EL2 is 0x46000000, and there is no instruction where/],
    ['VBAR_EL2 leads out of EL2\'s own map', edited('hyp/setup.s', '        msr     vbar_el2, x0\n', '        mov     x0, #0x7000000000\n        msr     vbar_el2, x0\n'), /VBAR_EL2 is 0x7000000000/],
    ['VBAR_EL1 is 0', edited('host/head.s', '        msr     vbar_el1, x1\n', '        msr     vbar_el1, xzr\n'), /^EL1 takes an exception for ever: VBAR_EL1 is 0x0/],
  ])('%s: the machine stops and says why', async (_, system, words) => {
    const { page, message } = await tried(system)
    expect(message).toMatchObject({ type: 'stopped', reason: 'fault', message: expect.stringMatching(words) })
    await bootsUnbroken(page)
    page.lab.close()
  })
})
