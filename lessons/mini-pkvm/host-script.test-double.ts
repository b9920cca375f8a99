/** A script and its guests: run on Debian's kernel and on mini-pKVM, every line that it prints must be the same. */

export const GUESTS: Readonly<Record<string, string>> = {
  // Stores to its memory, loads from a device, stores what it got, asks PSCI for its version, then goes off.
  'device.s': `
_start: ldr     x10, =0x40001000
        ldr     x11, =0x600d600d
        str     x11, [x10]
        ldr     x12, =0x10000000
        ldrsh   x1, [x12]
        str     x1, [x12, #8]
        ldr     w2, [x12, #16]
        str     x2, [x12, #24]
        ldr     w0, =0x84000000
        hvc     #0
        str     w0, [x12]
        ldr     w0, =0x12345678
        hvc     #0
        str     x0, [x12]
        ldr     w0, =0x84000008
        hvc     #0
        b       .
`,
  // Asks for a reset.
  'reset.s': '_start: ldr w0, =0x84000009\n        hvc #0\n        b .\n',
  'spin.s': '_start: b .\n',
  'sleep.s': '_start: wfi\n        b _start\n',
  // Shares a page, tells what the hypervisor answered; takes it back, tells.
  'share.s': `
_start: ldr     x10, =0x40001000
        mov     x11, #7
        str     x11, [x10]
        ldr     x12, =0x10000000
        ldr     x0, =0xc6000003
        ldr     x1, =0x40001000
        mov     x2, #0
        mov     x3, #0
        hvc     #0
        str     x0, [x12]
        ldr     x0, =0xc6000004
        ldr     x1, =0x40001000
        mov     x2, #0
        mov     x3, #0
        hvc     #0
        str     x0, [x12]
        ldr     x0, =0xc6000003
        ldr     x1, =0x40003000                 // not touched yet
        mov     x2, #0
        mov     x3, #0
        hvc     #0
        str     x0, [x12]
        ldr     x0, =0xc6000003
        ldr     x1, =0x20000000                 // no memory
        mov     x2, #0
        mov     x3, #0
        b       .
`,
  // Switches on the second vCPU, which tells its x0 and switches itself off; then asks what became of it.
  'second.s': `
_start: ldr     x12, =0x10000000
        ldr     x0, =0xc4000003
        mov     x1, #1
        adr     x2, second
        mov     x3, #0x77
        hvc     #0
        str     x0, [x12]
        ldr     x0, =0xc4000003
        mov     x1, #1
        hvc     #0
        str     x0, [x12]
        ldr     x0, =0xc4000003
        mov     x1, #9
        hvc     #0
        str     x0, [x12]
        mrs     x0, mpidr_el1
        str     x0, [x12]
        ldr     w0, =0x84000000
        smc     #0
        str     w0, [x12]
        wfe
        str     w0, [x12, #4]
        b       .
second: ldr     x12, =0x10000100
        str     x0, [x12]
        mrs     x0, mpidr_el1
        str     x0, [x12]
        ldr     w0, =0x84000002
        hvc     #0
        b       .
`,
  // Stores of every width, and one that KVM cannot describe to the process.
  'widths.s': `
_start: ldr     x12, =0x10000000
        ldr     x1, =0x1122334455667788
        strb    w1, [x12, #3]
        strh    w1, [x12, #6]
        str     w1, [x12, #12]
        str     xzr, [x12, #16]
        ldrsb   w2, [x12]
        str     x2, [x12]
        ldrb    w2, [x12]
        str     x2, [x12]
        ldrsw   x2, [x12]
        str     x2, [x12]
        stp     x1, x1, [x12]
        b       .
`,
  // Jumps to where nothing is, with vectors that tell the syndrome.
  'fetch.s': `
_start: adr     x0, vectors
        msr     vbar_el1, x0
        ldr     x12, =0x10000000
        ldr     x1, =0x20000000
        br      x1
        .balign 2048
vectors: .skip  512
        mrs     x0, esr_el1
        str     x0, [x12]
        mrs     x0, elr_el1
        str     x0, [x12]
        mrs     x0, spsr_el1
        str     x0, [x12]
        b       .
`,
  // An instruction that does not exist.
  'undefined.s': `
_start: adr     x0, vectors
        msr     vbar_el1, x0
        ldr     x12, =0x10000000
        .inst   0
        .balign 2048
vectors: .skip  512
        mrs     x0, esr_el1
        str     x0, [x12]
        mrs     x0, elr_el1
        str     x0, [x12]
        b       .
`,
  // Reads its page at every turn.
  'reader.s': `
_start: ldr     x10, =0x40001000
        ldr     x12, =0x10000000
        mov     x11, #0x51
        str     x11, [x10]
1:      ldr     x11, [x10]
        str     x11, [x12]
        b       1b
`,
  // Writes where it may only read; executes what is not there.
  'readonly.s': `
_start: ldr     x10, =0x40010000
        ldr     x11, [x10]
        ldr     x12, =0x10000000
        str     x11, [x12]
        str     x12, [x10, #8]
        b       .
`,
}

