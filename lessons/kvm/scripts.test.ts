/** Scripts on Debian's kernels: the example, and what scripts and guests can do wrong. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bootAgent } from '../../engine/cli/agent-machine.ts'
import { initSources } from '../../engine/cli/initrd-command.ts'
import { assembleGuest } from './assemble-guest.ts'
import type { Answer } from './lab.d.ts'
import { runScript, type ScriptEnding } from './run-script.ts'
import type { TraceEntry } from './trace.ts'
import { transpileScripts } from './transpile.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const here = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
const DECLARATIONS = here('lab.d.ts')
const KERNELS = join(ROOT, '.cache', 'kernels')
const versions: string[] = existsSync(join(KERNELS, 'index.json'))
  ? (JSON.parse(readFileSync(join(KERNELS, 'index.json'), 'utf8')) as { version: string }[]).map(({ version }) => version)
  : []

type Machine = Awaited<ReturnType<typeof bootAgent>>

interface Ran {
  ending: ScriptEnding
  prints: string[]
  answers: Record<string, Answer>
  trace: TraceEntry[]
}

async function run(machine: Machine, files: Record<string, string>): Promise<Ran> {
  const scripts = Object.fromEntries(Object.entries(files).filter(([file]) => file.endsWith('.ts')))
  const compiled = transpileScripts(scripts, DECLARATIONS)
  if (!compiled.ok) throw new Error(compiled.diagnostics.map(({ line, message }) => `${line}: ${message}`).join('\n'))
  const guests = Object.fromEntries(
    Object.keys(files).filter(file => file.endsWith('.s')).map(file => {
      const assembled = assembleGuest(file, files)
      if (!assembled.ok) throw new Error(assembled.diagnostics.map(({ message }) => message).join('\n'))
      return [file, assembled.program]
    }),
  )
  const prints: string[] = []
  const trace: TraceEntry[] = []
  const outcome = await runScript(
    { entry: 'main.ts', modules: compiled.modules, guests },
    { port: machine.agent, onPrint: line => prints.push(line), onTrace: entry => trace.push(entry) },
  )
  return { ...outcome, prints, trace }
}

const script = (text: string) => `import { attempt, guest, host, kvm, mem, print, proc, syscall } from 'lab'\nvoid [attempt, guest, host, kvm, mem, print, proc, syscall]\n${text}`
/** A VM with a page of RAM that holds one guest. */
const MACHINE = `const dev = await kvm.open()
const vm = await dev.createVm({ protected: true })
const ram = await vm.addMemory({ guestAddress: 0x40000000n, bytes: 0x4000 })
const vcpu = await vm.createVcpu()
`

