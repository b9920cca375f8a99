/**
 * The host kernel of mini-pKVM: the lab's init program on it, in the lab and on QEMU, and the same script on it and on
 * Debian's kernel 7.2 with the same results.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { bootAgent } from '../../engine/cli/agent-machine.ts'
import { initSources } from '../../engine/cli/initrd-command.ts'
import { facts, haveQemu, kernelOf, projectRoot, qemu, skipLoudly } from '../../engine/cli/oracle.ts'
import { buildSystem } from '../../engine/machine/assembled-system.ts'
import { buildInitrd } from '../../engine/machine/init-program.ts'
import { Machine } from '../../engine/machine/machine.ts'
import { assembleGuest } from '../kvm/assemble-guest.ts'
import { runScript } from '../kvm/run-script.ts'
import { transpileScripts } from '../kvm/transpile.ts'
import { GUESTS, LEAKS, LIMITS, RANDOM, SCRIPT } from './host-script.test-double.ts'
import { configureSystem, type Wishes } from './system.ts'

const folder = join(projectRoot, 'lessons', 'mini-pkvm')
const files = Object.fromEntries(
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /(^|[\\/])(Kconfig|defconfig|[^.\\/]+\.s)$/.test(path))
    .map((path) => [path.replaceAll('\\', '/'), readFileSync(join(folder, path), 'utf8')]),
)
const sources = initSources(projectRoot)
const initrd = buildInitrd({ sources })

function build(wishes: Wishes = {}) {
  const built = buildSystem(configureSystem(files, wishes).system)
  expect(built.diagnostics).toEqual([])
  return built.image
}
const image = build()

/** Run until the machine is off, or waits for what never comes. */
function boot(append: string, kernel = image, ramMiB = 512): { console: string; instructions: number; kind: string } {
  let console = ''
  const machine = Machine.create({
    image: kernel,
    initrd,
    append,
    ramMiB,
    console: (bytes) => (console += Buffer.from(bytes).toString('latin1')),
  })
  let stop = machine.run(10_000_000)
  for (let skips = 0; stop.kind === 'idle' && stop.wakeAt !== Number.POSITIVE_INFINITY && skips < 100; skips++) {
    machine.skipIdle()
    stop = machine.run(10_000_000)
  }
  return { console, instructions: machine.instructions, kind: stop.kind }
}

const fact = (console: string, key: string) =>
  facts(console)
    .find((line) => line.startsWith(`${key}=`))
    ?.slice(key.length + 1)

describe('the init program on mini-pKVM', () => {
  it('makes, runs and ends a normal and a protected VM', () => {
    const { console, instructions, kind } = boot('console=ttyAMA0 kvm-arm.mode=protected')
    expect(kind).toBe('off')
    expect(console).toContain('kvm [1]: Protected nVHE mode initialized successfully')
    expect(console.match(/tainting kernel/g)).toHaveLength(1)
    const expected = `taint=0 kvm.open=fd kvm.api_version=12
        vm.normal.type=0x0 vm.normal.create=fd vm.normal.taint=0 vm.normal.memory_region=0 vm.normal.vcpu=fd
        vm.normal.preferred_target=0 vm.normal.vcpu_init=0 vm.normal.set_pc=0 vm.normal.run=0
        vm.normal.exit=KVM_EXIT_MMIO
        vm.normal.mmio.address=0x10000000 vm.normal.mmio.write=1 vm.normal.mmio.length=4 vm.normal.mmio.data=0x600d600d
        vm.normal.host_read=0x600d600d vm.normal.host_write_syscall=4 vm.normal.close=0
        vm.normal.after_teardown=0x600d600d vm.normal.after_teardown.taint=0
        vm.protected.type=0x80000000 vm.protected.create=fd vm.protected.taint=64 vm.protected.memory_region=0
        vm.protected.vcpu=fd vm.protected.preferred_target=0 vm.protected.vcpu_init=0 vm.protected.set_pc=0
        vm.protected.run=0 vm.protected.exit=KVM_EXIT_MMIO
        vm.protected.mmio.address=0x10000000 vm.protected.mmio.write=1 vm.protected.mmio.length=4
        vm.protected.mmio.data=0x600d600d
        vm.protected.host_read=SIGSEGV(SEGV_ACCERR) vm.protected.host_read.fault=guest_ram+0x1000
        vm.protected.host_write_syscall=EFAULT vm.protected.close=0
        vm.protected.after_teardown=0x0 vm.protected.after_teardown.taint=64
        vm.again.create=fd vm.again.taint=64 probe=done`
    expect(facts(console).slice(2)).toEqual(expected.split(/\s+/))
    expect(instructions).toBeLessThan(400_000)
  })

  // The truth table: the option and the mode decide.
  it.each([
    ['protected', 'y', 'fd', '64'],
    ['protected', 'n', 'EINVAL', '0'],
    ['nvhe', 'y', 'EINVAL', '0'],
    ['nvhe', 'n', 'EINVAL', '0'],
    ['', 'y', 'EINVAL', '0'],
    ['nested', 'y', 'EINVAL', '512'],
    ['nonsense', 'y', 'EINVAL', '0'],
  ] as const)('kvm-arm.mode=%s, PROTECTED_VM_UAPI=%s: %s, taint %s', (mode, uapi, create, taint) => {
    const kernel = uapi === 'y' ? image : build({ PROTECTED_VM_UAPI: 'n' })
    const { console } = boot(mode === '' ? '' : `kvm-arm.mode=${mode}`, kernel)
    expect(fact(console, 'vm.normal.create')).toBe('fd')
    expect(fact(console, 'vm.protected.create')).toBe(create)
    expect(fact(console, 'vm.protected.taint')).toBe(taint)
    expect(console.includes('tainting kernel')).toBe(create === 'fd')
  })

  it('has no /dev/kvm with kvm-arm.mode=none, nor without CONFIG_KVM', () => {
    expect(fact(boot('kvm-arm.mode=none').console, 'kvm.open')).toBe('ENOENT')
    expect(fact(boot('kvm-arm.mode=protected', build({ KVM: 'n' })).console, 'kvm.open')).toBe('ENOENT')
  })

  it.each([128, 192, 1024, 2048])('runs with %i MiB', (ramMiB) => {
    expect(fact(boot('kvm-arm.mode=protected', image, ramMiB).console, 'vm.protected.after_teardown')).toBe('0x0')
  })

  it('is ready for requests within 300,000 instructions', () => {
    const { console, instructions, kind } = boot('kvm-arm.mode=protected lab.init=agent')
    expect(console).toContain('agent=ready')
    // Then it sleeps until a request comes.
    expect(kind).toBe('idle')
    expect(instructions).toBeLessThan(300_000)
  })

  it('says what is missing without an initrd', () => {
    let console = ''
    const machine = Machine.create({
      image,
      append: '',
      ramMiB: 128,
      console: (bytes) => (console += Buffer.from(bytes).toString('latin1')),
    })
    expect(machine.run(10_000_000).kind).toBe('idle')
    expect(console).toContain('Kernel panic - not syncing: No working init found')
  })
})