export const SCRIPT = `
import { attempt, guest, hex, host, kvm, mem, print, proc, syscall, type Exit, type Vcpu, type Vm } from 'lab'

const plain = (_: string, v: unknown) => typeof v === 'bigint' ? hex(v) : v instanceof Uint8Array ? [...v] : v
const show = (value: unknown): string => JSON.stringify(value, plain)
const tell = async (what: string, call: Promise<unknown>) => {
  const r = await attempt(call)
  if (!r.ok) return void print(what + ': ' + ('code' in r.error ? r.error.code : String(r.error)))
  const opened = typeof r.value === 'object' && r.value !== null && 'fd' in r.value
  print(what + ': ' + (opened ? 'fd' : show(r.value) ?? 'done'))
  return r.value
}
const exitOf = async (vcpu: Vcpu, options?: { limitMs: number }): Promise<string> => {
  const r = await attempt(vcpu.run(options))
  if (!r.ok) return 'code' in r.error ? String(r.error.code) : String(r.error)
  const { answer: _, explanation: __, ...rest } = r.value as Exit & { answer?: unknown; explanation?: unknown }
  return show(rest)
}
const close = async (...all: { close(): Promise<void> }[]) => { for (const one of all) await one.close() }

const dev = await kvm.open()
print('version', await dev.apiVersion(), 'mmap', await dev.vcpuMmapSize())
for (const name of ['KVM_CAP_USER_MEMORY', 'KVM_CAP_ONE_REG', 'KVM_CAP_ARM_PSCI_0_2', 'KVM_CAP_READONLY_MEM',
  'KVM_CAP_ARM_VM_IPA_SIZE'] as const)
  print(name, await dev.checkExtension(name))
print('taint', (await host.taint()).value)

// Types
for (const type of [0x100n, 0x40000000n, 0x180000000n, 0x80000100n, 0x28n, 0x80000028n, 0x8000003cn]) {
  const vm = await tell('type ' + hex(type), dev.createVm({ type })) as Vm | undefined
  if (vm !== undefined) await vm.close()
}
print('taint', (await host.taint()).value)
await tell('ioctl of nothing', dev.ioctl(0xae77))
await tell('api version with an argument', dev.ioctl(0xae00, 1))

for (const isProtected of [false, true]) {
  const kind = isProtected ? 'protected' : 'normal'
  const new_ = () => dev.createVm({ protected: isProtected })
  print('---- ' + kind)
  {
    const vm = await new_()
    const ram = await mem.map(0x10000)
    const region = (slot: number, guestAddress: bigint, bytes: number, userAddress = ram.address, flags = 0) =>
      ({ slot, guestAddress, bytes, userAddress, flags })
    await tell('unaligned address', vm.setMemoryRegion(region(0, 0x40000800n, 0x1000)))
    await tell('unaligned size', vm.setMemoryRegion(region(0, 0x40000000n, 0x800)))
    await tell('unaligned memory', vm.setMemoryRegion(region(0, 0x40000000n, 0x1000, ram.address + 8n)))
    await tell('flags', vm.setMemoryRegion(region(0, 0x40000000n, 0x1000, ram.address, 8)))
    await tell('slot that is not there', vm.setMemoryRegion(region(3, 0x40000000n, 0)))
    await tell('kernel memory', vm.setMemoryRegion(region(0, 0x40000000n, 0x1000, 0xffff000000000000n)))
    await tell('beyond 40 bits', vm.setMemoryRegion(region(0, 0xfffffff000n, 0x2000)))
    await tell('slot 0', vm.setMemoryRegion(region(0, 0x40000000n, 0x4000)))
    await tell('slot 0 again', vm.setMemoryRegion(region(0, 0x40000000n, 0x4000)))
    await tell('slot 0 larger', vm.setMemoryRegion(region(0, 0x40000000n, 0x5000)))
    await tell('slot 0 other memory', vm.setMemoryRegion(region(0, 0x40000000n, 0x4000, ram.address + 0x1000n)))
    await tell('overlap', vm.setMemoryRegion(region(1, 0x40003000n, 0x4000)))
    await tell('beside', vm.setMemoryRegion(region(1, 0x40004000n, 0x1000)))
    await tell('slot 1 moved', vm.setMemoryRegion(region(1, 0x50000000n, 0x1000)))
    await tell('slot 1 moved into 0', vm.setMemoryRegion(region(1, 0x40001000n, 0x1000)))
    await tell('read-only', vm.setMemoryRegion(region(2, 0x60000000n, 0x1000, ram.address, 2)))
    await tell('slot 1 deleted', vm.setMemoryRegion(region(1, 0x50000000n, 0)))
    await tell('vcpu', vm.createVcpu({ id: 0, init: false }))
    await tell('vcpu again', vm.createVcpu({ id: 0 }))
    await tell('vcpu 100000', vm.createVcpu({ id: 100000 }))
    await tell('ioctl of nothing', vm.ioctl(0xae77))
    await vm.close()
    await ram.unmap()
  }
  {
    const vm = await new_()
    const vcpu = await vm.createVcpu({ init: false })
    await tell('get before init', vcpu.get('x0'))
    print('run before init: ' + await exitOf(vcpu))
    await tell('init', vcpu.init())
    await tell('init with other features', vcpu.init([]))
    await tell('init again', vcpu.init())
    print(show(await vcpu.registers()))
    for (const register of [
      'sctlr_el1', 'cpacr_el1', 'ttbr0_el1', 'ttbr1_el1', 'tcr_el1', 'afsr0_el1', 'afsr1_el1', 'esr_el1', 'far_el1',
      'par_el1', 'mair_el1', 'vbar_el1', 'contextidr_el1', 'tpidr_el1', 'cntkctl_el1', 'csselr_el1',
      'tpidr_el0', 'tpidrro_el0', 'sp_el1', 'elr_el1', 'spsr_el1',
    ] as const) await tell(register, vcpu.get(register))
    const ids = new Set(await vcpu.registerIds())
    print('listed', ids.has(0x6030000000100040n), ids.has(0x603000000013c080n))
    for (const register of ['sctlr_el1', 'sp_el1', 'elr_el1', 'vbar_el1', 'tpidr_el0'] as const) {
      if (register !== 'sctlr_el1') await tell(register, vcpu.get(register))
      await tell(register + ' set', vcpu.set(register, 0x12345678n))
      await tell(register, vcpu.get(register))
    }
    await tell('pstate EL2', vcpu.set('pstate', 9n))
    await tell('pstate EL1t', vcpu.set('pstate', 4n))
    await tell('no such register', vcpu.get(0x603000000013ffffn))
    await tell('no such core register', vcpu.get(0x6030000000100fffn))
    await tell('ioctl of nothing', vcpu.ioctl(0xae77))
    await tell('run with an argument', vcpu.ioctl(0xae80, 1))
    await close(vm)
  }
  {
    const program = guest('device.s')
    const vm = await new_()
    const ram = await vm.addMemory({ guestAddress: program.address, bytes: 0x4000 })
    await ram.load(program)
    const vcpu = await vm.createVcpu()
    await vcpu.set('pc', program.entry)
    for (let i = 0; i < 8; i++) {
      const r = await attempt(vcpu.run())
      if (!r.ok) { print('run: ' + ('code' in r.error ? r.error.code : r.error)); break }
      const exit = r.value
      const { answer: reply, explanation: _, ...rest } = exit as Exit & { answer?: unknown; explanation?: string }
      print(show(rest))
      if (exit.reason === 'mmio' && !exit.isWrite) await exit.answer(exit.length === 2 ? 0x8001n : 0xfedc8001n)
      else if (exit.reason === 'mmio') print('pc ' + hex(await vcpu.get('pc') - program.entry))
      if (exit.reason === 'system-event') break
    }
    const at = program.address + 0x1000n
    await tell('read', ram.read32(at))
    await tell('write', ram.write32(at, 1))
    await tell('read by write(2)', mem.readByKernel(ram.hostAddress(at), 4))
    await tell('write by read(2)', mem.writeByKernel(ram.hostAddress(at), Uint8Array.of(1, 2, 3, 4)))
    await tell('untouched page', ram.read32(program.address + 0x2000n))
    await tell('slot removed', ram.removeSlot())
    await close(vm)
    await tell('read after the end', mem.read32(ram.address + 0x1000n))
    await ram.unmap()
  }
  for (const name of ['reset.s', 'spin.s', 'sleep.s']) {
    const program = guest(name)
    const vm = await new_()
    const ram = await vm.addMemory({ guestAddress: program.address, bytes: 0x4000 })
    await ram.load(program)
    const vcpu = await vm.createVcpu()
    await vcpu.set('pc', program.entry)
    print(name + ' ' + await exitOf(vcpu, { limitMs: 10 }))
    await close(vm)
    await ram.unmap()
  }
  {
    const program = guest('share.s')
    const vm = await new_()
    const ram = await vm.addMemory({ guestAddress: program.address, bytes: 0x4000 })
    await ram.load(program)
    const vcpu = await vm.createVcpu()
    await vcpu.set('pc', program.entry)
    print('share ' + await exitOf(vcpu))
    await tell('the page', ram.read32(0x40001000n))
    await tell('the page written', ram.write32(0x40001000n, 9))
    print('unshare ' + await exitOf(vcpu))
    await tell('the page', ram.read32(0x40001000n))
    print('share what is not there ' + await exitOf(vcpu))
    await tell('that page', ram.read32(0x40003000n))
    await close(vm)
    await tell('the page after the end', mem.read32(ram.address + 0x1000n))
    await ram.unmap()
  }
  {
    const program = guest('reader.s')
    const vm = await new_()
    const ram = await vm.addMemory({ guestAddress: program.address, bytes: 0x4000 })
    await ram.load(program)
    const vcpu = await vm.createVcpu()
    await vcpu.set('pc', program.entry)
    print('reader ' + await exitOf(vcpu))
    await tell('by /proc/self/mem', mem.readByProcMem(ram.hostAddress(0x40001000n), 8))
    await tell('the page', ram.read32(0x40001000n))
    print('reader ' + await exitOf(vcpu))
    print('reader ' + await exitOf(vcpu))
    await close(vm)
    await ram.unmap()
  }
  {
    const program = guest('readonly.s')
    const vm = await new_()
    const ram = await vm.addMemory({ guestAddress: program.address, bytes: 0x4000 })
    await ram.load(program)
    const rom = await tell('read-only memory',
      vm.addMemory({ guestAddress: 0x40010000n, bytes: 0x1000, readOnly: true }).then(() => 'ok'))
    const vcpu = await vm.createVcpu()
    await vcpu.set('pc', program.entry)
    print('readonly ' + await exitOf(vcpu, { limitMs: 10 }))
    if (rom !== undefined) print('readonly ' + await exitOf(vcpu, { limitMs: 10 }))
    await close(vm)
    await ram.unmap()
  }
  for (const [name, runs] of [['second.s', 7], ['widths.s', 12], ['fetch.s', 4], ['undefined.s', 3]] as const) {
    const program = guest(name)
    const vm = await new_()
    const ram = await vm.addMemory({ guestAddress: program.address, bytes: 0x4000 })
    await ram.load(program)
    const vcpus = [await vm.createVcpu(), await vm.createVcpu({ features: ['psci-0.2', 'power-off'] })] as const
    await vcpus[0].set('pc', program.entry)
    print(name + ' stopped ' + await exitOf(vcpus[1], { limitMs: 5 }))
    for (let i = 0; i < runs; i++) {
      const r = await attempt(vcpus[0].run({ limitMs: 20 }))
      if (!r.ok) print(name + ' ' + ('code' in r.error ? r.error.code : String(r.error)))
      else {
        const { answer: reply, explanation: _, ...rest } = r.value as Exit & { answer?: unknown; explanation?: string }
        print(name + ' ' + show(rest))
        const load = r.value.reason === 'mmio' && !r.value.isWrite ? r.value : null
        await load?.answer(load.length === 1 ? 0x80n : 0x80000000n)
      }
    }
    for (let i = 0; i < 3; i++) print(name + ' second ' + await exitOf(vcpus[1], { limitMs: 5 }))
    await mem.write(vcpus[0].runAddress + 1n, Uint8Array.of(1))
    print('immediate_exit ' + await exitOf(vcpus[0]))
    const late = await tell('late vCPU', vm.createVcpu()) as Vcpu | undefined
    if (late !== undefined) {
      await late.set('pc', program.entry)
      print('late ' + await exitOf(late, { limitMs: 5 }))
    }
    await close(vm)
    await ram.unmap()
  }
  {
    // A vCPU's descriptor keeps the VM alive, a mapping keeps the vCPU.
    const program = guest('reader.s')
    const vm = await new_()
    const ram = await vm.addMemory({ guestAddress: program.address, bytes: 0x4000 })
    await ram.load(program)
    const vcpu = await vm.createVcpu()
    await vcpu.set('pc', program.entry)
    await syscall('close', vm.fd)
    print('without its VM ' + await exitOf(vcpu))
    await tell('page', ram.read32(0x40001000n))
    await syscall('close', vcpu.fd)
    await tell('page', ram.read32(0x40001000n))
    await tell('exit reason', mem.read32(vcpu.runAddress + 8n))
    await syscall('munmap', vcpu.runAddress, await dev.vcpuMmapSize())
    await tell('page', ram.read32(0x40001000n))
    await ram.unmap()
  }
  {
    // Two VMs with one page.
    const program = guest('reader.s')
    const ram = await mem.map(0x4000)
    const vms = [await new_(), await dev.createVm()] as const
    const vcpus: Vcpu[] = []
    for (const vm of vms) {
      await vm.setMemoryRegion({ slot: 0, guestAddress: program.address, bytes: 0x4000, userAddress: ram.address })
      const vcpu = await vm.createVcpu()
      await vcpu.set('pc', program.entry)
      vcpus.push(vcpu)
    }
    await mem.write(ram.address, program.bytes)
    for (const vcpu of vcpus) print('one page ' + await exitOf(vcpu, { limitMs: 5 }))
    await close(vms[0])
    print('one page ' + await exitOf(vcpus[1]!, { limitMs: 5 }))
    await close(vms[1])
    await ram.unmap()
  }
  {
    // Memory that the process unmaps under the VM.
    const program = guest('reader.s')
    const vm = await new_()
    const ram = await vm.addMemory({ guestAddress: program.address, bytes: 0x4000 })
    await ram.load(program)
    const vcpu = await vm.createVcpu()
    await vcpu.set('pc', program.entry)
    await mem.unmap(ram.address + 0x1000n, 0x1000)
    print('unmapped ' + await exitOf(vcpu))
    await close(vm)
  }
  print('taint', (await host.taint()).value)
}

// Two VMs at once, and many handles.
const many: Vm[] = []
for (let i = 0; i < 20; i++) many.push(await dev.createVm({ protected: i % 2 === 1 }))
await close(...many)

// A second process, with memory and VMs of its own.
{
  const page = await mem.map(0x1000)
  await mem.write32(page.address, 1)
  const child = await host.fork()
  await child.mem.write32(page.address, 2)
  await tell('parent', mem.read32(page.address))
  await tell('child', child.mem.read32(page.address))
  const other = await host.fork()
  await tell('other child', other.mem.read32(page.address))
  print('pids', Number(await child.syscall('getpid')) !== Number(await syscall('getpid')))
  await tell('parent of the child', child.syscall('getppid'))
  for (const isProtected of [false, true]) {
    const program = guest('reader.s')
    const vm = await (await child.kvm.open()).createVm({ protected: isProtected })
    const ram = await vm.addMemory({ guestAddress: program.address, bytes: 0x4000 })
    await ram.load(program)
    const vcpu = await vm.createVcpu()
    await vcpu.set('pc', program.entry)
    print('child ' + await exitOf(vcpu))
    await tell('child reads', ram.read32(0x40001000n))
    await tell('parent reads', mem.read32(ram.address))
    const spinning = exitOf(vcpu, { limitMs: 3 })
    print('child ' + await spinning)
  }
  const program = guest('spin.s')
  const vms: Vm[] = []
  for (const there of [child, other]) {
    const vm = await (await there.kvm.open()).createVm({ protected: true })
    vms.push(vm)
    const ram = await vm.addMemory({ guestAddress: program.address, bytes: 0x1000 })
    await ram.load(program)
    const vcpu = await vm.createVcpu()
    await vcpu.set('pc', program.entry)
    print('spins ' + await exitOf(vcpu, { limitMs: 3 }))
  }
  await tell('end', child.end())
  await tell('gone', child.mem.read32(page.address))
  await tell('killed', other.syscall(94, 5))
  await tell('end', other.end())
  print('taint', (await host.taint()).value)
}

// The limit of locked memory holds without CAP_IPC_LOCK.
const header = new Uint8Array(Uint32Array.of(0x20080522, 0).buffer)
const sets = new Uint8Array(24).fill(0xff)
sets[1] &= ~0x40
await syscall('capset', header, sets).then(() => print('capset done'), error => print('capset ' + error.code))
await host.setRlimit('memlock', { current: 4096 })
print('memlock', (await host.getRlimit('memlock')).current)
for (const isProtected of [false, true]) {
  const program = guest('reader.s')
  const vm = await dev.createVm({ protected: isProtected })
  const ram = await vm.addMemory({ guestAddress: program.address, bytes: 0x4000 })
  await ram.load(program)
  const vcpu = await vm.createVcpu()
  await vcpu.set('pc', program.entry)
  print('limited ' + await exitOf(vcpu))
  await close(vm)
}

// Files and memory of the process.
await tell('no file', syscall('openat', -100, '/nowhere', 0))
await tell('/proc/cmdline', proc.read('/proc/cmdline').then(text => text.includes('kvm-arm.mode=protected')))
const memory = await mem.map(0x5000)
await memory.unmap()
await tell('after munmap', mem.read32(memory.address))
const again = await mem.map(0x5000, { protection: 'r' })
await tell('store to read-only memory', mem.write32(again.address, 1))
await tell('kernel store to read-only memory', mem.writeByKernel(again.address, Uint8Array.of(1)))
await tell('mprotect', syscall('mprotect', again.address + 0x1000n, 0x2000, 3))
await tell('store there', mem.write32(again.address + 0x2ffcn, 1))
await tell('store behind', mem.write32(again.address + 0x3000n, 1))
await tell('munmap in the middle', syscall('munmap', again.address + 0x2000n, 0x1000))
await tell('load there', mem.read32(again.address + 0x2000n))
await tell('load before', mem.read32(again.address + 0x1000n))
await tell('load behind', mem.read32(again.address + 0x3000n))
await tell('mprotect of the hole', syscall('mprotect', again.address, 0x5000, 3))
await tell('munmap unaligned', syscall('munmap', again.address + 1n, 0x1000))
await tell('mmap of nothing', syscall('mmap', 0, 0, 3, 0x22, -1, 0))
await tell('mmap of a bad descriptor', syscall('mmap', 0, 4096, 3, 2, 99, 0))
await tell('fixed', mem.map(0x1000, { at: again.address }).then(m => m.address === again.address))
await tell('NULL', mem.read32(0n))
await tell('kernel address', mem.read32(0xffff800000000000n))
await tell('write(2) from NULL', mem.readByKernel(0n, 4))
await tell('/proc/self/mem of nothing', mem.readByProcMem(0n, 4))
print('physical', (await mem.physical(again.address)) !== null, await mem.physical(0n))
await tell('bad descriptor', syscall('read', 77, 0, 0))
await tell('close twice', syscall('close', 77))
await tell('dup3 of itself', syscall('dup3', 1, 1, 0))
await tell('seek on nothing', syscall('pread64', 77, 0, 0, 0))
await tell('unknown call', syscall(4000))
await tell('sleep', host.sleep(5))
const bad = new Uint8Array(BigInt64Array.of(0n, 1000000000n).buffer)
await tell('bad sleep', syscall('nanosleep', bad, 0))
await tell('limit above the maximum', host.setRlimit('memlock', { current: 2 ** 40, maximum: 2 ** 30 }))
await dev.close()
await tell('closed', dev.apiVersion())
`