describe.skipIf(versions.length === 0).each(versions)('Linux %s', version => {
  let machine: Machine
  beforeAll(async () => {
    const image = readFileSync(join(KERNELS, version, 'Image'))
    machine = await bootAgent({ sources: initSources(ROOT), image, append: 'kvm-arm.mode=protected cryptomgr.notests', ramMiB: 256 })
  })
  afterAll(() => machine?.lab.close())

  test('the example: the host reads the shared page and no other', async () => {
    const { ending, answers, trace } = await run(machine, { 'main.ts': here('example/main.ts'), 'guest.s': here('example/guest.s') })
    expect(ending).toEqual({ kind: 'finished' })
    expect(answers['readable']).toEqual([0x4000_2000n])
    expect(answers['message']).toBe('Hello, host. This page is for both of us.')
    const created = trace.find(entry => entry.text === 'dev.createVm({ protected: true })' && entry.state === 'done')
    expect(created?.place).toEqual({ file: 'main.ts', line: 8 })
    expect(created?.after).toBeGreaterThan(created?.before ?? Number.POSITIVE_INFINITY)
    const call = trace.find(entry => entry.parent === created?.id && entry.state === 'done')
    expect(call?.text).toMatch(/^ioctl\(\d+, KVM_CREATE_VM, 0x80000000\)$/)
  })

  test('the host peeks in three ways', async () => {
    const { ending, answers, prints } = await run(machine, {
      'main.ts': `import { answer, attempt, guest, kvm, mem, print } from 'lab'
${MACHINE}await ram.load(guest('guest.s'))
await vcpu.set('pc', 0x40000000n)
await vcpu.run()
const page = ram.hostAddress(0x40001000n)
const load = await attempt(mem.read32(page))
answer('load', load.error?.code ?? 'read')
const kernel = await attempt(mem.readByKernel(page, 16))
answer('kernel', kernel.error?.code ?? 'read')
answer('proc', await mem.readByProcMem(page, 4))
const exit = await vcpu.run()
print(exit)
answer('exit', exit.reason)
await vm.close()
`,
      'guest.s': `        ldr     x0, =0x40001000
        ldr     w1, =0x600d600d
        str     w1, [x0]
        ldr     x2, =0x10000000
        str     w1, [x2]
        ldr     w1, [x0]
        b       .
`,
    })
    expect(ending, prints.join('\n')).toEqual({ kind: 'finished' })
    expect(answers).toEqual({ load: 'SEGV_ACCERR', kernel: 'EFAULT', proc: new Uint8Array(4), exit: 'memory-fault' })
  })

  test('registers, MMIO reads, values set by the host', async () => {
    const { ending, prints } = await run(machine, {
      'main.ts': script(`${MACHINE}await ram.load(guest('guest.s'))
await vcpu.set('pc', 0x40000000n)
await vcpu.set('x5', -1)
const exit = await vcpu.run()
if (exit.reason !== 'mmio' || exit.isWrite) throw new Error(exit.reason)
print(exit.address, exit.length, (await vcpu.registers()).x5)
await exit.answer(0x1234)
const next = await vcpu.run()
if (next.reason === 'mmio' && next.isWrite) print(next.value)
print((await vcpu.registerIds()).length > 50, await vcpu.get('vbar_el1') >= 0n)
await vm.close()`),
      'guest.s': '        ldr     x1, =0x10000000\n        ldr     w2, [x1]\n        add     w2, w2, #1\n        str     w2, [x1]\n        b       .\n',
    })
    expect(ending).toEqual({ kind: 'finished' })
    expect(prints).toEqual(['0x10000000 4 0xffffffffffffffff', '0x1235', 'true true'])
  })

  test('guests that go wrong end in an exit', async () => {
    const { ending, prints } = await run(machine, {
      'main.ts': script(`${MACHINE}await ram.load(guest('endless.s'))
await vcpu.set('pc', 0x40000000n)
print((await vcpu.run({ limitMs: 30 })).reason)
// Past the end of its RAM, where nothing is.
await vcpu.set('pc', 0x50000000n)
const beyond = await attempt(vcpu.run({ limitMs: 30 }))
print(beyond.ok ? beyond.value.reason : beyond.error.name)
const large = await vm.addMemory({ guestAddress: 0x60000000n, bytes: 0x1000 })
await large.load(guest('large.s').bytes, 0x60000000n).catch(error => print(error.name, error.message))
await vm.close()
await vcpu.run()`),
      'endless.s': '        b       .\n',
      'large.s': '        .space  8192\n',
    })
    expect(prints[0]).toBe('interrupted')
    expect(prints[1]).toMatch(/^(interrupted|KernelError|mmio|memory-fault)$/)
    expect(prints[2]).toBe('RangeError ram.load: These bytes, 8192 bytes at 0x60000000, does not fit slot 1, which is guest address 0x60000000 to 0x60000fff.')
    expect(ending).toMatchObject({ kind: 'threw', error: { name: 'ClosedError', code: 'closed' }, place: { file: 'main.ts' } })
  })

  test('scripts that go wrong say so once, with their line', async () => {
    const thrown = await run(machine, { 'main.ts': "import { print } from 'lab'\ntype Gone = string\nprint('a')\nfunction deep(): Gone { throw new Error('enough') }\ndeep()\n" })
    expect(thrown.ending).toMatchObject({ kind: 'threw', error: { message: 'enough' }, place: { file: 'main.ts', line: 4 } })
    const types = await run(machine, { 'main.ts': script('await (kvm as any).open(1)\nawait mem.read(5 as any, 5)') })
    expect(types.ending).toMatchObject({ kind: 'threw', error: { name: 'TypeError' }, place: { line: 4 } })
    const closed = await run(machine, {
      'main.ts': script(`${MACHINE}await syscall('close', vcpu.fd)
const ran = await attempt(vcpu.run())
print(ran.error?.code, (ran.error as any)?.call)
await vm.close()`),
    })
    expect(closed.ending).toEqual({ kind: 'finished' })
    expect(closed.prints[0]).toMatch(/^EBADF ioctl\(\d+, KVM_RUN, 0\)$/)
    const refused = await run(machine, { 'main.ts': script("await syscall(93, 0)") })
    expect(refused.ending).toMatchObject({ kind: 'threw', error: { name: 'RefusedError' } })
    const modules = await run(machine, { 'main.ts': "import { twice } from './other'\nimport { print } from 'lab'\nprint(twice(21))\n", 'other.ts': 'await Promise.resolve()\nexport const twice = (n: number) => 2 * n\n' })
    expect(modules.prints).toEqual(['42'])
  })

  test('errnos are explained for this machine; the host tells about itself', async () => {
    const { ending, prints } = await run(machine, {
      'main.ts': script(`const dev = await kvm.open()
const odd = await attempt(dev.createVm({ type: 0x100n }))
print(odd.error?.code, odd.error?.explanation)
const vm = await dev.createVm()
const vcpu = await vm.createVcpu({ init: false })
print((await attempt(vcpu.run())).error?.code)
print((await attempt(vm.createVcpu({ id: 0 }))).error?.code)
await vm.close()
print((await attempt(proc.read('/proc/nothing'))).error?.code)
print((await host.kernelRelease()), (await host.commandLine()).includes('kvm-arm.mode=protected'))
const before = await host.getRlimit('memlock')
await host.setRlimit('memlock', { current: 65536 })
print((await host.getRlimit('memlock')).current, before.current > 0)
print((await host.memory()).MemTotal > 1e8, (await proc.list('/dev')).includes('kvm'), (await host.messages()).length > 50)
const mapping = await mem.map(8192)
await mem.write64(mapping.address, 0x1122334455667788n)
await mem.writeByKernel(mapping.address + 8n, new Uint8Array([1, 2]))
print(await mem.readByKernel(mapping.address, 10), (await mem.physical(mapping.address)) !== null)
await mapping.unmap()
print((await attempt(mem.read(mapping.address, 4))).error?.code)
await using child = await host.fork()
print((await child.syscall('getpid')) !== BigInt(host.pid), await child.end())
print((await attempt(child.syscall('getpid'))).error?.code)`),
    })
    expect(ending, prints.join('\n')).toEqual({ kind: 'finished' })
    expect(prints).toEqual([
      'EINVAL The type has bits that arm64 does not know (0x100). Only bit 31 (protected) and bits 7:0 (IPA size) mean something.',
      'ENOEXEC',
      'EEXIST',
      'ENOENT',
      `${version} true`,
      '65536 true',
      'true true true',
      '88 77 66 55 44 33 22 11 01 02 true',
      'SEGV_MAPERR',
      'true 0',
      'process-gone',
    ])
  })

  test('a call after the reset says so', async () => {
    const running = run(machine, { 'main.ts': script('await host.sleep(1)\nprint("slept")\nfor (;;) await host.sleep(1)') })
    await machine.lab.next('agentAnswer')
    machine.lab.close()
    const { ending } = await running
    expect(ending).toMatchObject({ kind: 'threw', error: { name: 'ClosedError', code: 'machine-gone' } })
    expect(ending.kind === 'threw' && ending.error.message).toContain('The machine was reset.')
  })
})
