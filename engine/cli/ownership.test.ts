import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readIndependently } from './independent-reading.ts'
import { haveQemu, kernelOf, lab, skipLoudly } from './oracle.ts'
import { sharingInitrd } from './sharing-guest.test-double.ts'

const APPEND = 'console=ttyAMA0 kvm-arm.mode=protected cryptomgr.notests'

interface Page {
  readonly host: string
  readonly hyp: string
  readonly owner: string | { readonly handle: number; readonly gfn: number }
  readonly borrowers?: readonly { readonly handle: number; readonly gfn: number }[]
}

interface Dump {
  readonly ramBase: number
  readonly unknown?: string
  readonly phase: string
  readonly taint: number
  readonly conflicts: readonly string[]
  readonly vms: readonly {
    handle: number
    protected: boolean
    state: string
    owned: number
    shared: number
    borrowed: number
    poisoned: number
    vcpus: { loaded: boolean }[]
  }[]
  readonly pages: readonly Page[]
}

const directory = mkdtempSync(join(tmpdir(), 'pkvm-lab-ownership-'))
const initrd = join(directory, 'initrd.cpio')
/** The same, where the host takes a page back by force. */
const forcingInitrd = join(directory, 'forcing-initrd.cpio')
afterAll(() => rmSync(directory, { recursive: true, force: true }))

beforeAll(() => {
  writeFileSync(initrd, sharingInitrd(false))
  writeFileSync(forcingInitrd, sharingInitrd(true))
})

async function dumpAt(
  kernel: string,
  ram: number,
  until: string,
  append = APPEND,
  initialDisk = initrd,
): Promise<{ dump: Dump; ram: Uint8Array; console: string }> {
  const json = join(directory, 'ownership.json')
  const raw = join(directory, 'ram.bin')
  const run = await lab(
    'run',
    '-kernel',
    kernel,
    '-initrd',
    initialDisk,
    '-m',
    String(ram),
    '-append',
    append,
    '-until',
    until,
    '-dump-ownership',
    json,
    '-dump-ram',
    raw,
  )
  expect(run.stderr).toBe('')
  expect(run.status).toBe(0)
  const result = {
    dump: JSON.parse(readFileSync(json, 'utf8')) as Dump,
    ram: new Uint8Array(readFileSync(raw)),
    console: run.stdout,
  }
  rmSync(json)
  rmSync(raw)
  return result
}

function ownerText(owner: Page['owner']): string {
  return typeof owner === 'string' ? owner : `vm ${owner.handle} gfn ${owner.gfn}`
}

/** The pages on which the two readings differ, at most a few of them in words. */
function differences(dump: Dump, ram: Uint8Array, console: string): string[] {
  const other = readIndependently(ram, console)
  expect(dump.pages.length).toBe(other.length)
  const found: string[] = []
  for (const [i, p] of dump.pages.entries()) {
    const mine = `${p.host}/${p.hyp} ${ownerText(p.owner)}`
    const theirs = `${other[i]!.host}/${other[i]!.hyp} ${other[i]!.owner}`
    if (mine !== theirs) found.push(`${(dump.ramBase + i * 4096).toString(16)}: ${mine}, independently ${theirs}`)
  }
  return found.length > 20 ? [...found.slice(0, 20), `and ${found.length - 20} more`] : found
}

/** Lengths of the runs of pages that are the hypervisor's alone, in order. */
function hypRuns(pages: readonly { readonly owner: unknown }[]): number[] {
  const runs: number[] = []
  let length = 0
  for (const p of [...pages, undefined]) {
    if (p?.owner === 'hyp') length++
    else if (length > 0) {
      runs.push(length)
      length = 0
    }
  }
  return runs
}

/** How the ten digits stand in the table of tokens. */
const DIGIT_TOKENS = Buffer.from('0123456789'.replace(/./g, '$&\x00'), 'latin1')