/** All handles, twice. */
export const LIMITS = `
import { attempt, kvm, print, syscall, type Vm } from 'lab'

// The agent lets nobody close the numbers that it keeps for processes it forks: they are taken here.
for (let fd = 0n; fd < 232n; ) fd = await syscall('dup', 0)
const dev = await kvm.open()
for (let turn = 0; turn < 2; turn++) {
  const vms: Vm[] = []
  let end = ''
  while (end === '') {
    const vm = await attempt(dev.createVm({ protected: vms.length % 2 === 1 }))
    if (vm.ok) vms.push(vm.value)
    else end = 'code' in vm.error ? String(vm.error.code) : 'else'
  }
  print(vms.length + ' VMs, then ' + end)
  for (const vm of vms) await vm.close()
}
`

/** VMs that run, in this process and in others, and what is left of memory after each. */
export const LEAKS = `
import { guest, host, kvm, mem, print, proc } from 'lab'

const dev = await kvm.open()
const free: number[] = []
const program = guest('share.s')
for (let turn = 0; turn < 6; turn++) {
  const vm = await dev.createVm({ protected: turn % 2 === 1 })
  const ram = await vm.addMemory({ guestAddress: program.address, bytes: 0x4000 })
  await ram.load(program)
  const vcpus = [await vm.createVcpu(), await vm.createVcpu()]
  for (const vcpu of vcpus) {
    await vcpu.set('pc', program.entry)
    for (let run = 0; run < 3; run++) await vcpu.run()
  }
  await mem.readByProcMem(ram.address, 8)
  await vm.close()
  await ram.unmap()
  free.push((await host.memory())['MemFree'] ?? -1)
}
for (let turn = 0; turn < 4; turn++) {
  const child = await host.fork()
  const vm = await (await child.kvm.open()).createVm({ protected: true })
  const ram = await vm.addMemory({ guestAddress: program.address, bytes: 0x4000 })
  await ram.load(program)
  const vcpu = await vm.createVcpu()
  await vcpu.set('pc', program.entry)
  await vcpu.run()
  await child.end()
  free.push((await host.memory())['MemFree'] ?? -1)
}
print(new Set(free.slice(2, 6)).size === 1 && new Set(free.slice(7)).size === 1 ? 'nothing is lost' : free.join(' '))
const messages = (await host.messages()).filter(line => line.includes('tainting kernel'))
print('locked', /VmLck:\\s*(\\d+)/.exec(await proc.read('/proc/self/status'))?.[1])
print(messages.length === 1 ? 'one message' : messages.join(' '))
`

