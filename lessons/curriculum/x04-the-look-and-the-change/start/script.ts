import { answer, guest, kvm, mem, print } from 'lab'

// A protected VM, left open for the calls by hand.
const dev = await kvm.open()
const vm = await dev.createVm({ protected: true })
const program = guest('guest.s')
const ram = await vm.addMemory({ guestAddress: program.address, bytes: 4 * 4096 })
await ram.load(program)
const vcpu = await vm.createVcpu()
await vcpu.set('pc', program.entry)
const ring = await vcpu.run()
answer('ring', ring.reason)

// Two pages of the host that nobody else has a share in.
for (const name of ['page', 'other']) {
  const mapping = await mem.map(4096, { populate: true })
  await mem.write64(mapping.address, 0)
  const physical = await mem.physical(mapping.address)
  answer(name, physical)
  print(`${name}: physical address`, physical, 'page number', physical === null ? null : physical >> 12n)
}