function zeroAll(image: Buffer, pattern: Buffer): void {
  let found = 0
  for (let at = image.indexOf(pattern); at >= 0; at = image.indexOf(pattern, at)) {
    image.fill(0, at, at + pattern.length)
    found++
  }
  expect(found).toBeGreaterThan(0)
}

/** Boot QEMU's machine with the same initrd; its RAM when the guest has powered off. */
async function qemuAtPowerOff(kernel: string): Promise<{ ram: Uint8Array; console: string }> {
  const socket = join(directory, 'qmp')
  const raw = join(directory, 'qemu-ram.bin')
  const child = spawn('qemu-system-aarch64', [
    ...[
      '-M',
      'virt,virtualization=on,gic-version=3',
      '-cpu',
      'cortex-a53',
      '-m',
      '512',
      '-nic',
      'none',
      '-no-shutdown',
    ],
    ...['-display', 'none', '-serial', 'stdio', '-qmp', `unix:${socket},server=on,wait=off`],
    ...['-kernel', kernel, '-initrd', initrd, '-append', APPEND],
  ])
  let console = ''
  await new Promise<void>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', () => reject(new Error('QEMU ended early')))
    child.stdout.on('data', (d: Buffer) => {
      console += d.toString('latin1')
      if (console.includes('reboot: Power down')) resolve()
    })
  })
  const monitor = connect(socket)
  const say = (execute: string, args?: object) => monitor.write(`${JSON.stringify({ execute, arguments: args })}\n`)
  // QEMU closes it without ceremony when told to quit.
  monitor.on('error', () => {})
  let heard = ''
  await new Promise<void>((resolve) => {
    monitor.on('data', (d: Buffer) => {
      heard += d.toString()
      if (/"return": \{\}[\s\S]*"return": \{\}/.test(heard)) resolve()
    })
    say('qmp_capabilities')
    say('pmemsave', { val: 0x40000000, size: 512 << 20, filename: raw })
  })
  child.removeAllListeners('close')
  say('quit')
  await new Promise((resolve) => child.on('close', resolve))
  monitor.destroy()
  const ram = new Uint8Array(readFileSync(raw))
  rmSync(raw)
  return { ram, console }
}

const POOL_MIB: Readonly<Record<number, number>> = { 128: 6, 512: 8, 1024: 12 }

