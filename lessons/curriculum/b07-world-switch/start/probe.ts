import { answer, attempt, guest, hex, kvm, print } from 'lab'

// A protected VM with a number in x7 and another in its memory. The guest rings with both.
const program = guest('guest.s')
const dev = await kvm.open()
const vm = await dev.createVm({ protected: true })
const ram = await vm.addMemory({ guestAddress: program.address, bytes: 4 * 4096 })
await ram.load(program)
await ram.write64(program.symbol('DATA'), 0x7777n)
const vcpu = await vm.createVcpu()
await vcpu.set('pc', program.entry)
await vcpu.set('x7', 0x5a5an)

for (const name of ['first', 'second']) {
  const exit = await attempt(vcpu.run({ limitMs: 1 }))
  const told = !exit.ok ? exit.error.code : exit.value.reason === 'mmio' && exit.value.isWrite ? exit.value.value : exit.value.reason
  answer(name, told)
  print('KVM_RUN:', typeof told === 'bigint' ? `the guest rings with ${hex(told)}` : told)
  if (typeof told !== 'bigint') break
}
await vm.close()
