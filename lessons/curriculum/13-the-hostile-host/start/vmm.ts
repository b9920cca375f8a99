import { answer, attempt, guest, hex, kvm, mem, print } from 'lab'

const program = guest('guest.s')
const dev = await kvm.open()
const vm = await dev.createVm({ protected: true })
const ram = await vm.addMemory({ guestAddress: 0x4000_0000n, bytes: 3 * 4096 })
await ram.load(program)
const vcpu = await vm.createVcpu()
await vcpu.set('pc', program.entry)

const secret = ram.hostAddress(program.symbol('SECRET'))
const diary = ram.hostAddress(program.symbol('DIARY'))

/** Lets the guest ring twice, and prints what it finds in its two pages. */
async function askGuest() {
  for (const page of ['SECRET', 'DIARY']) {
    const exit = await vcpu.run()
    print('    the guest,', `${page}:`, exit.reason === 'mmio' && exit.isWrite ? hex(exit.value) : exit.reason)
    if (exit.reason !== 'mmio') return
  }
}

/** Tries something, and records how it went under its name. */
async function attack(name: string, how: () => Promise<unknown>) {
  const result = await attempt(how())
  const outcome = result.ok ? result.value : result.error.code
  print(`${name}:`, outcome)
  answer(name, result.ok ? 'not denied' : result.error.code)
}

await askGuest()
const physical = await mem.physical(secret)
if (physical !== null) answer('page', physical)
print('SECRET is in page', hex((physical ?? 0n) >> 12n), 'of the machine')

// 1. The front door.
await attack('load', () => mem.read32(secret))
await attack('store', () => mem.write32(secret, 0))
// <- and the same two by the kernel: write(2) from the page, read(2) into it

// 2. An accomplice: another VM over the memory of the first, that starts in SECRET.
async function accomplice(isProtected: boolean) {
  await using other = await dev.createVm({ protected: isProtected })
  await other.addMemory({ guestAddress: ram.guestAddress, bytes: ram.bytes }) // <- fresh memory: this accomplice sees nothing
  await using cpu = await other.createVcpu()
  await cpu.set('pc', program.symbol('SECRET'))
  return await cpu.run({ limitMs: 5 })
}
await attack('normal accomplice', () => accomplice(false))
await attack('protected accomplice', () => accomplice(true))
await askGuest()

// 4. By force. It is the diary's turn.
// <- have the kernel read the diary where it does not expect to fail
await askGuest()

// The VM stays as it is. 3. is done by hand, in the hypercall panel.