for (const series of ['7.2', '7.3']) {
  const kernel = kernelOf(series)
  describe.skipIf(
    skipLoudly(kernel === undefined, `no ${series} kernel in .cache/kernels (npx pkvm-lab kernel fetch ${series})`),
  )(`Linux ${series}`, () => {
    for (const ram of [128, 512, 1024]) {
      it(`${ram} MB: agrees with an independent reading after boot, with a protected VM, after its end`, async () => {
        const boot = await dumpAt(kernel!, ram, '^kvm.api_version=')
        expect(differences(boot.dump, boot.ram, boot.console)).toEqual([])
        expect(boot.dump).toMatchObject({ ramBase: 0x40000000, phase: 'enforced', taint: 0, vms: [], conflicts: [] })
        // Hypervisor text, rodata, bss, one stack, per-CPU data of one CPU, pool.
        expect([...hypRuns(boot.dump.pages)].sort((a, b) => a - b)).toEqual([1, 2, 4, 8, 27, POOL_MIB[ram]! * 256])

        const alive = await dumpAt(kernel!, ram, '^vm.protected.host_read=')
        expect(differences(alive.dump, alive.ram, alive.console)).toEqual([])
        expect(alive.dump).toMatchObject({ taint: 64, conflicts: [] })
        const vm = alive.dump.vms[0]!
        expect(alive.dump.vms.length).toBe(1)
        expect(vm).toMatchObject({ protected: true, state: 'live', owned: 3, shared: 1, borrowed: 0 })
        const guest = alive.dump.pages.filter((p) => typeof p.owner !== 'string')
        const at = (gfn: number) => guest.find((p) => typeof p.owner !== 'string' && p.owner.gfn === gfn)
        for (const gfn of [0x40000, 0x40001, 0x40003])
          expect(at(gfn)).toMatchObject({ host: 'NOPAGE', hyp: 'NOPAGE', owner: { handle: vm.handle, gfn } })
        expect(at(0x40002)).toMatchObject({ host: 'SHARED_BORROWED', hyp: 'NOPAGE' })

        const after = await dumpAt(kernel!, ram, '^vm.protected.after_teardown.taint=')
        expect(differences(after.dump, after.ram, after.console)).toEqual([])
        expect(after.dump).toMatchObject({ taint: 64, vms: [], conflicts: [] })
        expect(hypRuns(after.dump.pages)).toEqual(hypRuns(boot.dump.pages))
      })
    }

    it.skipIf(skipLoudly(!haveQemu, 'no qemu-system-aarch64 to compare with (Debian: qemu-system-arm)'))(
      'after the probe the hypervisor owns as many pages as on QEMU',
      async () => {
        const ours = await dumpAt(kernel!, 512, '^probe=done')
        const theirs = await qemuAtPowerOff(kernel!)
        const pages = readIndependently(theirs.ram, theirs.console)
        const lengths = (runs: number[]) => runs.sort((a, b) => a - b)
        expect(lengths(hypRuns(ours.dump.pages))).toEqual(lengths(hypRuns(pages)))
        expect(pages.filter((p) => p.owner === 'unknown')).toEqual([])
      },
    )

    it("a page that the host takes back by force is the host's, and poisoned for its guest", async () => {
      const { dump, ram, console } = await dumpAt(kernel!, 512, '^vm.protected.host_read=', APPEND, forcingInitrd)
      expect(console).toMatch(/vm\.protected\.host_read=0x0/)
      expect(differences(dump, ram, console)).toEqual([])
      expect(dump.conflicts).toEqual([])
      expect(dump.vms[0]).toMatchObject({ protected: true, owned: 2, shared: 1, poisoned: 1 })
    })

    it('a normal VM borrows pages of the host', async () => {
      const { dump, ram, console } = await dumpAt(kernel!, 512, '^vm.normal.host_read=')
      expect(differences(dump, ram, console)).toEqual([])
      const vm = dump.vms[0]!
      expect(vm).toMatchObject({ protected: false, state: 'live', owned: 0, shared: 0, borrowed: 4 })
      const borrowed = dump.pages.filter((p) => p.borrowers !== undefined)
      expect(borrowed.length).toBe(4)
      for (const p of borrowed) expect(p).toMatchObject({ host: 'SHARED_OWNED', hyp: 'NOPAGE', owner: 'host' })
    })

    it.each([
      ['without its symbol table', (image: Buffer) => zeroAll(image, DIGIT_TOKENS), /kallsyms/],
      ['without its types', (image: Buffer) => zeroAll(image, Buffer.from([0x9f, 0xeb, 1, 0, 24, 0, 0, 0])), /BTF/],
    ])('a kernel %s boots all the same, and the map says what it lacks', async (_, strip, why) => {
      const image = readFileSync(kernel!)
      strip(image)
      const stripped = join(directory, 'Image')
      writeFileSync(stripped, image)
      const { dump } = await dumpAt(stripped, 128, '^vm.protected.host_read=SIGSEGV')
      expect(dump.unknown).toMatch(why)
      expect(dump.pages.every((p) => p.owner === 'unknown')).toBe(true)
    })

    it('without protected mode it says why nothing is known', async () => {
      const { dump } = await dumpAt(kernel!, 128, '^kvm.api_version=', APPEND.replace('protected', 'nvhe'))
      expect(dump.phase).toBe('off')
      expect(dump.unknown).toMatch(/protected mode is off/)
      expect(dump.pages.length).toBe(32768)
      expect(dump.pages.every((p) => p.owner === 'unknown' && p.host === 'UNKNOWN')).toBe(true)
    })
  })
}