describe.skipIf(skipLoudly(!haveQemu, 'no QEMU'))('mini-pKVM on QEMU', () => {
  const directory = mkdtempSync(join(tmpdir(), 'mini-'))
  afterAll(() => rmSync(directory, { recursive: true }))
  it.each(['kvm-arm.mode=protected', 'kvm-arm.mode=nvhe', 'kvm-arm.mode=none', 'kvm-arm.mode=nested'])(
    'prints the same, byte for byte: %s',
    async (append) => {
      const paths = [join(directory, 'Image'), join(directory, 'initrd')] as const
      writeFileSync(paths[0], image)
      writeFileSync(paths[1], initrd)
      const run = await qemu(...paths, append)
      expect(run.stdout).toBe(boot(append).console)
    },
  )
})

/** What the script prints on a kernel. */
async function scriptOn(kernel: Uint8Array, script = SCRIPT): Promise<string[]> {
  const declarations = readFileSync(join(projectRoot, 'lessons', 'kvm', 'lab.d.ts'), 'utf8')
  const compiled = transpileScripts({ 'main.ts': script }, declarations)
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.diagnostics))
  const guests = Object.fromEntries(
    Object.keys(GUESTS).map((file) => {
      const guest = assembleGuest(file, GUESTS)
      if (!guest.ok) throw new Error(JSON.stringify(guest.diagnostics))
      return [file, guest.program]
    }),
  )
  const append = 'kvm-arm.mode=protected cryptomgr.notests quiet'
  let console = ''
  const { lab, agent } = await bootAgent({
    image: kernel,
    sources,
    append,
    console: (bytes) => (console += Buffer.from(bytes).toString('latin1')),
  })
  const lines: string[] = []
  const { ending } = await runScript(
    { entry: 'main.ts', modules: compiled.modules, guests },
    { port: agent, onPrint: (line) => lines.push(line) },
  )
  lab.close()
  expect(console).not.toContain('panic')
  return [...lines, JSON.stringify(ending)]
}

describe('a VMM on mini-pKVM', () => {
  it('has room for 255 VMs, and gets back their handles', async () => {
    const end = '255 VMs, then ENOMEM'
    expect(await scriptOn(image, LIMITS)).toEqual([end, end, '{"kind":"finished"}'])
  })

  it('loses no memory', async () => {
    const lines = ['nothing is lost', 'locked 0', 'one message', '{"kind":"finished"}']
    expect(await scriptOn(image, LEAKS)).toEqual(lines)
  })

  it('survives random system calls', async () => {
    expect(await scriptOn(image, RANDOM)).toEqual(['done', '{"kind":"finished"}'])
  })
})

const debian = kernelOf('7.2')
describe.skipIf(skipLoudly(debian === undefined, 'no kernel 7.2'))('the same script', () => {
  it('gives the same results, errnos and taint as on Debian 7.2', async () => {
    const mini = await scriptOn(image)
    expect(mini.at(-1)).toBe('{"kind":"finished"}')
    const real = await scriptOn(readFileSync(debian!))
    expect(mini).toEqual(real)
  })
})
