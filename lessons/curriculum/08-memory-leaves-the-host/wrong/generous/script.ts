import { answer, attempt, guest, hex, host, kvm, print, syscall } from 'lab'

const program = guest('guest.s')
const NOTE = program.symbol('NOTE')

const dev = await kvm.open()
const vm = await dev.createVm({ protected: true })
const ram = await vm.addMemory({ guestAddress: program.address, bytes: 8 * 4096 })
await ram.load(program)
await ram.write64(NOTE, 0x2107_1969)
const vcpu = await vm.createVcpu()
await vcpu.set('pc', program.entry)

// 1. The guest reads the note and rings with what it found.
const first = await vcpu.run()
if (first.reason === 'mmio' && first.isWrite) {
  answer('found', first.value)
  print('the guest found', first.value)
}

// 2. Which of the eight pages has the host lost by now?
const lost: bigint[] = []
for (let page = ram.guestAddress; page < ram.guestAddress + BigInt(ram.bytes); page += 4096n) {
  const word = await attempt(ram.read32(page))
  if (!word.ok) lost.push(page)
}
answer('lost', lost)
print('the host has lost', ...lost.map(page => hex(page)))

// 3. The VMM becomes an ordinary user, who may lock three pages in memory.
await host.setRlimit('memlock', { current: 3 * 4096 })
await syscall('setresuid', 1000, 1000, 1000)
const refused = await attempt(vcpu.run())
print('with 3 pages:', refused.ok ? refused.value.reason : refused.error.message)

const NEEDED = 8 // all of the guest's RAM
await host.setRlimit('memlock', { current: NEEDED * 4096 })
const second = await attempt(vcpu.run())
print('with', NEEDED, 'pages:', second.ok ? second.value.reason : second.error.code)
answer('limit', (await host.getRlimit('memlock')).current / 4096)
// The VM stays open, so that you can look at its pages.
