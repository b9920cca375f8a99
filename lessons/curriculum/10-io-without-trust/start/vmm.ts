import { answer, attempt, guest, hex, kvm, print } from 'lab'

// The host of this guest. It is honest, and curious: whenever the guest rings, it tries every page of the guest's memory.
const program = guest('guest.s')
const dev = await kvm.open()
const vm = await dev.createVm({ protected: true })
const ram = await vm.addMemory({ guestAddress: 0x4000_0000n, bytes: 3 * 4096 })
await ram.load(program)
const vcpu = await vm.createVcpu()
await vcpu.set('pc', program.entry)

const BUFFER = 0x4000_2000n
const REPLY = BUFFER + 0x800n
const names = ['CODE', 'SECRET', 'BUFFER']
const rings = ['before', 'shared', 'unshared', 'reply', 'after']

/** Which pages the host can read now. */
async function look() {
  const readable: string[] = []
  for (const [i, name] of names.entries()) {
    const word = await attempt(ram.read32(0x4000_0000n + BigInt(i) * 4096n))
    print('   ', name, word.ok ? 'can be read' : word.error.code)
    if (word.ok) readable.push(name)
  }
  return readable
}

for (;;) {
  const exit = await vcpu.run()
  if (exit.reason !== 'mmio' || !exit.isWrite) {
    print('the guest stops:', exit.reason)
    break
  }
  const ring = rings[Number(exit.address - 0x1000_0000n) / 8] ?? 'unknown'
  const value = BigInt.asIntN(32, exit.value)
  print(`ring: ${ring}, value ${value < 0n ? value : hex(value)}`)
  answer(ring, value)
  if (ring === 'reply' || ring === 'after') continue

  const readable = await look()
  answer(`readable ${ring}`, readable)
  if (ring === 'shared' && readable.includes('BUFFER')) {
    const message = await ram.readText(BUFFER)
    print('the guest says:', message)
    answer('message', message)
    await ram.write32(REPLY, 0x0c0ffee0)
  }
}
await vm.close()