/** System calls with arguments that a program in trouble might make. The kernel answers all of them. */
export const RANDOM = `
import { attempt, host, mem, print, syscall } from 'lab'

let seed = 12345
const random = (below: number) => {
  seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
  return (seed >>> 8) % below
}
const page = (await mem.map(0x3000)).address
await syscall('openat', -100, '/dev/kvm', 2)
await syscall('openat', -100, '/proc/cmdline', 0)
await syscall('openat', -100, '/proc/self/mem', 2)
await syscall('openat', -100, '/proc/self/pagemap', 0)
const numbers = [24, 25, 29, 56, 57, 59, 63, 64, 67, 68, 73, 91, 101, 103, 113, 116, 134, 135, 160, 215, 222, 226, 261]
const requests = [0xae00n, 0xae01n, 0xae03n, 0xae04n, 0xae41n, 0x4020ae46n, 0xae80n, 0x4010aeacn, 0x4010aeabn,
  0x4020aeaen, 0x8020aeafn, 0xc008aeb0n, 0x5401n, 0x5402n]
const values = (): bigint => [0n, 1n, 2n, 8n, 0xfffn, 0x1000n, 0x80000000n, page, page + 0x2ff8n, page + 0x3000n,
  0x1000000000n, 0x7fffffffffn, 0x8000000000n, 0xffffff8040200000n, 0xffffffffffffffffn, 0x400000n][random(16)]!
for (let i = 0; i < 3000; i++) {
  const number = numbers[random(numbers.length)]!
  let args = Array.from({ length: 6 }, values)
  // Its own descriptors, and signals, stay as they are.
  if ([24, 57].includes(number)) args = [BigInt(random(12) + 3), BigInt(random(12) + 300), 0n]
  if (number === 29) args = [BigInt(random(40)), requests[random(requests.length)]!, args[0]!]
  if ([63, 64, 67, 68].includes(number)) args[0] = BigInt(random(40) + 3)
  if (number === 134) args[0] = BigInt(random(4) + 30)
  if (number === 135) args[1] = 0n
  if (number === 103) args[0] = 1n
  if ([215, 226].includes(number) && args[0]! < page) args[0] = page
  if (number === 222) args[3] = args[3]! & ~0x10n
  await attempt(syscall(number, ...args))
}
await host.taint()
print('done')
`
